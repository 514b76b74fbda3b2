package codec_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
)

// Joins of the device in C with the gateway's side of codec/session.

// join is a device that lost its memory, or that asks for an epoch because nobody answered: until it is accepted, whatever is lost.
func (w *world) join() {
	if rapid.Bool().Draw(w.t, "memory lost") {
		w.memory, w.lost = lostMemory, true
		w.boot()
		w.persist()
	}
	for w.attempt() {
		w.alive()
	}
	w.persist()
	w.hello()
}

// alive checks that the device goes on in its epoch, or says nothing if it does not know what it said (F-108).
func (w *world) alive() {
	w.t.Helper()
	if !w.lost {
		w.persist()
		w.message()
		return
	}
	if got := w.c.ask(w.t, "due"); got != "1" {
		w.t.Fatalf("join due: %s", got)
	}
	if got := w.c.ask(w.t, "send 0 3 100 aa"); got != "err -8" {
		w.t.Fatalf("sealed without memory: %s", got)
	}
}

// attempt is one attempt to join. It reports whether another is needed.
func (w *world) attempt() bool {
	w.t.Helper()
	w.random++ // F-107: another for each attempt
	w.c.ask(w.t, "join %d", w.random*0x9e3779b1)
	if got := w.c.ask(w.t, "send-join 0"); got != "err -3" {
		w.t.Fatalf("F-107: a request before its boot counter is in permanent memory: %s", got)
	}
	w.persist()
	if rapid.IntRange(0, 3).Draw(w.t, "restart") == 0 {
		w.boot()
		if got := w.c.ask(w.t, "send-join 0"); got != "err -1" {
			w.t.Fatalf("an attempt outlived a restart: %s", got)
		}
		return true
	}
	key := codec.DeriveJoinKey(&w.key, w.number)
	for { // what is lost, the device says again
		f := w.said()
		var answer session.Answer
		if f.Type == codec.ControlJoinRequest {
			w.verify(&f, &key)
			answer = w.gw.Request(f.Join, codec.Nonce(rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(w.t, "nonce")), true, w.now)
		} else {
			var ok bool
			if f.Nonce, ok = w.gw.Challenged(f.Join); !ok {
				w.t.Fatalf("%s without a challenge", f.Type)
			}
			w.verify(&f, &key)
			answer = w.gw.Confirm(f.Join)
		}
		if answer != session.Accept && answer != session.Challenge {
			w.t.Fatalf("%s is answered with %s", f.Type, answer)
		}
		if rapid.IntRange(0, 3).Draw(w.t, "answer lost") == 0 {
			w.alive()
			continue
		}
		if answer == session.Challenge {
			w.hear(codec.AppendChallenge(nil, &key, f.Join, w.gw.Challenge), "challenge;")
			w.count["challenged"]++
			if got := w.c.ask(w.t, "receive %x", codec.AppendChallenge(nil, &key, f.Join, w.gw.Challenge)); got != "err -7;" {
				w.t.Fatalf("F-125: a challenge that is confirmed already: %s", got)
			}
			continue
		}
		if f.Type == codec.ControlJoinRequest {
			w.count["accepted at once"]++
		}
		accept := codec.AppendJoinAccept(nil, &key, f.Join, w.gw.PendingNonce(), w.gw.Second.Number)
		w.hear(accept, fmt.Sprintf("epoch %d;", w.gw.Second.Number))
		if got := w.c.ask(w.t, "receive %x", accept); got != "err -6;" {
			w.t.Fatalf("F-102: an acceptance that nobody waits for: %s", got)
		}
		w.enter(w.gw.Second.Number, bytes.Clone(w.gw.Second.Salt[:]))
		if got := w.c.ask(w.t, "send 0 3 100 aa"); got != "err -3" {
			w.t.Fatalf("F-117: sealed before the epoch is in permanent memory: %s", got)
		}
		return false
	}
}

// said is the frame of the attempt under way.
func (w *world) said() codec.JoinFrame {
	w.t.Helper()
	flags := rapid.SampledFrom([]int{0, flagAddressed}).Draw(w.t, "addressed")
	answer := w.c.ask(w.t, "send-join %d", flags)
	raw, err := hex.DecodeString(strings.TrimPrefix(answer, "join "))
	if err != nil {
		w.t.Fatalf("%s: %v", answer, err)
	}
	item, rest, err := codec.NextItem(raw)
	if err != nil || len(rest) > 0 || (item.Form == codec.FormAddressed) != (flags&flagAddressed != 0) || item.CID != 0 && item.CID != w.number {
		w.t.Fatalf("%x: %v", raw, err)
	}
	f, err := codec.ParseJoin(item.Content)
	if err != nil || f.Join.Number != w.number {
		w.t.Fatalf("%+v, %v", f, err)
	}
	return f
}

func (w *world) verify(f *codec.JoinFrame, key *[32]byte) {
	w.t.Helper()
	if err := f.Verify(key); err != nil {
		w.t.Fatalf("%s: %v", f.Type, err)
	}
}

// hear brings an answer to a join, before it a changed one, which says nothing.
func (w *world) hear(frame []byte, want string) {
	w.t.Helper()
	changed := bytes.Clone(frame)
	changed[rapid.IntRange(1, len(frame)-1).Draw(w.t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(w.t, "bit")
	if got := w.c.ask(w.t, "receive %x", changed); !strings.HasPrefix(got, "err ") {
		w.t.Fatalf("changed: %s", got)
	}
	if got := w.c.ask(w.t, "receive %x", frame); got != want {
		w.t.Fatalf("%s, want %s", got, want)
	}
}
