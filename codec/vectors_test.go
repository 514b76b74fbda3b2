package codec_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

var update = flag.Bool("update", false, "write testdata/vectors anew; read the difference before you commit it")

// A vector is one case: headers, an empty line, the bytes in hex. testdata/vectors/README.md tells other implementations what they mean.
type vector struct {
	name    string
	headers [][2]string
	input   []byte
}

func (v *vector) get(key string) string {
	for _, h := range v.headers {
		if h[0] == key {
			return h[1]
		}
	}
	return ""
}

// every gives the values of a header that may stand more than once.
func (v *vector) every(key string) []string {
	var out []string
	for _, h := range v.headers {
		if h[0] == key {
			out = append(out, h[1])
		}
	}
	return out
}

func (v *vector) hex(t testing.TB, key string) []byte {
	t.Helper()
	b, err := hex.DecodeString(v.get(key))
	if err != nil {
		t.Fatalf("%s: %s: %v", v.name, key, err)
	}
	return b
}

func (v *vector) uint(t testing.TB, key string) uint64 {
	t.Helper()
	if v.get(key) == "" {
		return 0
	}
	n, err := strconv.ParseUint(v.get(key), 10, 64)
	if err != nil {
		t.Fatalf("%s: %s: %v", v.name, key, err)
	}
	return n
}

func (v *vector) text() string {
	var b strings.Builder
	for _, h := range v.headers {
		fmt.Fprintf(&b, "%s: %s\n", h[0], h[1])
	}
	b.WriteByte('\n')
	for in := v.input; len(in) > 0; in = in[min(len(in), 32):] {
		fmt.Fprintf(&b, "%x\n", in[:min(len(in), 32)])
	}
	return b.String()
}

const vectorDir = "testdata/vectors"

func readVectors(t testing.TB) []vector {
	t.Helper()
	paths, err := filepath.Glob(vectorDir + "/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	out := make([]vector, 0, len(paths))
	for _, p := range paths {
		raw, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, parseVector(t, strings.TrimSuffix(filepath.Base(p), ".txt"), raw))
	}
	return out
}

func parseVector(t testing.TB, name string, raw []byte) vector {
	t.Helper()
	v := vector{name: name}
	sc := bufio.NewScanner(bytes.NewReader(raw))
	sc.Buffer(nil, 1<<20)
	inHeader := true
	for sc.Scan() {
		line := sc.Text()
		if inHeader {
			if line == "" {
				inHeader = false
				continue
			}
			k, val, ok := strings.Cut(line, ": ")
			if !ok {
				t.Fatalf("%s: header %q", name, line)
			}
			v.headers = append(v.headers, [2]string{k, val})
			continue
		}
		b, err := hex.DecodeString(line)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		v.input = append(v.input, b...)
	}
	return v
}

// outcome names an error as the header "expect" does.
func outcome(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, codec.ErrAuth):
		return "auth"
	case errors.Is(err, codec.ErrControl):
		return "control"
	case errors.Is(err, codec.ErrTruncated):
		return "truncated"
	case errors.Is(err, codec.ErrMalformed):
		return "malformed"
	case errors.Is(err, codec.ErrUnsupported):
		return "unsupported"
	default:
		return err.Error()
	}
}

// run puts a vector's input through the entry point that it names and returns what came of it.
func (v *vector) run(t *testing.T, input []byte) error {
	t.Helper()
	switch v.get("operation") {
	case "sequence":
		return v.runSequence(t, input)
	case "derive":
		return v.derive(t, input)
	case "open":
		return v.open(t, input)
	case "keyframe":
		return v.keyframe(t, input)
	case "hello":
		_, err := codec.DecodeHello(input)
		return err
	case "open-status":
		_, err := codec.DecodeOpen(input)
		return err
	case "ack":
		return v.ack(t, input)
	case "join":
		return v.join(t, input)
	case "delta", "batch":
		if bytes.Equal(input, v.input) {
			return v.checkPacked(t)
		}
		return v.packed(t, input)
	case "manifest":
		return v.manifest(t, input)
	case "template":
		tm, err := codec.ParseTemplate(input)
		if err == nil && fmt.Sprintf("%x", tm.Hash()) != v.get("hash") {
			return fmt.Errorf("hash %x", tm.Hash())
		}
		return err
	default:
		err := v.message(t, input)
		if errors.Is(err, errOperation) {
			t.Fatalf("%s: operation %q", v.name, v.get("operation"))
		}
		return err
	}
}

