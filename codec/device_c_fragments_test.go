package codec_test

import (
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/codec"
)

// Messages in fragments between the device in C and this package, over a radio that loses, repeats and reorders them.

// rounds bounds how long a message is on its way: with a quarter of the frames lost it is there long before.
const rounds = 200

// large draws a message that does not fit into frames of some room.
func (w *world) large() (message []byte, room int) {
	room = rapid.SampledFrom([]int{9, 40, 200}).Draw(w.t, "room")
	message = append([]byte{byte(codec.MessageUser)}, rapid.SliceOfN(rapid.Byte(), room, 12*room).Draw(w.t, "large message")...)
	return message, room
}

// tell seals a message of the gateway and brings it to the device, which answers.
func (w *world) tell(asks uint8, plaintext []byte) (counter uint64, answer string) {
	w.t.Helper()
	p := codec.Position{Direction: codec.Down, Number: w.number, Epoch: w.epoch, Counter: w.down}
	frame := w.seal(codec.MakeHeader(codec.KindExtended, 0, asks), w.salt, p, plaintext)
	w.down++
	answer = w.c.ask(w.t, "receive %x", frame)
	w.persist()
	return p.Counter, answer
}

// largeDown is a message to the device: what its statuses say is missing is sent again, until it has the whole, whatever is lost and if it restarts.
func (w *world) largeDown() {
	message, room := w.large()
	set := rapid.Byte().Draw(w.t, "set")
	s, err := codec.NewSplitter(set, message, room)
	if err != nil {
		w.t.Fatal(err)
	}
	whole := 0
	for range rounds {
		missing := s.Missing(nil, s.Fragments())
		if len(missing) == 0 {
			break
		}
		if rapid.Bool().Draw(w.t, "reordered") {
			slices.Reverse(missing)
		}
		for i, index := range missing {
			plaintext, err := s.AppendPlaintext(nil, index)
			if err != nil {
				w.t.Fatal(err)
			}
			last := i == len(missing)-1
			if !last && rapid.IntRange(0, 3).Draw(w.t, "fragment lost") == 0 {
				continue
			}
			asks := uint8(0)
			if last {
				asks = 1
			}
			counter, answer := w.tell(asks, plaintext)
			want := fmt.Sprintf("message %d %d %x ", counter, codec.MessageFragment, plaintext[1:])
			switch rest, ok := strings.CutPrefix(answer, want); {
			case ok && rest == "0;":
			case ok && rest == fmt.Sprintf("2 %d %x;", message[0], message[1:]):
				whole++
			default:
				w.t.Fatalf("fragment %d of %d: %s, want %s", index, s.Fragments(), answer, want)
			}
		}
		restarted := rapid.IntRange(0, 9).Draw(w.t, "restart") == 0
		if restarted {
			w.boot()
			w.persist()
			if whole > 0 {
				whole-- // it knows nothing of it any more, and takes it again
			}
		}
		if _, _, plaintext := w.frame(w.c.ask(w.t, "fragment-status %d 0", set), 0); plaintext != nil {
			st, err := codec.DecodeFragmentStatus(plaintext[1:])
			if err != nil || plaintext[0] != byte(codec.MessageFragmentStatus) || !s.Take(&st) {
				w.t.Fatalf("status %x: %v", plaintext, err)
			}
			if restarted && len(s.Missing(nil, 1)) == 0 {
				w.t.Fatal("a restarted device has what it forgot")
			}
		} else {
			w.persist()
			w.hello() // which repairs what the gateway knows of the counter
		}
		w.persist()
	}
	if !s.Done() || whole != 1 {
		w.t.Fatalf("arrived %t, %d times, in fragments of %d", s.Done(), whole, room)
	}
	w.count["large downlink"]++
}

// largeUp is a message of the device: the gateway puts it together once, of fragments that are repeated as its statuses ask.
func (w *world) largeUp() {
	message, room := w.large()
	set := rapid.Byte().Draw(w.t, "set")
	s, err := codec.NewSplitter(set, message, room)
	if err != nil {
		w.t.Fatal(err)
	}
	if got := w.c.ask(w.t, "parcel %d %d %x", set, room, message); got != fmt.Sprint(s.Fragments()) {
		w.t.Fatalf("%s fragments, want %d", got, s.Fragments())
	}
	var r codec.Reassembler
	whole, missing := 0, s.Fragments()
	for range rounds {
		asked := w.fragments(s, &r, message, &whole)
		if !asked || rapid.IntRange(0, 3).Draw(w.t, "status lost") == 0 {
			w.c.ask(w.t, "probe")
			w.persist()
			w.hello() // which repairs what the gateway knows of the counter
			continue
		}
		st := r.Status(set)
		plaintext, err := codec.AppendFragmentStatus(nil, &st)
		if err != nil {
			w.t.Fatal(err)
		}
		missing = 0
		for i := range s.Fragments() {
			if !st.Has(uint16(i)) {
				missing++
			}
		}
		counter, answer := w.tell(0, plaintext)
		if want := fmt.Sprintf("message %d %d %x %d;", counter, codec.MessageFragmentStatus, plaintext[1:], missing); answer != want {
			w.t.Fatalf("%s, want %s", answer, want)
		}
		if missing == 0 {
			break
		}
	}
	if missing != 0 || whole != 1 {
		w.t.Fatalf("%d fragments of %d are missing, it came %d times", missing, s.Fragments(), whole)
	}
	if got := w.c.ask(w.t, "fragment 0 300"); got != "over" {
		w.t.Fatalf("a fragment of what has arrived: %s", got)
	}
	w.count["large uplink"]++
}

// fragments is a round of the device. It reports whether the frame that asks for a status arrived.
func (w *world) fragments(s *codec.Splitter, r *codec.Reassembler, message []byte, whole *int) (asked bool) {
	for {
		w.persist()
		flags := w.flags() &^ flagMetered
		answer := w.c.ask(w.t, "fragment %d 300", flags)
		if answer == "over" {
			return asked
		}
		h, _, plaintext := w.frame(answer, flags)
		if plaintext == nil {
			continue
		}
		f, err := codec.DecodeFragment(plaintext[1:])
		if err != nil || plaintext[0] != byte(codec.MessageFragment) {
			w.t.Fatalf("fragment %x: %v", plaintext, err)
		}
		want, err := s.AppendPlaintext(nil, f.Index)
		if err != nil || string(want) != string(plaintext) {
			w.t.Fatalf("fragment %x, want %x, %v", plaintext, want, err)
		}
		asked = asked || h.Base() == 1
		for range rapid.IntRange(1, 2).Draw(w.t, "copies") {
			if out := r.Add(w.now, &f); out.Outcome == codec.FragmentComplete {
				if string(out.Message) != string(message) {
					w.t.Fatalf("message %x", out.Message)
				}
				*whole++
			}
		}
	}
}
