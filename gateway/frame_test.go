package main_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/codec"
	main "github.com/godwit-gateway/godwit/gateway"
	"github.com/godwit-gateway/godwit/gateway/config"
)

// godwit runs the program and returns what it wrote.
func godwit(t *testing.T, want int, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := main.Run(args, &stdout, &stderr); code != want {
		t.Fatalf("%s: exit code %d, want %d\n%s%s", strings.Join(args, " "), code, want, &stdout, &stderr)
	}
	return stdout.String() + stderr.String()
}

// contains fails for each line that is not in the output.
func contains(t *testing.T, out string, lines ...string) {
	t.Helper()
	for _, l := range lines {
		if !strings.Contains(out, l) {
			t.Errorf("lacks %q:\n%s", l, out)
		}
	}
}

// A message that the program made itself is drawn, with its key and without; the example in the help works.
func TestFrameExplain(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte(strings.Repeat("0f", 32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	frame := strings.TrimSpace(godwit(t, 0, "frame", "encode", "--number", "7", "--key-file", key, "--counter", "9", "--message", "68656c6c6f"))
	contains(t, godwit(t, 0, "frame", "explain", frame), "  b  cid ", "ciphertext", "| 1 1 | 0 0 0 | 0 0 0 |")
	contains(t, godwit(t, 0, "frame", "explain", frame, "--number", "7", "--key-file", key), "0006  03 68 65 6c 6c 6f\n        a- b-------------\n", `"hello"`)
	help := godwit(t, 0, "frame", "explain", "--help")
	_, example, ok := strings.Cut(help, "    godwit frame explain ")
	if !ok {
		t.Fatalf("no example:\n%s", help)
	}
	example, _, _ = strings.Cut(example, "\n")
	contains(t, godwit(t, 0, "frame", "explain", example), "delta, template slot 0, base 1", "| 0 0 | 0 0 0 | 0 0 1 |")
	godwit(t, 2, "frame", "explain", "xx")
}

// A delta is shown field by field when its base is given, before it or as --base.
func TestFrameInspectDelta(t *testing.T) {
	p, err := config.BuiltIn("buoy-demo")
	if err != nil {
		t.Fatal(err)
	}
	fields := p.Template.Fields()
	first := codec.Status{Values: make([]codec.Value, len(fields))}
	first.Values[0] = codec.Value{State: codec.Measured, Raw: fields[0].Offset + 5}
	base, h, err := p.Template.AppendKeyframe(nil, 0, &first)
	if err != nil {
		t.Fatal(err)
	}
	var state codec.State
	state.SetKeyframe(p.Template, &first)
	next := first
	next.Values = append([]codec.Value(nil), first.Values...)
	next.Values[0].Raw++
	delta, hd, err := p.Template.AppendDelta(nil, 0, 1, &state, &next)
	if err != nil {
		t.Fatal(err)
	}
	var key [32]byte
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(hex.EncodeToString(key[:])), 0o600); err != nil {
		t.Fatal(err)
	}
	c := codec.NewCipher(codec.DeriveSealKey(&key, nil, codec.LabelUp8, 7, 0))
	seal := func(h codec.Header, counter uint64, plaintext []byte) []byte {
		b, err := c.AppendSealed(nil, h, codec.Position{Number: 7, Counter: counter}, 16, 8, plaintext)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	k, d := hex.EncodeToString(seal(h, 1, base)), hex.EncodeToString(seal(hd, 2, delta))
	args := []string{"--number", "7", "--key-file", path}
	moved := fields[0].Name + " "
	for _, command := range []string{"inspect", "explain"} {
		contains(t, godwit(t, 0, append([]string{"frame", command, d}, args...)...), "needs the status of counter 1")
		contains(t, godwit(t, 0, append([]string{"frame", command, k + d}, args...)...), moved, ", +1\n")
		contains(t, godwit(t, 0, append([]string{"frame", command, d, "--base", hex.EncodeToString(base)}, args...)...), moved, ", +1\n")
	}
	contains(t, godwit(t, 2, append([]string{"frame", "inspect", d, "--base", "00"}, args...)...), "--base")
}