// derive compares a derived key.
func (v *vector) derive(t *testing.T, input []byte) error {
	t.Helper()
	number, epoch := uint32(v.uint(t, "number")), uint32(v.uint(t, "epoch"))
	var got []byte
	switch label := v.get("label"); label {
	case "fleet":
		k := codec.FleetDeviceKey([32]byte(v.hex(t, "fleet-key")), number)
		got = k[:]
	case "join":
		k := codec.DeriveJoinKey((*[32]byte)(v.hex(t, "device-key")), number)
		got = k[:]
	case "ack":
		k := codec.DeriveAckKey((*[32]byte)(v.hex(t, "device-key")), v.hex(t, "salt"), number, epoch)
		got = k[:]
	default:
		k := codec.DeriveSealKey((*[32]byte)(v.hex(t, "device-key")), v.hex(t, "salt"), codec.Label(label), number, epoch)
		got = append(k.Key[:], k.IV[:]...)
	}
	if !bytes.Equal(got, input) {
		return fmt.Errorf("derived %x", got)
	}
	return nil
}

// runSequence reads items until one is refused; the header "forms" names those before it.
func (v *vector) runSequence(t *testing.T, input []byte) error {
	t.Helper()
	var forms []string
	var err error
	for len(input) > 0 && err == nil {
		var item codec.Item
		if len(forms) == codec.ItemsMax {
			err = fmt.Errorf("item %d: %w", len(forms)+1, codec.ErrMalformed)
			break
		}
		if item, input, err = codec.NextItem(input); err == nil {
			forms = append(forms, item.Form.String())
		}
	}
	if got := strings.Join(forms, " "); got != v.get("forms") {
		return fmt.Errorf("forms %q", got)
	}
	return err
}

func (v *vector) position(t *testing.T) codec.Position {
	t.Helper()
	p := codec.Position{Number: uint32(v.uint(t, "number")), Epoch: uint32(v.uint(t, "epoch")), Counter: v.uint(t, "counter")}
	if v.get("direction") == "down" {
		p.Direction = codec.Down
	}
	return p
}

func (v *vector) label() codec.Label {
	switch {
	case v.get("direction") == "down":
		return codec.LabelDown
	case v.get("tag") == "4":
		return codec.LabelUp4
	default:
		return codec.LabelUp8
	}
}

func (v *vector) cipher(t *testing.T) *codec.Cipher {
	t.Helper()
	p := v.position(t)
	return codec.NewCipher(codec.DeriveSealKey((*[32]byte)(v.hex(t, "device-key")), v.hex(t, "salt"), v.label(), p.Number, p.Epoch))
}

func (v *vector) open(t *testing.T, input []byte) error {
	t.Helper()
	item, rest, err := codec.NextItem(input)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return fmt.Errorf("%d bytes behind the item: %w", len(rest), codec.ErrMalformed)
	}
	ctrBits, tagLen := uint8(v.uint(t, "ctr-bits")), uint8(v.uint(t, "tag"))
	s, err := codec.ParseSealed(item.Content, ctrBits, tagLen)
	if err != nil {
		return err
	}
	p := v.position(t)
	p.Counter = codec.CompleteCounter(s.CTR, s.CTRBits, v.uint(t, "highest"), v.get("highest") != "")
	c := v.cipher(t)
	plain, err := c.Open(nil, &s, p)
	key := codec.DeriveSealKey((*[32]byte)(v.hex(t, "device-key")), v.hex(t, "salt"), v.label(), p.Number, p.Epoch)
	one := []codec.Opening{{Key: &key, Sealed: s, Position: p}}
	if new(codec.Opener).Open(one); outcome(one[0].Err) != outcome(err) || !bytes.Equal(one[0].Plaintext, plain) {
		t.Errorf("%s: an opener says %x, %v, not %x, %v", v.name, one[0].Plaintext, one[0].Err, plain, err)
	}
	if err != nil {
		return err
	}
	if hex.EncodeToString(plain) != v.get("plaintext") || p.Counter != v.uint(t, "counter") {
		return fmt.Errorf("counter %d, plaintext %x", p.Counter, plain)
	}
	again, err := c.AppendSealed(nil, s.Header, p, ctrBits, tagLen, plain)
	if err == nil && item.Form == codec.FormAddressed {
		again = codec.AppendAddressed(nil, item.CID, again)
	}
	if err == nil && !bytes.Equal(again, input) {
		return fmt.Errorf("seals anew as %x", again)
	}
	return err
}

func (v *vector) keyframe(t *testing.T, input []byte) error {
	t.Helper()
	tm, err := codec.ParseTemplate(v.hex(t, "template"))
	if err != nil {
		t.Fatal(err)
	}
	ref, err := time.Parse(time.RFC3339, v.get("reference"))
	if err != nil {
		t.Fatal(err)
	}
	var s codec.Status
	if err := tm.DecodeKeyframe(&s, codec.MakeHeader(codec.KindKeyframe, 0, 0), input, ref); err != nil {
		return err
	}
	if got := describe(tm, &s); got != v.get("status") {
		return fmt.Errorf("status %s", got)
	}
	again, _, err := tm.AppendKeyframe(nil, 0, &s)
	if err == nil && !bytes.Equal(again, input) {
		return fmt.Errorf("encodes anew as %x", again)
	}
	return err
}

