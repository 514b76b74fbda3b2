package hub_test

import (
	"errors"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/transports"
)

// errNoRoute is of a network that is slow when it is reached, and was not.
var errNoRoute = &transports.SendError{Outcome: transports.NotSent, Slow: true, Unasked: true, Err: errors.New("no route to host")}

// rests has a link try what is due until it waits for the clock.
func (b *bench) rests(link string) {
	b.t.Helper()
	for wake := b.clock.t; !wake.After(b.clock.t); {
		wake = b.attempt(link)
	}
}

// wears has what waits for a link tried in vain until its pauses are the longest.
func (b *bench) wears(link string) {
	b.t.Helper()
	for range 12 {
		b.clock.t = b.attempt(link)
	}
	b.rests(link)
}

// fakeLine is a transport that tells whether its line is there.
type fakeLine struct {
	fakeTransport
	up bool
}

func (f *fakeLine) Up() bool { return f.up }

// A line that was down for long is used soon once it is back.
func TestLineThatIsBack(t *testing.T) {
	for _, size := range []int{1, 300} {
		b, line := newBench(t), &fakeLine{}
		twoWays(t, b, line)
		if _, err := b.hub.SendMessage(t.Context(), "meter-1", hub.Message{Payload: make([]byte, size), Link: "sbd"}); err != nil {
			t.Fatal(err)
		}
		line.err = errLineDown
		for end := b.clock.t.Add(3 * time.Hour); b.clock.t.Before(end); {
			wake := b.attempt("sbd")
			if wait := wake.Sub(b.clock.t); wait > 30*time.Second {
				t.Fatalf("nobody looks for the line for %s", wait)
			}
			b.clock.t = wake
		}
		tried := len(line.sent)
		if tried > 14 {
			t.Errorf("%d tries", tried)
		}
		line.err, line.up = nil, true
		wake := b.attempt("sbd")
		for n := 0; n < 2 && len(line.sent) == tried; n++ {
			b.clock.t = wake
			wake = b.attempt("sbd")
		}
		if len(line.sent) != tried+1 {
			t.Errorf("%d bytes: %+v", size, b.downlink())
		}
	}
}

// One downlink that is taken shows that the network is reached, for all that wait for it.
func TestNetworkThatIsReachedAgain(t *testing.T) {
	b := newBench(t)
	b.importOne(8)
	b.sms.err = errNoRoute
	b.message("sms")
	b.wears("sms")
	b.message("sms")
	b.sms.err = nil
	b.attempt("sms")
	b.attempt("sms")
	list, err := b.hub.Downlinks("meter-1")
	if err != nil || len(list) != 2 || list[0].State != hub.DownlinkAccepted || list[1].State != hub.DownlinkAccepted {
		t.Errorf("%+v, %v", list, err)
	}
}

// A network that takes one now and then is not asked for all that wait each time.
func TestNetworkThatTakesOneAtATime(t *testing.T) {
	b := newBench(t)
	b.importOne(8)
	busy := &transports.SendError{Outcome: transports.NotSent, Unasked: true, Err: errors.New("too many calls")}
	rest := func() {
		t.Helper()
		b.sms.err = busy
		b.rests("sms")
	}
	const waiting = 6
	for range waiting {
		b.message("sms")
	}
	rest()
	b.message("sms")
	b.sms.err = nil
	b.attempt("sms")
	if rest(); len(b.sms.sent) != waiting+2 {
		t.Errorf("%d tries after the one that was taken", len(b.sms.sent)-waiting-1)
	}
	b.sms.err = nil
	b.message("sms")
	b.rests("sms")
	if len(b.sms.sent) != 2*waiting+3 {
		t.Errorf("%d sent", len(b.sms.sent))
	}
}

// A try in which the network was not reached costs nothing: the next one is soon, however slow the network is when it is reached.
func TestShortPauseAfterOneTryInVain(t *testing.T) {
	b := newBench(t)
	b.importOne(8)
	b.sms.err = errNoRoute
	b.message("sms")
	b.attempt("sms")
	if wait := b.attempt("sms").Sub(b.clock.t); wait > time.Minute {
		t.Errorf("it waits for %s", wait)
	}
}

// Pauses of a network that is slow when it is reached get as long as is said, and no longer.
func TestLongestPauseInVain(t *testing.T) {
	b := newBench(t)
	b.importOne(8)
	b.sms.err = errNoRoute
	b.message("sms")
	longest := time.Duration(0)
	for range 12 {
		b.attempt("sms")
		pause := b.attempt("sms").Sub(b.clock.t)
		longest = max(longest, pause)
		b.clock.t = b.clock.t.Add(pause)
	}
	if longest != 4*time.Hour {
		t.Errorf("%s", longest)
	}
}

// A start ends the pauses of what never reached its network.
func TestStartEndsPauses(t *testing.T) {
	b := newBench(t)
	b.importOne(8)
	b.message("sms")
	b.sms.err = errLineDown
	b.wears("sms")
	b.sms.err = nil
	b.crash()
	if b.attempt("sms"); b.downlink().State != hub.DownlinkAccepted {
		t.Errorf("%+v", b.downlink())
	}
}

// A pause is no longer than it was if the clock was set back while the gateway was off.
func TestPauseOfAClockThatWasAhead(t *testing.T) {
	b := newBench(t)
	b.importOne(8)
	b.message("sms")
	b.sms.err = errLineBusy
	b.attempt("sms")
	b.sms.err = nil
	b.clock.t = b.clock.t.Add(-5 * time.Hour)
	b.crash()
	b.attempt("sms")
	if len(b.sms.sent) != 1 {
		t.Fatal("there is no pause")
	}
	b.clock.t = b.clock.t.Add(time.Minute)
	if b.attempt("sms"); len(b.sms.sent) != 2 {
		t.Errorf("%+v", b.downlink())
	}
}
