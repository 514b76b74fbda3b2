package codec_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
)

// Queues of statuses that the device in C brings into frames, as many as their bearer's bill pays for (F-135).

// fill brings the last statuses of a queue into a frame.
func (w *world) fill() {
	want, words := w.readings(rapid.IntRange(1, 30).Draw(w.t, "count"))
	bearer := session.Bearer{
		Quantum: rapid.SampledFrom([]int{0, 1, 10, 50, 140}).Draw(w.t, "quantum"),
		Minimum: rapid.SampledFrom([]int{0, 10, 30, 50}).Draw(w.t, "minimum"),
		Maximum: rapid.SampledFrom([]int{0, 50, 140, 340}).Draw(w.t, "maximum"),
	}
	due := rapid.OneOf(rapid.Just(1), rapid.IntRange(1, len(want))).Draw(w.t, "due")
	room := rapid.SampledFrom([]int{100, 160, 400, 3000}).Draw(w.t, "room")
	flags := w.flags() | rapid.SampledFrom([]int{0, 0, 0, 0, flagAsk, flagKeyframe}).Draw(w.t, "asks")
	alone := w.run >= 31 || flags&(flagAsk|flagKeyframe) != 0
	answer := w.c.ask(w.t, "fill %d 1 %d %d %d %d %d %d %s", flags, room, bearer.Quantum, bearer.Minimum, bearer.Maximum, due, len(want), strings.Join(words, " "))
	if answer == "err -2" { // not even the last fits alone
		h, counter, plaintext := w.frame(w.c.ask(w.t, "status %d 1 3000 %s", flags, words[len(words)-1]), flags)
		if plaintext == nil {
			return
		}
		if size := len(w.item(h, counter, plaintext, flags)); len(plaintext)+23 <= room && (bearer.Maximum == 0 || size <= bearer.Maximum) {
			w.t.Fatalf("%d bytes, and did not fit into %d, %+v", size, room, bearer)
		}
		w.take(h, counter, plaintext, want[len(want)-1:])
		return
	}
	var taken, left int
	if _, err := fmt.Sscanf(answer, "%d %d", &taken, &left); err != nil || taken < 1 || taken > len(want) || left != max(0, due-taken) {
		w.t.Fatalf("%s: %v", answer, err)
	}
	_, frame, _ := strings.Cut(answer, "frame ")
	h, counter, plaintext := w.frame("frame "+frame, flags)
	if plaintext == nil {
		return
	}
	var base *session.Base
	if h.Base() != 0 && h.Kind() != codec.KindKeyframe {
		base = new(session.Base)
		base.Distance = uint8(w.base(&base.State, h, counter, plaintext))
	}
	last := len(want) - 1
	want[last].AckAsked = flags&flagAsk != 0
	// of is the frame of the last n, whatever it costs.
	of := func(n int) session.Filled {
		f := session.Filler{Template: w.template, Slot: 1, Bearer: session.Bearer{Minimum: 1 << 20}}
		out, err := f.Frame(base, alone && base == nil, want[len(want)-n:last], &want[last])
		if err != nil {
			w.t.Fatal(err)
		}
		return out
	}
	if same := of(taken); same.Header != h || string(same.Plaintext) != string(plaintext) || alone && taken > 1 {
		w.t.Fatalf("%d readings: header %02x, %x, want %02x, %x", taken, byte(h), plaintext, byte(same.Header), same.Plaintext)
	}
	size := func(n int) int {
		f := of(n)
		return len(w.item(f.Header, counter, f.Plaintext, flags))
	}
	fits := func(n int) bool {
		if n > len(want) || alone && n > 1 {
			return false
		}
		return len(of(n).Plaintext)+23 <= room && (bearer.Maximum == 0 || size(n) <= bearer.Maximum)
	}
	switch {
	case !fits(taken):
		w.t.Fatalf("%d readings in %d bytes, too many for %d, %+v", taken, size(taken), room, bearer)
	case taken < due && fits(taken+1):
		w.t.Fatalf("%d readings of %d that are due, and one more fits", taken, due)
	case taken >= due && fits(due) && bearer.Billed(size(taken)) > bearer.Billed(size(due)):
		w.t.Fatalf("%d readings cost %d, those that are due %d", taken, bearer.Billed(size(taken)), bearer.Billed(size(due)))
	case taken >= due && fits(due) && fits(taken+1) && bearer.Billed(size(taken+1)) <= bearer.Billed(size(due)):
		w.t.Fatalf("%d readings of %d, and one more costs nothing: %d bytes, %+v", taken, len(want), size(taken+1), bearer)
	}
	w.take(h, counter, plaintext, want[len(want)-taken:])
	w.count["fill"]++
	if taken > due {
		w.count["went along"]++
	}
	if due > 1 && taken > 1 && bearer.Billed(size(taken)) > bearer.Billed(size(1)) {
		w.count["grew"]++
	}
}

