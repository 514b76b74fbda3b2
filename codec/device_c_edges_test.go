package codec_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/manifest"
)

// Messages of the device in C at their limits: step logs, texts, what an image needs, fragments that just fit.

// testDeviceStepLogs is any step log, byte for byte; of too many steps or a step that is none there is no log.
func testDeviceStepLogs(t *testing.T, program string) {
	t.Helper()
	c := startDevice(t, program)
	key := testDevice()
	cipher := codec.NewCipher(codec.DeriveSealKey(&key, nil, codec.LabelUp8, 7, 0))
	rapid.Check(t, func(t *rapid.T) {
		log := codec.StepLog{Rollout: rapid.Uint32().Draw(t, "rollout"), HasClock: rapid.Bool().Draw(t, "clock")}
		clock := "-"
		if log.HasClock {
			seconds := rapid.Int64Range(-1<<33, 1<<33).Draw(t, "time")
			log.Clock = uint16((seconds - ((seconds%60)+60)%60) / 60)
			clock = fmt.Sprint(seconds)
		}
		var words strings.Builder
		step := rapid.IntRange(0, 14)
		if rapid.IntRange(0, 9).Draw(t, "bad step") == 0 {
			step = rapid.Just(15)
		}
		ages := rapid.OneOf(rapid.Uint32Range(0, 1<<27), rapid.Map(rapid.IntRange(1, 27), func(bits int) uint32 { return 1<<bits - 1 }), rapid.Map(rapid.IntRange(0, 27), func(bits int) uint32 { return 1 << bits }))
		for range rapid.SampledFrom([]int{0, 1, 2, 3, 7, 64, 65}).Draw(t, "steps") {
			age := ages.Draw(t, "age")
			e := codec.StepEntry{
				Step: codec.UpdateStep(step.Draw(t, "step")), Code: rapid.Uint8().Draw(t, "code") >> rapid.IntRange(0, 7).Draw(t, "small"),
				Age: time.Duration(age) * time.Minute,
			}
			log.Steps = append(log.Steps, e)
			fmt.Fprintf(&words, " %d %d %d", e.Step, e.Code, age)
		}
		c.ask(t, "boot 7 %x 16 8 -", key)
		c.ask(t, "record")
		c.ask(t, "stored")
		got := c.ask(t, "steps 0 400 %d %s %d%s", log.Rollout, clock, len(log.Steps), words.String())
		plaintext, err := codec.AppendStepLog(nil, &log)
		want := "err -1"
		if err == nil {
			frame, err := cipher.AppendSealed(nil, codec.MakeHeader(codec.KindExtended, 0, 0), codec.Position{Number: 7}, 16, 8, plaintext)
			if err != nil {
				t.Fatal(err)
			}
			want = fmt.Sprintf("frame 0 %x", frame)
		}
		if got != want {
			t.Fatalf("%+v: %s, want %s", log, got, want)
		}
	})
}

