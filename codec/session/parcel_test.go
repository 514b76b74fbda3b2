package session_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
)

// restarted is a parcel as it comes back from permanent memory.
func restarted(t interface{ Fatal(...any) }, p *session.Parcel) *session.Parcel {
	q, err := session.ParseParcel(p.AppendState(nil))
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// F-073, F-076: whatever is lost, in whatever order it comes and whoever restarts, a message arrives once and whole, what arrived is not sent
// again, and it never costs more than its limits.
func TestParcelArrivesWithinItsLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		message := rapid.SliceOfN(rapid.Byte(), 101, 3000).Draw(t, "message")
		p, err := session.NewParcel(7, message, rapid.IntRange(40, 100).Draw(t, "room"))
		if err != nil {
			t.Fatal(err)
		}
		lossy := rapid.IntRange(0, 60).Draw(t, "percent lost")
		lost := func(what string) bool { return rapid.IntRange(0, 99).Draw(t, what) < lossy }
		var far codec.Reassembler
		now, all, sent, whole := time.Unix(0, 0), 0, map[uint16]int{}, 0
		var told codec.FragmentStatus // the last status that was not lost
		for !p.Done() && !p.Exhausted() {
			if rapid.IntRange(0, 9).Draw(t, "restart") == 0 {
				p = restarted(t, p)
			}
			index, last, ok := p.Next()
			if !ok {
				if !p.Probe() {
					t.Fatal("a parcel that is not at its end neither sends nor waits")
				}
				continue
			}
			if told.Has(index) {
				t.Fatalf("fragment %d goes again, which is known to be there", index)
			}
			p.Sent(index, last)
			sent[index]++
			all++
			b, err := p.AppendPlaintext(nil, index)
			if err != nil {
				t.Fatal(err)
			}
			if lost("fragment") {
				continue
			}
			f, err := codec.DecodeFragment(b[1:])
			if err != nil {
				t.Fatal(err)
			}
			if out := far.Add(now, &f); out.Outcome == codec.FragmentComplete {
				if whole++; !bytes.Equal(out.Message, message) {
					t.Fatal("another message came out")
				}
			}
			if st := far.Status(7); last && !lost("status") {
				if told = st; !p.Take(&st) {
					t.Fatal("did not take its status")
				}
			}
		}
		n, arrived := p.Fragments()
		if p.Left() != all {
			t.Fatalf("%d left, %d were counted", all, p.Left())
		}
		if p.Exhausted() {
			if _, _, ok := p.Next(); ok || p.Probe() {
				t.Fatal("goes on at its end")
			}
		}
		if all > 2*n+session.ParcelSpare {
			t.Fatalf("%d sent for %d fragments", all, n)
		}
		for index, times := range sent {
			if times > session.ParcelTries {
				t.Fatalf("fragment %d was sent %d times", index, times)
			}
		}
		switch {
		case lossy == 0 && (all != n || whole != 1):
			t.Fatalf("without loss %d sent for %d fragments, %d whole", all, n, whole)
		case p.Done() && (whole != 1 || arrived != n):
			t.Fatalf("done, but %d whole, %d of %d arrived", whole, arrived, n)
		}
	})
}

// Only what a status says is missing goes again.
func TestParcelRepeatsWhatIsMissing(t *testing.T) {
	p, err := session.NewParcel(1, bytes.Repeat([]byte{3}, 300), 60)
	if err != nil {
		t.Fatal(err)
	}
	round := func() (indices []uint16) {
		for {
			index, last, ok := p.Next()
			if !ok {
				return indices
			}
			p.Sent(index, last)
			if indices = append(indices, index); last {
				if _, _, ok := p.Next(); ok {
					t.Fatal("the round does not end with the fragment that asks")
				}
			}
		}
	}
	if got := round(); len(got) != 6 {
		t.Fatalf("sent %v", got)
	}
	if p.Take(&codec.FragmentStatus{Set: 2, Missing: 6}) || p.Done() {
		t.Error("took the status of another set")
	}
	p.Take(&codec.FragmentStatus{Set: 1, Missing: 1, Bitmap: []byte{0b101}}) // 0, 2 and 4 are there
	if got := round(); !equal(got, 1, 3, 5) {
		t.Errorf("sent %v", got)
	}
	if !p.Probe() || p.Exhausted() {
		t.Fatal("does not ask again")
	}
	if got := round(); !equal(got, 5) {
		t.Errorf("asked again with %v", got)
	}
	index, _, _ := p.Next()
	p.Take(&codec.FragmentStatus{Set: 1}) // the other side lost all it had
	if got := round(); len(got) != 6 || index != 0 {
		t.Errorf("sent %v", got)
	}
	p.Take(&codec.FragmentStatus{Set: 1, Missing: 6})
	if _, _, ok := p.Next(); ok || !p.Done() || p.Probe() {
		t.Error("goes on when all is there")
	}
}