// describe writes a status in one line, for vectors.
func describe(tm *codec.Template, s *codec.Status) string {
	parts := []string{"time=" + s.Time.Format(time.RFC3339)}
	if !s.ClockValid {
		parts[0] = "time=unsure"
	}
	for i, f := range tm.Fields() {
		switch s.Values[i].State {
		case codec.NotMeasured:
			parts = append(parts, f.Name+"=-")
		case codec.Saturated:
			parts = append(parts, f.Name+">="+string(codec.AppendDecimal(nil, &f, s.Values[i].Raw)))
		default:
			parts = append(parts, f.Name+"="+string(codec.AppendDecimal(nil, &f, s.Values[i].Raw)))
		}
	}
	if s.Rare.Present {
		parts = append(parts, fmt.Sprintf("version=%d build=%08x boot=%t step=%t/%d/%d",
			s.Rare.VersionIndex, s.Rare.Build, s.Rare.BootChanged, s.Rare.HasStep, s.Rare.Step, s.Rare.StepCode))
	}
	if s.Rare.HasPolicy {
		parts = append(parts, fmt.Sprintf("policy=%d", s.Rare.Policy))
	}
	return strings.Join(parts, " ")
}

func (v *vector) ack(t *testing.T, input []byte) error {
	t.Helper()
	item, _, err := codec.NextItem(input)
	if err != nil {
		return err
	}
	f, err := codec.ParseAck(item.Content)
	if err != nil {
		return err
	}
	p := v.position(t)
	key := codec.DeriveAckKey((*[32]byte)(v.hex(t, "device-key")), v.hex(t, "salt"), p.Number, p.Epoch)
	a, err := f.Verify(&key, p.Number, p.Epoch, v.uint(t, "last"))
	if err != nil {
		return err
	}
	if a.Counter != p.Counter || strconv.FormatUint(uint64(a.Bitmap), 2) != v.get("bitmap") {
		return fmt.Errorf("counter %d, bitmap %b", a.Counter, a.Bitmap)
	}
	if again := codec.AppendAck(nil, &key, p.Number, p.Epoch, a); !bytes.Equal(again, input) {
		return fmt.Errorf("encodes anew as %x", again)
	}
	return nil
}

func TestVectors(t *testing.T) {
	for _, v := range readVectors(t) {
		t.Run(v.name, func(t *testing.T) {
			if got := outcome(v.run(t, v.input)); got != v.get("expect") {
				t.Errorf("%s: got %s, want %s", v.get("comment"), got, v.get("expect"))
			}
		})
	}
}

// The committed files are what the generator gives.
func TestVectorFilesAreCurrent(t *testing.T) {
	made := makeVectors(t)
	if *update {
		for _, v := range made {
			if err := os.WriteFile(filepath.Join(vectorDir, v.name+".txt"), []byte(v.text()), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	var names []string
	for _, v := range made {
		names = append(names, v.name)
		raw, err := os.ReadFile(filepath.Join(vectorDir, v.name+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		if string(raw) != v.text() {
			t.Errorf("%s differs from what the code makes: run `go test ./codec -run Vector -update` and read the difference", v.name)
		}
	}
	for _, v := range readVectors(t) {
		if !slices.Contains(names, v.name) {
			t.Errorf("%s: no generator makes this file", v.name)
		}
	}
}

// F-021: every truncation and every flipped bit of every sealed vector is refused.
func TestDamagedVectorsAreRefused(t *testing.T) {
	n := 0
	for _, v := range readVectors(t) {
		op := v.get("operation")
		if v.get("expect") != "ok" || op != "open" && op != "ack" && op != "join" {
			continue
		}
		for k := range v.input {
			if v.run(t, v.input[:k]) == nil {
				t.Errorf("%s: cut to %d bytes is taken", v.name, k)
			}
			n++
		}
		for bit := range 8 * len(v.input) {
			b := bytes.Clone(v.input)
			b[bit/8] ^= 0x80 >> (bit % 8)
			if op == "open" && v.input[0] == 0x82 && bit/8 > 0 && bit/8 <= cidLen(v.input) {
				continue // F-023: the connection id is not covered; it names the key that then fails
			}
			if v.run(t, b) == nil {
				t.Errorf("%s: taken with bit %d flipped", v.name, bit)
			}
			n++
		}
	}
	t.Logf("%d damaged frames", n)
}

// cidLen is the length of the connection id's encoding in an addressed item.
func cidLen(b []byte) int {
	switch b[1] & 0x1f {
	case 24:
		return 2
	case 25:
		return 3
	case 26:
		return 5
	default:
		return 1
	}
}

// The second implementation, in another language, is of one mind with this one about every vector.
func TestSecondImplementation(t *testing.T) {
	if err := exec.CommandContext(t.Context(), "python3", "-c", "import cryptography").Run(); err != nil {
		t.Skipf("python3 with the package cryptography is not at hand: %v", err)
	}
	out, err := exec.CommandContext(t.Context(), "python3", filepath.Join(vectorDir, "check.py")).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