// take reads a frame of statuses as the gateway does.
func (w *world) take(h codec.Header, counter uint64, plaintext []byte, want []codec.Status) {
	w.t.Helper()
	var after codec.State
	got := make([]codec.Status, 1)
	var err error
	switch h.Kind() {
	case codec.KindKeyframe:
		if err = w.template.DecodeKeyframe(&got[0], h, plaintext, w.ref); err == nil {
			after.SetKeyframe(w.template, &got[0])
		}
	case codec.KindDelta:
		w.base(&after, h, counter, plaintext)
		err = w.template.DecodeDelta(&got[0], &after, h, plaintext, w.ref)
	default:
		w.base(&after, h, counter, plaintext)
		got, err = w.template.DecodeBatch(nil, &after, h, plaintext, w.ref)
	}
	if err != nil || len(got) != len(want) {
		w.t.Fatalf("%d statuses, want %d, %v", len(got), len(want), err)
	}
	for i := range got {
		w.same(&got[i], &want[i])
	}
	w.states[counter], w.values[counter] = after, got[len(got)-1].Values
}

// testDeviceFill is what queues must not do, and how many readings go along on the bearers that there are.
func testDeviceFill(t *testing.T, program string) {
	t.Helper()
	c := startDevice(t, program)
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.SampledFrom([]int{0, 1, 2, 10, 50, 140, 65535})
		b := session.Bearer{Quantum: number.Draw(t, "quantum"), Minimum: number.Draw(t, "minimum")}
		n := rapid.IntRange(0, 70000).Draw(t, "n")
		if got := c.ask(t, "billed %d %d 0 %d", b.Quantum, b.Minimum, n); got != fmt.Sprint(b.Billed(n)) {
			t.Fatalf("%d bytes are billed for %s, want %d, %+v", n, got, b.Billed(n), b)
		}
	})
	boot := func() {
		t.Helper()
		if got := c.ask(t, "template 8501010083000040818b01656c6576656c626d6d0100000cf4000083000040"); got != "1" {
			t.Fatal(got)
		}
		c.ask(t, "boot 7 %x 16 8 -", testDevice())
		c.ask(t, "record")
		c.ask(t, "stored")
	}
	statuses := func(n int) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf("%d 0 0 0 0 0 0 0 0 0 %d", 1_800_000_000+600*i, 1000+i*i*7919%97)
		}
		return strings.Join(list, " ")
	}
	for _, tt := range []struct {
		name        string
		command     string // flags, slot, room, bearer, due, count
		count       int
		want        string // an error
		least, most int    // or so many readings
	}{
		{name: "nothing due", command: "0 0 400 0 0 0 0 3", count: 3, want: "err -1"},
		{name: "more due than there is", command: "0 0 400 0 0 0 4 3", count: 3, want: "err -1"},
		{name: "nothing at all", command: "0 0 400 0 0 0 1 0", want: "err -1"},
		{name: "nothing at all, and nothing due", command: "0 0 400 0 0 0 0 0", want: "err -1"},
		{name: "a slot that is reserved", command: "0 7 400 0 0 0 1 1", count: 1, want: "err -1"},
		{name: "no room", command: "0 0 22 0 0 0 1 1", count: 1, want: "err -2"},
		{name: "a message that is too small", command: "0 0 400 0 0 15 1 1", count: 1, want: "err -2"},
		{name: "a message that is just large enough", command: "0 0 400 0 0 16 1 1", count: 1, least: 1, most: 1},
		{name: "text message", command: "0 0 163 140 0 140 1 200", count: 200, least: 60, most: 150},
		{name: "credits of 50 bytes", command: "0 0 363 50 0 340 1 200", count: 200, least: 12, most: 40},
		{name: "at least 30 bytes", command: "0 0 363 1 30 340 1 200", count: 200, least: 3, most: 20},
		{name: "by the byte", command: "0 0 363 0 0 340 1 200", count: 200, least: 1, most: 1},
		{name: "by the byte, and they have to go", command: "0 0 1000 0 0 0 200 200", count: 200, least: 200, most: 200},
		{name: "by the byte, and some have to go", command: "0 0 1000 0 0 0 5 200", count: 200, least: 5, most: 8},
		{name: "credits, and they have to go", command: "0 0 363 50 0 340 200 200", count: 200, least: 150, most: 200},
		{name: "more than a batch has", command: "0 0 3000 0 0 0 260 260", count: 260, least: 257, most: 257},
		{name: "a keyframe that is wanted", command: "8 0 163 140 0 140 1 200", count: 200, least: 1, most: 1},
		{name: "an acknowledgement that is wanted", command: "64 0 163 140 0 140 1 200", count: 200, least: 1, most: 1},
	} {
		boot()
		got := c.ask(t, "fill %s %s", tt.command, statuses(tt.count))
		if tt.want != "" {
			if got != tt.want {
				t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
			}
			continue
		}
		var taken, left int
		if _, err := fmt.Sscanf(got, "%d %d frame 0 ", &taken, &left); err != nil || taken < tt.least || taken > tt.most {
			t.Errorf("%s: %s, want %d to %d readings, %v", tt.name, got, tt.least, tt.most, err)
		}
	}
	// What was only weighed was never sent: a frame of another kind that gets its counter is not taken for it.
	boot()
	for _, command := range []struct{ ask, want string }{
		{"status 0 0 100 " + statuses(1), "frame 0 "},
		{"fill 0 0 400 0 0 14 1 1 " + statuses(1), "err -2"},
		{"send 0 3 100 aa", "frame 1 "},
		{"delivered 1", "0"},
		{"status 0 0 100 " + statuses(1), "frame 2 4f40"}, // a keyframe
		{"delivered 2", "0"},
		{"status 0 0 100 " + statuses(1), "frame 3 4b01"}, // a delta
	} {
		if got := c.ask(t, "%s", command.ask); !strings.HasPrefix(got, command.want) {
			t.Errorf("%s: %s, want %s", command.ask, got, command.want)
		}
	}
	// A base that is too far back to be named is none, however often something is weighed, and whether a frame comes of it or not.
	after := func(commands ...string) (last string) {
		boot()
		gap := []string{"status 0 0 100 " + statuses(1), "delivered 0"}
		for range 3 { // the program has four states: the next one to be overwritten is that of the base
			gap = append(gap, "status 0 0 100 "+statuses(1))
		}
		for range codec.DistanceMax {
			gap = append(gap, "record", "stored", "send 0 3 100 aa")
		}
		for _, command := range append(gap, commands...) {
			last = c.ask(t, "%s", command)
		}
		return last
	}
	for _, tt := range []struct{ filled, plain []string }{
		{[]string{"fill 0 0 400 0 0 0 3 3 " + statuses(3)}, []string{"batch 0 0 400 3 " + statuses(3)}},
		{[]string{"fill 0 0 400 0 0 14 1 1 " + statuses(1), "send 0 3 100 aa", "status 0 0 100 " + statuses(1)}, []string{"send 0 3 100 aa", "status 0 0 100 " + statuses(1)}},
	} {
		if got, want := after(tt.filled...), after(tt.plain...); !strings.HasPrefix(want, "frame ") || !strings.HasSuffix(got, want) {
			t.Errorf("%s: %s, want %s", tt.filled, got, want)
		}
	}
}