// testDeviceTexts is what is text (F-041).
func testDeviceTexts(t *testing.T, program string) {
	t.Helper()
	c := startDevice(t, program)
	check := func(t asker, text []byte) {
		t.Helper()
		body := append([]byte{0xa1, 2, 0x81, 0x60 | byte(len(text))}, text...) // a policy with one bearer
		want := "-5"
		if utf8.Valid(text) {
			want = "0"
		}
		if got := c.ask(t, "read %d %x", codec.MessagePolicy, body); got != want {
			t.Fatalf("%x: %s, want %s", text, got, want)
		}
	}
	for first := range 256 {
		for _, more := range []byte{0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0} { // where ranges of the second byte begin and end
			for n := range 5 {
				check(t, append([]byte{byte(first)}, []byte{more, 0x80, 0xbf, 0x41}[:n]...))
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		check(t, []byte(rapid.StringOfN(rapid.Rune(), 0, -1, 23).Draw(t, "text")))
	})
}

// testDeviceNeeds is what an image needs (F-147).
func testDeviceNeeds(t *testing.T, program string) {
	t.Helper()
	c := startDevice(t, program)
	rapid.Check(t, func(t *rapid.T) {
		m := manifest.Manifest{Size: rapid.Uint64Range(1, 1<<40-1).Draw(t, "size"), InPlace: rapid.Bool().Draw(t, "in place")}
		m.Memory = rapid.OneOf(rapid.Just(uint64(0)), rapid.Uint64Range(1, 3*m.Size)).Draw(t, "memory")
		if got, want := c.ask(t, "need %d %d %t", m.Size, m.Memory, m.InPlace), fmt.Sprint(m.Need()); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	})
}

// testDeviceFits is a message in fragments of which the last is as long as the others or not, in any order, into a buffer that just holds it, and into one that does not.
func testDeviceFits(t *testing.T, program string) {
	t.Helper()
	c := startDevice(t, program)
	for n := 20; n < 200; n++ {
		message := bytes.Repeat([]byte{byte(codec.MessageUser)}, n)
		const room = 13
		s, err := codec.NewSplitter(1, message, room)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.ask(t, "parcel 1 %d %x", room, message); got != fmt.Sprint(s.Fragments()) {
			t.Errorf("%d bytes: %s fragments, want %d", n, got, s.Fragments())
		}
		need := n + 4 + (s.Fragments()+7)/8
		for _, backwards := range []bool{false, true} {
			for _, short := range []int{0, 1} {
				c.ask(t, "assembly %d", need-short)
				order := s.Missing(nil, s.Fragments())
				if backwards {
					slices.Reverse(order)
				}
				var answers []string
				for _, index := range order {
					plaintext, err := s.AppendPlaintext(nil, index)
					if err != nil {
						t.Fatal(err)
					}
					answers = append(answers, c.ask(t, "assemble %x", plaintext[1:]))
				}
				whole := fmt.Sprintf("2 %x", message)
				if got := answers[len(answers)-1]; short == 0 && got != whole || short == 1 && (slices.Contains(answers, whole) || !slices.Contains(answers, "-2")) {
					t.Errorf("%d bytes, backwards %t, %d too few: %s", n, backwards, short, strings.Join(answers, ", "))
				}
			}
		}
	}
	sum := sha256.Sum256([]byte{3, 1})
	c.ask(t, "assembly 100")
	if got := c.ask(t, "assemble 0100000301%x", sum[:4]); got != "-5" {
		t.Errorf("F-072: a message in one fragment: %s", got)
	}
	const room = 40
	for _, n := range []int{room - 1, room, room + 1} {
		want := "-1"
		if n > room {
			want = "2"
		}
		if got := c.ask(t, "parcel 1 %d %s", room, strings.Repeat("03", n)); got != want {
			t.Errorf("%d bytes for frames with room for %d: %s, want %s", n, room, got, want)
		}
	}
	c.ask(t, "boot 7 %x 16 8 -", testDevice())
	c.ask(t, "record")
	c.ask(t, "stored")
	c.ask(t, "parcel 1 %d %s", room, strings.Repeat("03", 3*room))
	var round []string
	for answer := ""; answer != "over"; round = append(round, answer) {
		answer = c.ask(t, "fragment 0 100")
	}
	c.ask(t, "probe") // what ended the round goes again, and nothing else: that costs money
	last, over := c.ask(t, "fragment 0 100"), c.ask(t, "fragment 0 100")
	if len(round) < 4 || over != "over" || len(last) != len(round[len(round)-2]) || len(last) == len(round[0]) {
		t.Errorf("a round of %q, and then %s, %s", round, last, over)
	}
	for _, about := range []int{24 * 36, 24*36 - 4, 256 * 34, 256*34 - 4} { // as many as a shorter head can count, and one more
		for n := about - 2; n <= about+2; n++ {
			message := bytes.Repeat([]byte{byte(codec.MessageUser)}, n)
			s, err := codec.NewSplitter(1, message, room)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.ask(t, "parcel 1 %d %x", room, message); got != fmt.Sprint(s.Fragments()) {
				t.Errorf("%d bytes: %s fragments, want %d", n, got, s.Fragments())
			}
		}
	}
}
