package idpmodem_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/idpterm"
	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/idpmodem"
	"github.com/godwit-gateway/godwit/transports/serial"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

// A crash between the sink's word and the mark leaves the message where it is: it comes again, is a duplicate, and is marked then. No message is marked
// before the sink has it.
func TestCrashBeforeMark(t *testing.T) {
	for name, applied := range map[string]bool{"before it was marked": false, "after it was marked": true} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, options{})
			seen := map[string]int{}
			s.sink.Judge = func(_ context.Context, u transports.Uplink) (transports.Settlement, error) {
				if seen[string(u.Payload)]++; seen[string(u.Payload)] > 1 {
					return transports.Duplicate, nil
				}
				return transports.Stored, nil
			}
			if err := s.terminal.Inject(idpterm.Step{Command: "%MGFM", Do: idpterm.ActUnplug, Applied: applied}); err != nil {
				t.Fatal(err)
			}
			id := s.deliver(t, message("once"))
			if err := s.tr.Run(s.ctx, s.sink); err == nil { // the process that dies
				t.Fatal("run ended well without a line")
			}
			if err := s.terminal.Plug(); err != nil {
				t.Fatal(err)
			}
			s.tr = newTransport(t, options{}, s.terminal.Path())
			s.start(t)
			s.read(t, id)
			s.read(t, s.deliver(t, message("next")))
			want := 2
			if applied {
				want = 1
			}
			if seen["once"] != want || seen["next"] != 1 {
				t.Errorf("the sink was given %v", seen)
			}
		})
	}
}

// What is in hand is finished, but not for ever: what was not settled is not marked, and comes again.
func TestGrace(t *testing.T) {
	s := newSite(t, options{})
	s.sink.Judge = func(ctx context.Context, _ transports.Uplink) (transports.Settlement, error) {
		<-ctx.Done()
		return transports.Unsettled, ctx.Err()
	}
	s.tr.GraceOf(50 * time.Millisecond)
	r := s.start(t)
	id := s.deliver(t, message("held"))
	if _, ok := s.sink.AwaitCount(s.ctx, 1); !ok {
		t.Fatal("the message did not come")
	}
	r.stop()
	if !errors.Is(r.err, serial.ErrGrace) {
		t.Errorf("Run returned %v although it gave up what was in hand", r.err)
	}
	s.sink = &transporttest.Sink{}
	s.tr = newTransport(t, options{}, s.terminal.Path())
	s.start(t)
	s.read(t, id)
}

// A message that does not come out does not hold up those behind it, and is not marked.
func TestHeadDoesNotBlock(t *testing.T) {
	s := newSite(t, options{})
	first := s.deliver(t, message("first"))
	for nth := range 5 {
		if err := s.terminal.Inject(idpterm.Step{Command: `%MGFG="FM01.00"`, Nth: nth, Do: idpterm.ActError, Code: 109}); err != nil {
			t.Fatal(err)
		}
	}
	second := s.deliver(t, message("second"))
	s.start(t)
	s.read(t, second)
	s.read(t, first)
	if us := s.sink.Received(); len(us) != 2 || string(us[0].Payload) != "second" || string(us[1].Payload) != "first" || s.tr.Stats().ReadErrors == 0 {
		t.Errorf("uplinks %+v, stats %+v", us, s.tr.Stats())
	}
}

// What the sink does not want is marked too.
func TestRejectedIsMarked(t *testing.T) {
	s := newSite(t, options{})
	s.sink.Judge = func(_ context.Context, u transports.Uplink) (transports.Settlement, error) {
		return map[string]transports.Settlement{"r": transports.Rejected, "q": transports.Quarantined, "d": transports.Duplicate, "s": transports.Stored}[string(u.Payload)], nil
	}
	s.start(t)
	for _, payload := range []string{"r", "q", "d", "s"} {
		s.read(t, s.deliver(t, message(payload)))
	}
	s.until(t, "each is counted", func() bool {
		st := s.tr.Stats()
		return st.Rejected == 1 && st.Quarantined == 1 && st.Duplicate == 1 && st.Stored == 1 && st.Marked == 4
	})
}

