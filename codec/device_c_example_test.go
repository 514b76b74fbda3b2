package codec_test

import (
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/codec"
)

// The whole device of c/example.c, which firmware begins with.

// The example compiles and does what its comments say. A gateway that imported it with nothing but what must be there opens its frames: a counter of 8 bits, a tag of 8 bytes.
func TestDeviceExampleInC(t *testing.T) {
	program := compileC(t, "example", "c/example.c", "c/godwit.c", "c/godwit_aes.c")
	out, err := exec.CommandContext(t.Context(), program).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var said []string
	var highest uint64
	cipher := codec.NewCipher(codec.DeriveSealKey(&[32]byte{1, 2, 3}, nil, codec.LabelUp8, 1001, 0))
	for line := range strings.Lines(string(out)) {
		what := strings.Fields(line)[0]
		said = append(said, what)
		_, text, sent := strings.Cut(line, "bytes:")
		if !sent || what == "join" {
			continue
		}
		raw, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
		if err != nil {
			t.Fatal(err)
		}
		item, _, err := codec.NextItem(raw)
		if err != nil || item.CID != 1001 {
			t.Fatalf("%s: device %d, %v", what, item.CID, err)
		}
		s, err := codec.ParseSealed(item.Content, 8, 8)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		counter := codec.CompleteCounter(s.CTR, s.CTRBits, highest, highest > 0)
		if _, err := cipher.Open(nil, &s, codec.Position{Number: 1001, Counter: counter}); err != nil {
			t.Errorf("%s with counter %d: %v", what, counter, err)
		}
		highest = counter
	}
	want := []string{"hello", "batch", "batch", "batch", "restart", "hello", "again", "batch", "memory", "join", "restart", "join"}
	if !slices.Equal(said, want) {
		t.Errorf("%q, want %q", said, want)
	}
}

// exampleHarness is the example with another radio and another program: intervals of an hour one after the other.
const exampleHarness = `#define main example_main
#include "example-radio.c"
#undef main
static unsigned in_radio; /* transmissions of a stranger */
static size_t radio_receive(uint8_t *buffer, size_t cap)
{
	memset(buffer, 0xff, cap);
	if (in_radio == 0)
		return 0;
	in_radio--;
	return cap;
}
static void pass_hours(int n, int answered)
{
	struct godwit_ack all;
	for (; n > 0; n--) {
		printf("hour\n");
		(void)work();
		all.counter = godwit_last(&device);
		all.bitmap = UINT32_MAX;
		if (answered) {
			let_go(&all, 0);
			heard();
		}
	}
}
int main(int argc, char **argv)
{
	struct godwit_received r;
	(void)no_radio;
	(void)example_main;
	memset(&r, 0, sizeof r);
	if (argc != 2 || !boot())
		return 1;
	if (strcmp(argv[1], "radio") == 0) {
		in_radio = 3;
		pass_hours(1, 0);
		printf("left %u\n", in_radio);
	} else if (strcmp(argv[1], "silence") == 0) {
		pass_hours(1000, 0);
	} else {
		static const uint8_t rekey[1 + 2 + 2 + GODWIT_SALT] = {0xa2, GODWIT_REKEY_EPOCH, 2, GODWIT_REKEY_SALT, 0x50};
		pass_hours(3, 0);
		if (godwit_rekey(&device, rekey, sizeof rekey) != 0)
			return 1;
		take(&r, GODWIT_GOT_EPOCH);
		printf("epoch\n");
		pass_hours(40, 1);
	}
	return 0;
}
`

// What the example does in intervals that its own program does not have: what comes late, and what nobody answers.
func TestDeviceExampleGoesOnInC(t *testing.T) {
	source, err := os.ReadFile("c/example.c")
	if err != nil {
		t.Fatal(err)
	}
	const radio = "static size_t radio_receive(uint8_t *buffer, size_t cap)\n{"
	if strings.Count(string(source), radio) != 1 {
		t.Fatal("the example has no radio")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"harness.c":       exampleHarness,
		"example-radio.c": strings.Replace(string(source), radio, strings.TrimSuffix(radio, "\n{")+";\n\nstatic size_t no_radio(uint8_t *buffer, size_t cap)\n{", 1),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	program := compileC(t, "harness", "-Ic", filepath.Join(dir, "harness.c"), "c/godwit.c", "c/godwit_aes.c")
	// hours are what was sent in each hour.
	hours := func(scenario string) (out [][]string) {
		t.Helper()
		text, err := exec.CommandContext(t.Context(), program, scenario).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", scenario, err, text)
		}
		for line := range strings.Lines(string(text)) {
			what := strings.Fields(line)[0]
			if what == "hour" || len(out) == 0 {
				out = append(out, nil)
			}
			out[len(out)-1] = append(out[len(out)-1], what)
			if what == "left" && strings.TrimSpace(line) != "left 0" {
				t.Errorf("what is in the radio waits for another interval: %s", line)
			}
		}
		return out
	}
	if got := hours("radio"); !slices.Contains(got[1], "left") {
		t.Errorf("radio: %q", got)
	}
	var joins []int
	for i, sent := range hours("silence") {
		if slices.Contains(sent, "join") {
			joins = append(joins, i)
		}
	}
	if len(joins) < 40 || joins[0] > 2 {
		t.Errorf("F-122: joins in hours %d", joins)
	}
	for i := 2; i < len(joins); i++ {
		if pause, before := joins[i]-joins[i-1], joins[i-1]-joins[i-2]; pause > 24 || pause < before {
			t.Errorf("F-122, F-150: %d hours between two attempts, and %d before", pause, before)
		}
	}
	sent := hours("epoch") // the boot, three hours in an epoch that ends, then hours in which only what is of the new one is answered
	last, later := sent[11], slices.Concat(sent[12:]...)
	if len(sent) != 44 || !slices.Contains(last, "again") || slices.Contains(later, "again") {
		t.Errorf("F-119: what is of the epoch before: %q, then %q", last, later)
	}
}