func equal(got []uint16, want ...uint16) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		if got[i] != want[i] {
			return false
		}
	}
	return true
}

// A fragment that leaves for the last time may arrive: the round goes on, and its status is waited for.
func TestParcelEndsNoRoundEarly(t *testing.T) {
	message := bytes.Repeat([]byte{3}, 300)
	p, err := session.NewParcel(1, message, 60)
	if err != nil {
		t.Fatal(err)
	}
	all, _ := p.Fragments()
	round := func(want int) {
		t.Helper()
		for n := range want {
			if p.Exhausted() {
				t.Fatalf("at its end after %d of %d fragments", n, want)
			}
			index, last, ok := p.Next()
			if !ok || last != (n == want-1) {
				t.Fatalf("fragment %d of the round: %d, last %t, %t", n, index, last, ok)
			}
			p.Sent(index, last)
		}
	}
	missingTwo := codec.FragmentStatus{Set: 1, Missing: 0, Bitmap: []byte{0b11101}} // 0 and 2
	for n := range session.ParcelTries {
		if n == 0 {
			round(all)
		} else {
			round(2)
		}
		if n < session.ParcelTries-1 {
			p.Take(&missingTwo)
		}
	}
	if p = restarted(t, p); p.Tries(0) != session.ParcelTries {
		t.Fatalf("sent %d times", p.Tries(0))
	}
	p.Take(&codec.FragmentStatus{Set: 1, Missing: 2, Bitmap: []byte{0b111}}) // the last try of 0 arrived, that of 2 did not
	if _, _, ok := p.Next(); ok || !p.Exhausted() || p.Probe() {
		t.Error("goes on with what may not be sent again")
	}

	// A round that what is left cannot pay for is not begun.
	if p, err = session.NewParcel(1, message, 60); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		round(all)
		p.Take(&codec.FragmentStatus{Set: 1})
		if p.Exhausted() {
			break
		}
	}
	if _, _, ok := p.Next(); ok || !p.Exhausted() || p.Tries(0) != 3 {
		t.Errorf("sent %d times, exhausted %t", p.Tries(0), p.Exhausted())
	}
}

// What surely did not leave costs neither a try nor a repeat, however often.
func TestParcelPaysNothingForWhatDidNotLeave(t *testing.T) {
	p, err := session.NewParcel(1, bytes.Repeat([]byte{3}, 300), 60)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 2000 {
		index, last, ok := p.Next()
		if !ok || index != 0 || p.Exhausted() {
			t.Fatalf("after %d: %d, %t", n, index, ok)
		}
		p.Sent(index, last)
		p.Unsent(index)
	}
	p = restarted(t, p)
	for range 2 { // a round, and a repeat of it
		for {
			index, last, ok := p.Next()
			if !ok {
				break
			}
			p.Sent(index, last)
		}
		p.Take(&codec.FragmentStatus{Set: 1})
	}
	for {
		index, last, ok := p.Next()
		if !ok {
			t.Fatal("the round does not end")
		}
		if p.Sent(index, last); last {
			break
		}
	}
	before := p.Tries(3)
	p.Unsent(3)
	p.Unsent(5) // the first of those that did not leave comes first
	if index, _, ok := p.Next(); !ok || index != 3 || p.Tries(3) != before-1 {
		t.Errorf("then %d, %t, sent %d times", index, ok, p.Tries(3))
	}
}

// What was written down by something else is refused, and never panics.
func TestParcelState(t *testing.T) {
	p, err := session.NewParcel(1, bytes.Repeat([]byte{3}, 300), 60)
	if err != nil {
		t.Fatal(err)
	}
	p.Sent(0, false)
	p.Unsent(0)
	if index, _, ok := restarted(t, p).Next(); !ok || index != 0 {
		t.Errorf("after a restart %d, %t", index, ok)
	}
	good := p.AppendState(nil)
	for n := range good[:24] {
		if _, err := session.ParseParcel(good[:n]); !errors.Is(err, codec.ErrMalformed) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		b := bytes.Clone(good)
		b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		if q, err := session.ParseParcel(b); err == nil {
			for range 200 {
				index, last, ok := q.Next()
				if !ok {
					break
				}
				q.Sent(index, last)
			}
		}
	})
}
