package codec_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/codec"
)

// testDeviceSession is what a device must have in permanent memory before it speaks, whatever comes between a record and the word that it is stored (F-022, F-028), and
// what must not pass from one epoch to the next.
func testDeviceSession(t *testing.T, program string) {
	t.Helper()
	c := startDevice(t, program)
	const number = 7
	key := testDevice()
	want := func(got, want, what string) {
		t.Helper()
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	record := func() (r string) {
		t.Helper()
		if r = c.ask(t, "record"); r == "-" {
			t.Error("there is nothing to write")
		}
		return r
	}
	boot := func(bits int, record string) {
		t.Helper()
		want(c.ask(t, "boot %d %x %d 8 %s", number, key, bits, record), "0", "boot")
	}
	persist := func() string {
		t.Helper()
		r := record()
		c.ask(t, "stored")
		return r
	}
	down := func(slot uint8, counter uint64, plaintext ...byte) string {
		t.Helper()
		cipher := codec.NewCipher(codec.DeriveSealKey(&key, nil, codec.LabelDown, number, 0))
		p := codec.Position{Direction: codec.Down, Number: number, Counter: counter}
		frame, err := cipher.AppendSealed(nil, codec.MakeHeader(codec.KindExtended, slot, 0), p, 16, 8, plaintext)
		if err != nil {
			t.Fatal(err)
		}
		return c.ask(t, "receive %x", frame)
	}
	next := codec.Rekey{Epoch: 3, Salt: [16]byte{1, 2, 3}}
	rekey, err := codec.AppendRekey(nil, &next)
	if err != nil {
		t.Fatal(err)
	}
	for bits, ahead := range map[int]int{8: 16, 16: 64} {
		boot(bits, "-")
		boot(bits, persist())
		want(c.ask(t, "send 0 3 100 aa"), "err -3", "after a restart, before the record")
		persist()
		for i := range ahead {
			want(c.ask(t, "send 0 3 100 aa"), fmt.Sprintf("frame %d ", ahead+i), "after a restart")
		}
		want(c.ask(t, "send 0 3 100 aa"), "err -3", "counters that were not taken ahead")
	}

	boot(16, "-")
	record()
	want(down(0, 0, byte(codec.MessageUser), 1), "message 0 ", "between a record and its being stored")
	c.ask(t, "stored")
	boot(16, persist())
	want(down(0, 0, byte(codec.MessageUser), 1), "err ", "a message that was taken before the restart")

	boot(16, "-")
	record()
	want(down(0, 0, rekey...), "message 0 20 ", "a rekey between a record and its being stored")
	c.ask(t, "stored")
	want(c.ask(t, "send 0 3 100 aa"), "err -3", "F-117: an epoch that is not in permanent memory")
	persist()
	want(c.ask(t, "send 0 3 100 aa"), "frame 0 ", "F-117: an epoch that is")

	boot(16, "-")
	for slot := range uint8(2) {
		want(down(slot, 0), "err -5", "an authentic message without a type")
	}

	boot(16, "-")
	persist()
	want(down(0, 0, rekey...), "message 0 20 a20103", "a rekey")
	persist()
	want(c.ask(t, "send 0 3 100 aa"), "frame 0 ", "in the next epoch")
	if got := down(0, 1, rekey...); !strings.HasSuffix(got, " -1;") { // of the epoch before, and to the one that the device is in: its counters would begin again
		t.Errorf("F-117: the same rekey again: %s", got)
	}
	persist()
	want(c.ask(t, "send 0 3 100 aa"), "frame 1 ", "after the same rekey")

	// A challenge may be said again to the next attempt (F-111), not to the one that confirms it already (F-125).
	boot(16, "-")
	joins := codec.DeriveJoinKey(&key, number)
	for attempt := range uint32(2) {
		c.ask(t, "join %d", attempt)
		persist()
		want(c.ask(t, "send-join 1 27"), "err -2", "a request into too small a buffer")
		want(c.ask(t, "send-join 1 28"), "join ", "a request")
		challenge := codec.AppendChallenge(nil, &joins, codec.Join{Number: number, Boot: attempt + 1, Random: attempt}, codec.Nonce{})
		want(c.ask(t, "receive %x", challenge), "challenge;", "a challenge")
		want(c.ask(t, "receive %x", challenge), "err -7;", "the same challenge")
	}

	for _, counter := range []uint64{40, 39, 38, 9, 8, 7, 41, 1<<32 - 1} {
		ack, covers := codec.Ack{Counter: 40, Bitmap: 1<<31 | 1}, "0"
		if ack.Covers(counter) {
			covers = "1"
		}
		want(c.ask(t, "covers %d %d %d", ack.Counter, ack.Bitmap, counter), covers, fmt.Sprintf("an acknowledgement of counters 40, 39 and 8 covers %d", counter))
	}

	// An answer ends an attempt for which silence was the reason (F-122), not one that must be (F-121).
	for used, said := range map[uint32]string{100: "err -1", 1 << 21: "join "} {
		boot(16, "-")
		c.ask(t, "used %d", used)
		c.ask(t, "join 5")
		persist()
		ack := codec.DeriveAckKey(&key, nil, number, 0)
		want(c.ask(t, "receive %x", codec.AppendAck(nil, &ack, number, 0, codec.Ack{Counter: uint64(used) - 1})), "ack ", "acknowledged")
		want(c.ask(t, "send-join 0"), said, fmt.Sprintf("an attempt to join after %d counters that is answered by an acknowledgement", used))
	}

	// Counters run out: a device should have joined long before (F-121), and says nothing more at their end (F-024).
	boot(16, "-")
	for used, due := range map[uint32]string{1<<21 - 1: "0", 1 << 21: "1", 1<<32 - 1: "1"} {
		c.ask(t, "used %d", used)
		want(c.ask(t, "due"), due, fmt.Sprintf("F-121: to join after %d counters", used))
	}
	c.ask(t, "used %d", uint32(1<<32-3))
	persist()
	for i := range 2 {
		want(c.ask(t, "send 0 3 100 aa"), fmt.Sprintf("frame %d ", 1<<32-3+i), "F-024: near the end")
	}
	want(c.ask(t, "send 0 3 100 aa"), "err -3", "F-024: at the end")
	want(c.ask(t, "record"), "-", "F-024: a record of more counters than there are")

	// Counters of two epochs name other frames: neither the base of the epoch before nor what was under way in it is one of the next.
	c.ask(t, "template 8501010083000040818b01656c6576656c626d6d0100000cf4000083000040")
	const status = "status 0 0 100 - 0 0 0 0 0 0 0 0 0 9"
	for _, acknowledged := range []bool{true, false} {
		boot(16, "-")
		persist()
		want(c.ask(t, status), "frame 0 4d40", "a keyframe")
		if acknowledged {
			c.ask(t, "delivered 0")
			want(c.ask(t, status), "frame 1 4b01", "a delta")
		}
		want(down(0, 0, rekey...), "message 0 20 ", "a rekey")
		persist()
		want(c.ask(t, "send 0 3 100 aa"), "frame 0 ", "in the next epoch")
		ack := codec.DeriveAckKey(&key, next.Salt[:], number, next.Epoch)
		want(c.ask(t, "receive %x", codec.AppendAck(nil, &ack, number, next.Epoch, codec.Ack{})), "ack 0 0;", "acknowledged")
		for i := 1; i < 3; i++ {
			want(c.ask(t, status), fmt.Sprintf("frame %d 4d40", i), fmt.Sprintf("a keyframe after a base was acknowledged %t", acknowledged))
		}
	}
}

// testDeviceBases is how far a base may be back (F-130), how often a status needs none (F-131), how many statuses a batch has (F-134), and what is held at a base (F-067).
func testDeviceBases(t *testing.T, program string) {
	t.Helper()
	c := startDevice(t, program)
	counter := 0
	begin := func() {
		t.Helper()
		c.ask(t, "template 8501010083000040818b01656c6576656c626d6d0100000cf4000083000040")
		c.ask(t, "boot 7 %x 16 8 -", testDevice())
		counter = 0
	}
	// send makes a frame and gives its header.
	send := func(format string, args ...any) codec.Header {
		t.Helper()
		c.ask(t, "record")
		c.ask(t, "stored")
		var got int
		var frame []byte
		answer := c.ask(t, format, args...)
		if _, err := fmt.Sscanf(answer[max(0, strings.Index(answer, "frame")):], "frame %d %x", &got, &frame); err != nil || got != counter {
			t.Fatalf("%s, want frame %d, %v", answer, counter, err)
		}
		item, _, err := codec.NextItem(frame)
		if err != nil {
			t.Fatal(err)
		}
		counter++
		return codec.Header(item.Content[0])
	}
	const one = "- 0 0 0 0 0 0 0 0 0 9"
	for distance, want := range map[int]codec.Kind{1: codec.KindDelta, 6: codec.KindDelta, 7: codec.KindDelta, 32: codec.KindDelta, 33: codec.KindKeyframe} {
		begin()
		send("status 0 0 100 %s", one)
		c.ask(t, "delivered 0")
		for range distance - 1 {
			send("send 0 3 100 aa")
		}
		if h := send("status 0 0 100 %s", one); h.Kind() != want || want == codec.KindDelta && h.Base() != uint8(min(distance, 7)) {
			t.Errorf("F-130: header %02x at distance %d", byte(h), distance)
		}
	}
	begin()
	for i := range 100 { // a batch counts as one, whatever it has; of a queue the keyframe goes alone, and no other
		format, kind := "status 0 0 100 %s", codec.KindDelta
		switch {
		case i > 0 && (i%32 == 0 || i%32 == 31):
			if format = "fill 0 0 100 0 0 0 2 2 %[1]s %[1]s"; i%32 != 0 {
				kind = codec.KindBatch
			}
		case i%5 == 4:
			format, kind = "batch 0 0 100 2 %[1]s %[1]s", codec.KindBatch
		}
		h := send(format, one)
		if i%32 == 0 && kind == codec.KindDelta {
			kind = codec.KindKeyframe
		}
		if h.Kind() != kind || (kind == codec.KindKeyframe || h.Base() == 0) != (i%32 == 0) {
			t.Errorf("F-131: header %02x of frame %d", byte(h), i)
		}
		c.ask(t, "delivered %d", i)
	}
	begin()
	for range 4 { // all that there are states for may be under way
		send("status 0 0 100 %s", one)
	}
	c.ask(t, "delivered 0")
	if h := send("status 0 0 100 %s", one); h.Base() != 4 {
		t.Errorf("header %02x, and the oldest of four has arrived", byte(h))
	}
	begin()
	for range 5 { // one more than there are states
		send("status 0 0 100 %s", one)
	}
	c.ask(t, "delivered 4")
	c.ask(t, "delivered 3")
	if h := send("status 0 0 100 %s", one); h.Base() != 1 {
		t.Errorf("header %02x, and a newer base is known", byte(h))
	}
	if h := send("batch 64 0 400 2 %[1]s %[1]s", one); h != codec.MakeHeader(codec.KindBatch, 0, 0) { // it cannot ask, and its lowest bit is of a base
		t.Errorf("header %02x of a batch that is to ask for an acknowledgement", byte(h))
	}
	for _, rare := range []string{"1 64 0 0 0 0 0 0 0", "1 0 0 0 1 16 0 0 0"} { // an index, a step
		if got := c.ask(t, "status 0 0 100 - %s 9", rare); got != "err -1" {
			t.Errorf("a rare block of %s: %s", rare, got)
		}
	}
	for _, count := range []int{0, 258} {
		if got := c.ask(t, "batch 0 0 3000 %d%s", count, strings.Repeat(" "+one, count)); got != "err -1" {
			t.Errorf("F-134: %s of %d statuses", got, count)
		}
	}
	if h := send("batch 0 0 3000 257%s", strings.Repeat(" "+one, 257)); h.Kind() != codec.KindBatch {
		t.Errorf("F-134: header %02x", byte(h))
	}
	for base, want := range map[int]string{4093: "4093", 4094: "4090", 5000: "4090"} { // the highest code says "at or above": nobody knows how far that is from a value
		begin()
		send("status 0 0 100 - 0 0 0 0 0 0 0 0 0 %d", base)
		c.ask(t, "delivered 0")
		if got := c.ask(t, "hold 0 100 4090"); got != want {
			t.Errorf("F-067: 4090 is held at %s where the base has %d, want %s", got, base, want)
		}
	}
}