// Messages of another service or kind are kept as they are, SIN and MIN included.
func TestOtherMessagesAreRaw(t *testing.T) {
	s := newSite(t, options{driver: idpmodem.Config{SIN: 200, MIN: 7}})
	s.start(t)
	for _, tt := range []struct {
		message string
		payload string
		content transports.Content
	}{
		{"\xC8\x07frame", "frame", transports.ContentData},
		{"\xC8\x07", "", transports.ContentData},
		{"\xC8\x08other kind", "\xC8\x08other kind", transports.ContentRaw},
		{"\x80\x01other service", "\x80\x01other service", transports.ContentRaw},
		{"\x00\x48of the terminal itself", "\x00\x48of the terminal itself", transports.ContentRaw},
	} {
		s.read(t, s.deliver(t, []byte(tt.message)))
		us := s.sink.Received()
		if u := us[len(us)-1]; string(u.Payload) != tt.payload || u.Content != tt.content {
			t.Errorf("%q came as %q, content %d", tt.message, u.Payload, u.Content)
		}
	}
	if st := s.tr.Stats(); st.Raw != 3 {
		t.Errorf("%d raw messages, want 3", st.Raw)
	}
}

// The network names no sender, and takes no recipient.
func TestPeer(t *testing.T) {
	idp := func(id string) transports.Address { return transports.Address{Bearer: transports.IDP, ID: id} }
	for _, tt := range []struct {
		peer           string
		taken, refused []transports.Address
	}{
		{taken: []transports.Address{idp(""), idp(peer), idp(mobileID)}, refused: []transports.Address{{Bearer: transports.SBD}}},
		{peer: peer, taken: []transports.Address{idp(peer)}, refused: []transports.Address{idp(""), idp(mobileID), {Bearer: transports.SBD, ID: peer}}},
	} {
		s := newSite(t, options{})
		tr, err := idpmodem.New("idp0", idpmodem.Config{Device: s.terminal.Path(), Peer: tt.peer}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		tr.Hasten(longAnswer)
		s.tr = tr
		s.start(t)
		s.read(t, s.deliver(t, message("up")))
		if us := s.sink.Received(); us[0].From != idp(tt.peer) {
			t.Errorf("from %v, want %v", us[0].From, idp(tt.peer))
		}
		for i, to := range tt.taken {
			if _, err := s.tr.Send(s.ctx, transports.Downlink{To: to, Payload: fmt.Append(nil, "down ", i)}); err != nil {
				t.Errorf("with peer %q, send to %v: %v", tt.peer, to, err)
			}
		}
		for _, to := range tt.refused {
			if _, err := s.tr.Send(s.ctx, transports.Downlink{To: to, Payload: []byte("down")}); failed(t, err).Outcome != transports.Refused {
				t.Errorf("with peer %q, send to %v: %v, want it refused", tt.peer, to, err)
			}
		}
	}
}

// A sky that is blocked, or a message that comes in slowly, holds up nothing else, and the state of the network is told.
func TestSky(t *testing.T) {
	s := newSite(t, options{})
	s.tr.CheckEvery(shortAnswer / 40)
	s.terminal.SetSky(false)
	s.start(t)
	id := s.deliver(t, message("later"))
	s.until(t, "the sky is blocked", func() bool {
		st := s.tr.Stats()
		return st.Up && st.Network == 8 && !st.Registered && st.SignalDBHz == 0
	})
	if len(s.sink.Received()) != 0 {
		t.Error("a message came through a blocked sky")
	}
	s.terminal.SetSky(true)
	s.read(t, id)
	s.until(t, "the network is active", func() bool { st := s.tr.Stats(); return st.Registered && st.SignalDBHz > 40 })
}

// In a low-power mode the network takes shorter messages; they come through as all others.
func TestLowPower(t *testing.T) {
	s := newSite(t, options{terminal: idpterm.Options{Battery: true}})
	s.start(t)
	payload := strings.Repeat("x", 4998)
	s.read(t, s.deliver(t, message(payload)))
	if us := s.sink.Received(); string(us[0].Payload) != payload {
		t.Errorf("%d bytes, want %d", len(us[0].Payload), len(payload))
	}
	if err := s.terminal.Deliver(s.ctx, idpterm.Forward{Message: message(payload + "x")}); !errors.Is(err, idpterm.ErrSize) {
		t.Errorf("one byte more: %v", err)
	}
}
