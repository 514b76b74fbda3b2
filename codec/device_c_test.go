package codec_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
)

// The device's side in C (c/) against this package: the compiler of the machine builds its test program, which is driven from here.

// compileC builds a program of c/ as strictly as a firmware's build might.
func compileC(t *testing.T, name string, sources ...string) string {
	t.Helper()
	compiler := ""
	for _, c := range []string{os.Getenv("CC"), "gcc", "clang", "cc"} {
		if p, err := exec.LookPath(c); err == nil && compiler == "" {
			compiler = p
		}
	}
	if compiler == "" {
		t.Skip("no C compiler at hand: the device's side in C is not tested")
	}
	// What the compiler reads this test must open as well: the result that go test keeps is only good for the files that it saw.
	all, err := filepath.Glob("c/*.[ch]")
	if err != nil || len(all) == 0 {
		t.Fatalf("%d sources, %v", len(all), err)
	}
	for _, source := range all {
		if _, err := os.ReadFile(source); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(t.TempDir(), name)
	build := func(more ...string) ([]byte, error) {
		args := append([]string{"-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wconversion", "-O1", "-g", "-o", program}, more...)
		return exec.CommandContext(t.Context(), compiler, append(args, sources...)...).CombinedOutput()
	}
	if slices.Contains(sources, "-c") { // nobody runs it
		if out, err := build(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return program
	}
	out, err := build("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
	if err != nil && strings.Contains(string(out), "asan") {
		t.Log("without sanitizers: the compiler has none")
		out, err = build()
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

func TestDeviceInC(t *testing.T) {
	program := compileC(t, "godwit_test", "c/godwit_test.c", "c/godwit_aes.c")
	t.Run("vectors", func(t *testing.T) { testDeviceVectors(t, program) })
	t.Run("fuzz", func(t *testing.T) { testDeviceFuzz(t, program) })
	t.Run("histories", func(t *testing.T) { testDeviceHistories(t, program) })
	t.Run("fill", func(t *testing.T) { testDeviceFill(t, program) })
	t.Run("refusals", func(t *testing.T) { testDeviceRefusals(t, program) })
	t.Run("session", func(t *testing.T) { testDeviceSession(t, program) })
	t.Run("step logs", func(t *testing.T) { testDeviceStepLogs(t, program) })
	t.Run("texts", func(t *testing.T) { testDeviceTexts(t, program) })
	t.Run("needs", func(t *testing.T) { testDeviceNeeds(t, program) })
	t.Run("fits", func(t *testing.T) { testDeviceFits(t, program) })
	t.Run("bases", func(t *testing.T) { testDeviceBases(t, program) })
	t.Run("manifests", func(t *testing.T) { testDeviceManifests(t, program) })
}

// The switches of godwit.h leave out what they say, and what is left compiles without a warning and works.
func TestDeviceSwitchesInC(t *testing.T) {
	for _, c := range []struct {
		switches []string
		without  []string
	}{
		{[]string{"-DGODWIT_NO_JOIN"}, []string{"godwit_send_join"}},
		{[]string{"-DGODWIT_NO_FILL"}, []string{"godwit_fill", "godwit_billed"}},
		{[]string{"-DGODWIT_NO_FRAGMENTS"}, []string{"godwit_assemble", "godwit_send_fragment"}},
		{[]string{"-DGODWIT_NO_MANIFEST"}, []string{"godwit_manifest", "manifest_rules"}},
		{
			[]string{"-DGODWIT_NO_JOIN", "-DGODWIT_NO_FRAGMENTS", "-DGODWIT_NO_MANIFEST", "-DGODWIT_NO_DELTA", "-DGODWIT_HMAC"},
			[]string{"godwit_send_join", "godwit_fill", "godwit_manifest", "godwit_assemble", "godwit_send_fragment", "sha256_k"},
		},
	} {
		b, err := os.ReadFile(compileC(t, "godwit.o", append(c.switches, "-c", "c/godwit.c")...))
		if err != nil {
			t.Fatal(err)
		}
		for _, symbol := range c.without {
			if bytes.Contains(b, []byte(symbol)) {
				t.Errorf("%v: %s is there", c.switches, symbol)
			}
		}
		if !bytes.Contains(b, []byte("godwit_receive")) {
			t.Errorf("%v leave out more than they say", c.switches)
		}
	}
	keyframes := compileC(t, "godwit_test", "-DGODWIT_NO_DELTA", "c/godwit_test.c", "c/godwit_aes.c")
	runVectors(t, keyframes, "keyframe", "hello", "step-log")
	fuzzC(t, keyframes, "20000")
	// The HMAC that stands for that of a firmware is the one that it leaves out, in a second copy of everything, of which the linker takes what the first lacks.
	hmac := filepath.Join(t.TempDir(), "hmac.c")
	const source = `#undef GODWIT_HMAC
#include "godwit.c"
void godwit_hmac(uint8_t key[32], const uint8_t *data, size_t n);
void godwit_hmac(uint8_t key[32], const uint8_t *data, size_t n) { hmac(key, data, n); }
`
	if err := os.WriteFile(hmac, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	program := compileC(t, "godwit_test", "-DGODWIT_HMAC", "-Ic", "-Wl,--allow-multiple-definition", "c/godwit_test.c", "c/godwit_aes.c", hmac)
	runVectors(t, program, "derive", "ack", "join", "rekey", "reassembly")
}

// runVectors runs the vectors of these operations.
func runVectors(t *testing.T, program string, operations ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program, append([]string{"vectors"}, vectorFiles(t, operations...)...)...).CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("vectors run")) {
		t.Errorf("%v\n%s", err, out)
	}
}

// vectorFiles are the files of the vectors with one of the operations, of all if there is none.
func vectorFiles(t *testing.T, operations ...string) []string {
	t.Helper()
	var files []string
	for _, v := range readVectors(t) {
		if len(operations) == 0 || slices.Contains(operations, v.get("operation")) {
			files = append(files, filepath.Join(vectorDir, v.name+".txt"))
		}
	}
	return files
}

// Every vector is run by the device in C, but for those that it has no use for: uplinks and templates that must be refused, which it never reads, and
// what it never writes. A delta or a batch gets lines of what its base says, so that the device can write that first.
func testDeviceVectors(t *testing.T, program string) {
	t.Helper()
	read := []string{"keyframe", "delta", "batch", "step-log", "hello", "open-status", "alarm", "template"} // by the gateway alone
	never := []string{"hello-pairs", "hello-unknown", "hello-full"}                                         // keys of a later version, a counter above 2^32
	dir := t.TempDir()
	vectors := readVectors(t)
	args := []string{"vectors"}
	var wantLeft []string
	for _, v := range vectors {
		if v.get("expect") == "ok" {
			v = v.given(t)
		} else if slices.Contains(read, v.get("operation")) {
			wantLeft = append(wantLeft, v.name)
		}
		path := filepath.Join(dir, v.name+".txt")
		if err := os.WriteFile(path, []byte(v.text()), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	wantLeft = append(wantLeft, never...)
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	var left []string
	for line := range strings.Lines(string(out)) {
		if path, ok := strings.CutPrefix(line, "not run: "); ok {
			left = append(left, strings.TrimSuffix(filepath.Base(strings.TrimSpace(path)), ".txt"))
		} else {
			t.Log(strings.TrimSpace(line))
		}
	}
	slices.Sort(left)
	slices.Sort(wantLeft)
	if d := cmp.Diff(wantLeft, left); d != "" {
		t.Errorf("not run: %s", d)
	}
	if run := fmt.Sprintf("%d vectors run", len(vectors)-len(left)); !strings.Contains(string(out), run) {
		t.Errorf("want %s", run)
	}
}

// given is the vector with what each link of its base says: lines given-status, and given with the link.
func (v *vector) given(t *testing.T) vector {
	t.Helper()
	out := vector{name: v.name, input: v.input}
	links := strings.Fields(v.get("base"))
	if op := v.get("operation"); len(links) == 0 || op != "delta" && op != "batch" {
		return *v
	}
	tm, _, ref := v.base(t)
	var state codec.State
	var given [][2]string
	for _, link := range links {
		b, err := hex.DecodeString(strings.Replace(link, ":", "", 1))
		if err != nil {
			t.Fatal(err)
		}
		statuses, err := decodePacked(tm, &state, codec.Header(b[0]), b[1:], ref)
		if err != nil {
			t.Fatalf("%s: base %s: %v", v.name, link, err)
		}
		for i := range statuses {
			given = append(given, [2]string{"given-status", describe(tm, &statuses[i])})
		}
		given = append(given, [2]string{"given", link})
	}
	for _, h := range v.headers {
		if h[0] == "status" && given != nil {
			out.headers, given = append(out.headers, given...), nil
		}
		out.headers = append(out.headers, h)
	}
	return out
}

func testDeviceFuzz(t *testing.T, program string) {
	t.Helper()
	count := "200000"
	if testing.Short() {
		count = "50000"
	}
	fuzzC(t, program, count)
}

// fuzzC has the program mutate so many inputs, and write messages into buffers of any size.
func fuzzC(t *testing.T, program, count string) {
	t.Helper()
	args := append([]string{"fuzz", count}, vectorFiles(t, "ack", "open", "sequence", "join", "policy", "offer", "request", "time", "rekey", "template-set",
		"sleep", "fragment", "fragment-status", "manifest")...)
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// pipe is the C program at the other end of a pipe.
type pipe struct {
	in  io.Writer
	out *bufio.Reader
}

func startDevice(t *testing.T, program string) *pipe {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), program, "serve") // it ends with its input, behind the end of the test
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil || complaints.Len() > 0 {
			t.Errorf("%v\n%s", err, complaints.String())
		}
	})
	return &pipe{in: in, out: bufio.NewReaderSize(out, 1<<18)}
}

// asker is a test, of Go or of rapid.
type asker interface {
	failer
	Helper()
}

// ask sends a command and returns the answer.
func (p *pipe) ask(t asker, format string, args ...any) string {
	t.Helper()
	if _, err := fmt.Fprintf(p.in, format+"\n", args...); err != nil {
		t.Fatalf("%v", err)
	}
	line, err := p.out.ReadString('\n')
	if err != nil {
		t.Fatalf("answer to %s: %v", format, err)
	}
	return strings.TrimSuffix(line, "\n")
}

// Flags of a frame, as in godwit.h.
const (
	flagAddressed = 1
	flagMetered   = 2
	flagAsk       = 64
	flagKeyframe  = 8
)

// world is a device in C, the radio, and a gateway of this package.
type world struct {
	t        *rapid.T
	c        *pipe
	template *codec.Template
	now      time.Time // of the gateway
	ref      time.Time // of statuses: also before 1970 and beyond 2^32, which a device's clock may be at
	number   uint32
	key      [32]byte
	ctrBits  uint8
	tagLen   uint8

	memory string // permanent memory of the device
	lost   bool   // its content is, and the device did not join yet
	epoch  uint32 // of the device
	salt   []byte
	used   map[uint64]bool

	gw     session.Gateway
	states map[uint64]codec.State
	values map[uint64][]codec.Value // of the statuses after which these are
	status codec.Status             // the last
	down   uint64                   // next counter of a downlink
	late   []byte                   // an acknowledgement that was sent before
	old    *oldEpoch                // what the device left, if it remembers that
	random uint32
	run    int // statuses since the last one that needs no base
	count  map[string]int
}

// oldEpoch is the epoch before the device's own.
type oldEpoch struct {
	epoch uint32
	salt  []byte
	down  uint64
	ack   []byte
}

func testDeviceHistories(t *testing.T, program string) {
	t.Helper()
	c := startDevice(t, program)
	count := make(map[string]int)
	rapid.Check(t, func(t *rapid.T) {
		w := &world{
			t: t, c: c, template: drawTemplate(t), now: time.Unix(1_800_000_000, 0).UTC(),
			ref:    time.Unix(rapid.SampledFrom([]int64{1_800_000_000, -1_000_000_020, 0, 1 << 33}).Draw(t, "time of statuses"), 0).UTC(),
			number: rapid.SampledFrom([]uint32{0, 7, 255, 70000, 1<<32 - 1}).Draw(t, "number"), key: testDevice(),
			ctrBits: rapid.SampledFrom([]uint8{8, 16}).Draw(t, "ctr bits"), tagLen: rapid.SampledFrom([]uint8{4, 8}).Draw(t, "tag"), memory: "-",
			count: count,
		}
		_, w.status = drawStatus(t, w.template, w.ref)
		w.begin()
		if got := c.ask(t, "template %x", w.template.Canonical()); got != fmt.Sprint(len(w.template.Fields())) {
			t.Fatalf("template: %s", got)
		}
		w.boot()
		w.persist()
		for range rapid.IntRange(20, 120).Draw(t, "steps") {
			w.step()
		}
	})
	for _, what := range []string{"delta", "batch", "fill", "went along", "grew", "held value", "accepted at once", "challenged", "rekeyed", "large downlink", "large uplink", "message of the previous epoch", "acknowledgement of the previous epoch"} {
		if count[what] == 0 && !testing.Short() { // a fifth of the histories does not have the rare ones each time
			t.Errorf("no history had this: %s", what)
		}
	}
	t.Logf("%v", count)
}

// begin is what a new epoch makes of all that is counted.
func (w *world) begin() {
	w.used, w.states, w.values, w.down, w.late = make(map[uint64]bool), make(map[uint64]codec.State), make(map[uint64][]codec.Value), 0, nil
}

// enter follows the device into an epoch.
func (w *world) enter(epoch uint32, salt []byte) {
	w.old = nil
	if !w.lost {
		w.old = &oldEpoch{epoch: w.epoch, salt: w.salt, down: w.down, ack: w.late}
	}
	w.epoch, w.salt, w.lost = epoch, salt, false
	w.begin()
}

// pending reports whether the gateway did not hear the device in its epoch yet.
func (w *world) pending() bool { return w.gw.Role == session.Pending && w.gw.Second.Number == w.epoch }

// counters are those of the device's epoch.
func (w *world) counters() *session.Counters {
	if w.pending() {
		return &w.gw.Second.Counters
	}
	return &w.gw.Current.Counters
}

func (w *world) boot() {
	w.t.Helper()
	want := "0"
	if w.memory == lostMemory {
		want = "-5"
	}
	w.run = 0
	if got := w.c.ask(w.t, "boot %d %x %d %d %s", w.number, w.key, w.ctrBits, w.tagLen, w.memory); got != want {
		w.t.Fatalf("boot: %s, want %s", got, want)
	}
}

// lostMemory is what a permanent memory holds that lost its content.
var lostMemory = strings.Repeat("ff", 80)

func (w *world) step() {
	switch what := rapid.IntRange(0, 59).Draw(w.t, "what"); what {
	case 0:
		w.boot()
	case 1: // power goes when the record is written: the device knows nothing of it
		if r := w.c.ask(w.t, "record"); r != "-" {
			w.memory = r
		}
		w.boot()
	case 2, 3:
		w.message()
	case 4:
		w.hello()
	case 5, 9:
		w.rekey()
	case 8:
		w.join()
	case 6, 7:
		w.batch()
	case 11:
		w.largeDown()
	case 15, 17, 19:
		w.fill()
	case 13:
		w.largeUp()
	case 21:
		w.gap()
	default:
		if w.measure(); what%2 == 0 {
			w.acknowledge()
		}
	}
	w.persist()
}

// persist writes what the device wants to have in permanent memory.
func (w *world) persist() {
	if r := w.c.ask(w.t, "record"); r != "-" {
		w.memory = r
		w.c.ask(w.t, "stored")
	}
}

// frame sends what the device answered with. It returns nil if the radio lost it, or if it is beyond what a counter of 8 bits can bridge.
func (w *world) frame(answer string, flags int) (h codec.Header, counter uint64, plaintext []byte) {
	w.t.Helper()
	var text string
	if _, err := fmt.Sscanf(answer, "frame %d %s", &counter, &text); err != nil {
		w.t.Fatalf("%s: %v", answer, err)
	}
	if w.used[counter] { // F-022
		w.t.Fatalf("counter %d is used twice", counter)
	}
	w.used[counter] = true
	raw, err := hex.DecodeString(text)
	if err != nil {
		w.t.Fatal(err)
	}
	item, rest, err := codec.NextItem(raw)
	if err != nil || len(rest) > 0 || (item.Form == codec.FormAddressed) != (flags&flagAddressed != 0) || item.CID != 0 && item.CID != w.number {
		w.t.Fatalf("%x: %v", raw, err)
	}
	h = codec.Header(item.Content[0])
	if h.Kind() == codec.KindKeyframe || h.Kind() != codec.KindExtended && h.Base() == 0 {
		w.run = 0
	} else if h.Kind() != codec.KindExtended {
		w.run++
	}
	cipher, tag := w.cipher(h, flags)
	s, err := codec.ParseSealed(item.Content, w.ctrBits, tag)
	if err != nil {
		w.t.Fatal(err)
	}
	plaintext, err = cipher.Open([]byte{}, &s, w.position(counter))
	if err != nil {
		w.t.Fatalf("counter %d: %v", counter, err)
	}
	if again := w.item(h, counter, plaintext, flags); !bytes.Equal(again, raw) {
		w.t.Fatalf("%x, want %x", raw, again)
	}
	if rapid.IntRange(0, 3).Draw(w.t, "lost") == 0 {
		return h, counter, nil
	}
	if have := w.counters(); codec.CompleteCounter(s.CTR, s.CTRBits, have.Highest, have.Seen) != counter {
		return h, counter, nil
	}
	w.gw.Accept(w.pending(), counter, w.now)
	return h, counter, plaintext
}

// cipher is what a frame is sealed with that goes out so, and the length of its tag.
func (w *world) cipher(h codec.Header, flags int) (*codec.Cipher, uint8) {
	tag, label := uint8(8), codec.LabelUp8
	if h.Kind() != codec.KindExtended && flags&flagMetered != 0 && w.tagLen == 4 {
		tag, label = 4, codec.LabelUp4
	}
	return codec.NewCipher(codec.DeriveSealKey(&w.key, w.salt, label, w.number, w.epoch)), tag
}

func (w *world) position(counter uint64) codec.Position {
	return codec.Position{Number: w.number, Epoch: w.epoch, Counter: counter}
}

// item is what the device sends to say this.
func (w *world) item(h codec.Header, counter uint64, plaintext []byte, flags int) []byte {
	w.t.Helper()
	cipher, tag := w.cipher(h, flags)
	item, err := cipher.AppendSealed(nil, h, w.position(counter), w.ctrBits, tag, plaintext)
	if err != nil {
		w.t.Fatal(err)
	}
	if flags&flagAddressed != 0 {
		item = codec.AppendAddressed(nil, w.number, item)
	}
	return item
}

// flags draws how a frame goes out.
func (w *world) flags() int {
	return rapid.SampledFrom([]int{0, flagAddressed}).Draw(w.t, "addressed") | rapid.SampledFrom([]int{0, flagMetered}).Draw(w.t, "metered")
}

// words is a status as a command says it.
func (w *world) words(s *codec.Status) string {
	number := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	out := []string{"-"}
	if s.ClockValid {
		out[0] = fmt.Sprint(s.Time.Unix())
	}
	r := &s.Rare
	out = append(out, fmt.Sprint(number(r.Present), r.VersionIndex, r.Build, number(r.BootChanged), number(r.HasStep), r.Step, r.StepCode, number(r.HasPolicy), r.Policy))
	for i, f := range w.template.Fields() {
		switch v := s.Values[i]; v.State {
		case codec.NotMeasured:
			out = append(out, "-")
		case codec.Saturated: // F-031: any value above the range
			out = append(out, fmt.Sprint(f.Offset+top(&f)+int64(i)))
		default:
			out = append(out, fmt.Sprint(v.Raw))
		}
	}
	return strings.Join(out, " ")
}

// same compares a status with what it should be.
func (w *world) same(got, want *codec.Status) {
	w.t.Helper()
	want.AckAsked = got.AckAsked
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		w.t.Fatal(d)
	}
}

func (w *world) measure() {
	in, want := evolve(w.t, w.template, &w.status, w.ref)
	bands, truth := w.hold(&in, &want)
	w.status = want
	flags := w.flags() | rapid.SampledFrom([]int{0, 0, 0, flagAsk, flagKeyframe}).Draw(w.t, "asks")
	slot := rapid.Uint8Range(0, 6).Draw(w.t, "slot")
	h, counter, plaintext := w.frame(w.c.ask(w.t, "status %d %d 1000 %s", flags, slot, w.words(&in)), flags)
	if h.Slot() != slot || flags&(flagAsk|flagKeyframe) != 0 && h.Kind() != codec.KindKeyframe {
		w.t.Fatalf("header %02x", byte(h))
	}
	if plaintext == nil {
		return
	}
	var got codec.Status
	var after codec.State
	if h.Kind() == codec.KindKeyframe {
		if err := w.template.DecodeKeyframe(&got, h, plaintext, w.ref); err != nil {
			w.t.Fatal(err)
		}
		if got.AckAsked != (flags&flagAsk != 0) {
			w.t.Fatal("asks, or does not")
		}
		after.SetKeyframe(w.template, &got)
	} else {
		distance := w.base(&after, h, counter, plaintext)
		if err := w.template.DecodeDelta(&got, &after, h, plaintext, w.ref); err != nil {
			w.t.Fatal(err)
		}
		w.count["delta"]++
		if held := bands.Hold(nil, w.template, w.values[counter-distance], truth); !slices.Equal(held, want.Values) {
			w.t.Fatalf("deadbands %v made %v of %v, want %v", bands, want.Values, truth, held)
		}
	}
	w.same(&got, &want)
	w.states[counter], w.values[counter] = after, got.Values
}

// hold has the device put deadbands on a status (F-067): each value that it does not send as it is is nearer to that than the deadband of its field.
func (w *world) hold(in, want *codec.Status) (bands session.Deadbands, truth []codec.Value) {
	w.t.Helper()
	bands, truth = make(session.Deadbands), slices.Clone(want.Values)
	in.Values, want.Values = slices.Clone(in.Values), slices.Clone(want.Values)
	if !rapid.Bool().Draw(w.t, "deadbands") {
		return bands, truth
	}
	for i := range w.template.Fields() {
		if in.Values[i].State != codec.Measured || want.Values[i] != in.Values[i] {
			continue
		}
		band := rapid.SampledFrom([]uint32{0, 1, 2, 10, 1 << 20, 1<<32 - 1}).Draw(w.t, "band")
		bands[w.template.Fields()[i].ID] = band
		was := in.Values[i].Raw
		held, err := strconv.ParseInt(w.c.ask(w.t, "hold %d %d %d", i, band, was), 10, 64)
		if err != nil || held != was && max(held-was, was-held) >= int64(band) {
			w.t.Fatalf("%d becomes %d with a deadband of %d, %v", was, held, band, err)
		}
		if far := w.c.ask(w.t, "hold %d %d %d", i, band, int64(math.MaxInt64)); far != strconv.Itoa(math.MaxInt64) { // what is beyond all that can be said is held nowhere
			w.t.Fatalf("%d becomes %s with a deadband of %d", int64(math.MaxInt64), far, band)
		}
		if in.Values[i].Raw, want.Values[i].Raw = held, held; held != was {
			w.count["held value"]++
		}
	}
	return bands, truth
}

// base finds the state that a frame is counted from, which the gateway must have: the device may take no other (F-131).
func (w *world) base(s *codec.State, h codec.Header, counter uint64, plaintext []byte) (back uint64) {
	w.t.Helper()
	distance, _, err := codec.DeltaBase(h, plaintext)
	if err != nil {
		w.t.Fatal(err)
	}
	if distance == 0 {
		return 0
	}
	base, ok := w.states[counter-uint64(distance)]
	if !ok {
		w.t.Fatalf("counter %d has a base %d before, which never arrived", counter, distance)
	}
	s.CopyFrom(&base)
	return uint64(distance)
}

// readings are so many that follow the last one: as the gateway has to take them, and as a command says them.
func (w *world) readings(n int) (want []codec.Status, words []string) {
	for range n {
		in, next := evolve(w.t, w.template, &w.status, w.ref)
		w.status = next
		want, words = append(want, next), append(words, w.words(&in))
	}
	return want, words
}

func (w *world) batch() {
	want, words := w.readings(rapid.IntRange(2, 6).Draw(w.t, "count"))
	flags := w.flags()
	h, counter, plaintext := w.frame(w.c.ask(w.t, "batch %d 1 3000 %d %s", flags, len(want), strings.Join(words, " ")), flags)
	if plaintext == nil {
		return
	}
	w.take(h, counter, plaintext, want)
	w.count["batch"]++
}

func (w *world) message() {
	body := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(w.t, "body")
	flags := w.flags() | rapid.SampledFrom([]int{0, flagAsk}).Draw(w.t, "asks")
	h, _, plaintext := w.frame(w.c.ask(w.t, "send %d %d 400 %x ", flags, codec.MessageUser, body), flags)
	if plaintext != nil && (h.Base() != uint8(flags/flagAsk) || plaintext[0] != byte(codec.MessageUser) || !bytes.Equal(plaintext[1:], body)) {
		w.t.Fatalf("message %x, want %x", plaintext, body)
	}
}

// gap is so many frames without an acknowledgement that what was a base before is none any more, and a queue behind them.
func (w *world) gap() {
	for range rapid.IntRange(0, 3).Draw(w.t, "statuses") {
		w.measure()
		w.persist()
	}
	for range codec.DistanceMax {
		w.frame(w.c.ask(w.t, "send 0 %d 100 aa", codec.MessageUser), 0)
		w.persist()
	}
	w.fill()
}

func (w *world) hello() {
	want := codec.Hello{
		Version: "1.2.3", Product: "buoy", Build: rapid.SliceOfN(rapid.Byte(), 1, 32).Draw(w.t, "build"), Links: []string{"udp", "sms"},
		BootCount: rapid.Uint32().Draw(w.t, "boots"), FreeMemory: rapid.Uint64Range(0, 1<<32-1).Draw(w.t, "memory"),
		Templates: []codec.TemplateHash{w.template.Hash()},
	}
	flags := w.flags()
	var plaintext []byte
	_, want.Counter, plaintext = w.frame(w.c.ask(w.t, "hello %d %d %d %s %s %x", flags, want.BootCount, want.FreeMemory, want.Version, want.Product, want.Build), flags)
	if plaintext == nil {
		return
	}
	if again, err := codec.AppendHello(nil, &want); err != nil || !bytes.Equal(again, plaintext) {
		w.t.Fatalf("hello %x, want %x, %v", plaintext, again, err)
	}
}

// acknowledge says what arrived; a frame may be acknowledged again and again, and a changed acknowledgement is refused.
func (w *world) acknowledge() {
	ack, ok := w.counters().Ack()
	if !ok {
		return
	}
	key := codec.DeriveAckKey(&w.key, w.salt, w.number, w.epoch)
	frame := codec.AppendAck(nil, &key, w.number, w.epoch, ack)
	if got, want := w.c.ask(w.t, "receive %x", frame), fmt.Sprintf("ack %d %d;", ack.Counter, ack.Bitmap); got != want {
		w.t.Fatalf("%s, want %s", got, want)
	}
	if len(w.late) > 0 {
		if got := w.c.ask(w.t, "receive %x", w.late); !strings.HasPrefix(got, "ack ") {
			w.t.Fatalf("late: %s", got)
		}
	}
	w.late = frame
	if w.old != nil && len(w.old.ack) > 0 { // F-119
		if got := w.c.ask(w.t, "receive %x", w.old.ack); !strings.HasPrefix(got, "ack previous ") {
			w.t.Fatalf("of the previous epoch: %s", got)
		}
		w.count["acknowledgement of the previous epoch"]++
	}
	changed := bytes.Clone(frame)
	changed[rapid.IntRange(2, len(frame)-1).Draw(w.t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(w.t, "bit")
	if got := w.c.ask(w.t, "receive %x", changed); !strings.HasPrefix(got, "err ") {
		w.t.Fatalf("changed: %s", got)
	}
}

// downlink seals a message to the device and checks that it is taken once.
func (w *world) downlink(plaintext []byte, want string) {
	w.t.Helper()
	epoch, salt, down, previous := w.epoch, w.salt, &w.down, ""
	if w.old != nil && plaintext[0] == byte(codec.MessageUser) && rapid.Bool().Draw(w.t, "previous") { // F-119
		epoch, salt, down, previous = w.old.epoch, w.old.salt, &w.old.down, " previous"
		w.count["message of the previous epoch"]++
	}
	*down += rapid.SampledFrom([]uint64{0, 0, 1, 30000, 32768}).Draw(w.t, "skipped")
	slot := uint8(0)
	if rapid.IntRange(0, 3).Draw(w.t, "whole counter") == 0 { // F-123
		slot = 1
		*down += rapid.SampledFrom([]uint64{0, 1 << 16, 1 << 33}).Draw(w.t, "leap")
	}
	p := codec.Position{Direction: codec.Down, Number: w.number, Epoch: epoch, Counter: *down}
	frame := w.seal(codec.MakeHeader(codec.KindExtended, slot, 0), salt, p, plaintext)
	*down++
	changed := bytes.Clone(frame)
	changed[rapid.IntRange(1, len(frame)-1).Draw(w.t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(w.t, "bit")
	if got := w.c.ask(w.t, "receive %x", changed); !strings.HasPrefix(got, "err ") {
		w.t.Fatalf("changed: %s", got)
	}
	if got, want := w.c.ask(w.t, "receive %x", frame), fmt.Sprintf("message%s %d %s;", previous, p.Counter, want); got != want {
		w.t.Fatalf("%s, want %s", got, want)
	}
	w.persist()
	if rapid.Bool().Draw(w.t, "restart") {
		w.boot()
	}
	if got := w.c.ask(w.t, "receive %x", frame); !strings.HasPrefix(got, "err -") {
		w.t.Fatalf("again: %s", got)
	}
}

// seal seals a downlink.
func (w *world) seal(h codec.Header, salt []byte, p codec.Position, plaintext []byte) []byte {
	w.t.Helper()
	cipher := codec.NewCipher(codec.DeriveSealKey(&w.key, salt, codec.LabelDown, w.number, p.Epoch))
	frame, err := cipher.AppendSealed(nil, h, p, 16, 8, plaintext)
	if err != nil {
		w.t.Fatal(err)
	}
	return frame
}

// rekey sends bytes of the application, or begins an epoch.
func (w *world) rekey() {
	if rapid.IntRange(0, 3).Draw(w.t, "rekey") > 0 {
		body := rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(w.t, "body")
		w.downlink(append([]byte{byte(codec.MessageUser)}, body...), fmt.Sprintf("%d %x", codec.MessageUser, body))
		return
	}
	w.gw.Allocated += rapid.Uint32Range(0, 1000).Draw(w.t, "epochs passed over")
	next, ok := w.gw.Rekey([session.SaltLen]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(w.t, "salt")))
	if !ok {
		w.t.Fatal("no epochs left")
	}
	plaintext, err := codec.AppendRekey(nil, &next)
	if err != nil {
		w.t.Fatal(err)
	}
	if next.Epoch == w.epoch { // the device is there already (F-116, F-117)
		w.downlink(plaintext, fmt.Sprintf("%d %x -1", codec.MessageRekey, plaintext[1:]))
		return
	}
	w.downlink(plaintext, fmt.Sprintf("%d %x 0", codec.MessageRekey, plaintext[1:]))
	w.enter(next.Epoch, next.Salt[:])
	w.count["rekeyed"]++
}

// testDeviceRefusals is what a device must not do, and what it must notice.
func testDeviceRefusals(t *testing.T, program string) {
	t.Helper()
	c := startDevice(t, program)
	key := testDevice()
	boot := func(record string) string { return c.ask(t, "boot 7 %x 16 8 %s", key, record) }
	want := func(got, want, what string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	want(boot("-"), "0", "a new device")
	want(c.ask(t, "send 0 3 100 aa"), "err -3", "F-028: a counter that is not in permanent memory")
	record := c.ask(t, "record")
	want(c.ask(t, "send 0 3 100 aa"), "err -3", "F-028: a counter of which nobody said that it is in permanent memory")
	c.ask(t, "stored")
	want(c.ask(t, "send 0 1 100 aa"), "err -1", "F-015: a hello without its whole counter")
	want(c.ask(t, "send 0 3 16 aa"), "err -2", "a buffer that is smaller than any frame's")
	want(c.ask(t, "send 0 3 25 aabb"), "err -2", "a buffer that is too small")
	want(c.ask(t, "status 0 0 3 - 0 0 0 0 0 0 0 0 0 1"), "err -2", "a status into next to nothing")
	if got := c.ask(t, "send 0 3 25 aa"); !strings.HasPrefix(got, "frame 0 ") {
		t.Errorf("the smallest buffer: %s", got)
	}
	c.ask(t, "template 8501010083000040818b01656c6576656c626d6d0100000cf4000083000040")
	for i := range 20 { // a buffer is large enough for a status if it has room for the plaintext and GODWIT_OVERHEAD, and not if it has less
		size, got := 22, "err -2"
		for ; got == "err -2"; size++ {
			got = c.ask(t, "status 0 0 %d - 0 0 0 0 0 0 0 0 0 %d", size+1, 4095-i*i)
		}
		var counter, n int
		var frame string
		if _, err := fmt.Sscanf(got, "frame %d %s", &counter, &frame); err != nil {
			t.Fatalf("%s: %v", got, err)
		}
		if n = len(frame)/2 - 12; n != size-23 { // head, header, counter, tag
			t.Errorf("%d bytes fit into no less than %d", n, size)
		}
		c.ask(t, "delivered %d", counter)
	}
	for i := range len(record) {
		changed := []byte(record)
		changed[i] = "0123456789abcdef"[(strings.IndexByte("0123456789abcdef", changed[i])+1)%16]
		want(boot(string(changed)), "-5", "a damaged record")
	}
	want(boot(strings.Repeat("ff", len(record)/2)), "-5", "erased flash")
	want(boot(record), "0", "the record as it was written")
	c.ask(t, "record")
	c.ask(t, "stored")
	if got := c.ask(t, "send 0 3 100 aa"); !strings.HasPrefix(got, "frame 64 ") {
		t.Errorf("after a restart: %s", got)
	}
}
