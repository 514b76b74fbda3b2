package idpmodem_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/idpterm"
	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/idpmodem"
)

// forever is a sky that takes longer than any test.
var forever = idpterm.Span{Least: time.Hour, Most: time.Hour}

// failed is what a send that failed said.
func failed(t *testing.T, err error) transports.SendError {
	t.Helper()
	var e *transports.SendError
	if !errors.As(err, &e) {
		t.Fatalf("%v is no *SendError", err)
	}
	return *e
}

// What the terminal gives up within its transmit lifetime, three minutes on battery, is queued again until it is through.
func TestQueuedAgain(t *testing.T) {
	s := newSite(t, options{terminal: idpterm.Options{Battery: true, Lifetime: 50 * time.Millisecond}})
	s.terminal.SetSky(false)
	s.start(t)
	s.up(t)
	r, err := s.send("at last")
	if err != nil {
		t.Fatal(err)
	}
	s.until(t, "it was queued again, and again", func() bool { return s.tr.Stats().Requeued >= 2 })
	s.terminal.SetSky(true)
	if out := s.leaves(t, 1); string(out[0].Message) != string(message("at last")) {
		t.Errorf("the network has %q", out[0].Message)
	}
	if report, ok := s.sink.AwaitReport(s.ctx, r.Ref, 1); !ok || report.State != transports.ReportDelivered || report.To != address() {
		t.Errorf("report %+v", report)
	}
	s.until(t, "it is cleared", func() bool { return s.terminal.Stats().Returns == 0 && s.tr.Stats().Queued == 0 })
}

// A message that the terminal gave up, and of which it does not hear when it is to be queued again, is queued later, also where names cannot be used again.
func TestQueuedAgainAfterATimeout(t *testing.T) {
	for name, o := range map[string]options{
		"ORBCOMM": {},
		"Quectel": {terminal: idpterm.Options{Quectel: true}, driver: idpmodem.Config{Dialect: "quectel"}},
	} {
		t.Run(name, func(t *testing.T) {
			o.answer, o.terminal.Up = shortAnswer/2, forever
			s := newSite(t, o)
			s.start(t)
			s.up(t)
			r, err := s.send("at last")
			if err != nil {
				t.Fatal(err)
			}
			command := "%MGRT"
			if o.terminal.Quectel {
				command = "+QSMGT"
			}
			if err := s.terminal.Inject(idpterm.Step{Command: command, Do: idpterm.ActMute}); err != nil {
				t.Fatal(err)
			}
			s.terminal.Finish(r.Ref, idpterm.FateFailed)
			s.until(t, "it is in the terminal again", func() bool { return len(s.terminal.Waiting()) == 1 && s.tr.Stats().Requeued == 1 })
			if st := s.tr.Stats(); st.Lost != 0 || st.Timeouts == 0 {
				t.Errorf("%+v", st)
			}
			s.terminal.Finish(s.terminal.Waiting()[0], idpterm.FateDelivered)
			if report, ok := s.sink.AwaitReport(s.ctx, r.Ref, 1); !ok || report.State != transports.ReportDelivered {
				t.Errorf("report %+v", report)
			}
		})
	}
}

// A message that expires is cancelled in the terminal, and not queued again.
func TestExpires(t *testing.T) {
	for name, lifetime := range map[string]time.Duration{"cancelled": time.Hour, "given up": 20 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, options{terminal: idpterm.Options{Lifetime: lifetime}})
			s.terminal.SetSky(false)
			s.start(t)
			s.up(t)
			r, err := s.tr.Send(s.ctx, transports.Downlink{To: address(), Payload: []byte("too late"), WantReport: true, Expires: time.Now().Add(200 * time.Millisecond)})
			if err != nil {
				t.Fatal(err)
			}
			if report, ok := s.sink.AwaitReport(s.ctx, r.Ref, 1); !ok || report.State != transports.ReportFailed {
				t.Errorf("report %+v", report)
			}
			s.until(t, "it is cleared", func() bool { return s.terminal.Stats().Returns == 0 })
			if n := s.terminal.Stats().Cancelled; n > 1 || name == "cancelled" && n != 1 {
				t.Errorf("%d messages were cancelled", n)
			}
		})
	}
}

// A full queue takes nothing, which is no reason to wait: what comes in goes on, and a later send succeeds.
func TestFullQueue(t *testing.T) {
	s := newSite(t, options{terminal: idpterm.Options{ReturnSlots: 2, Up: forever}})
	s.start(t)
	s.up(t)
	for i := range 2 {
		if _, err := s.send(fmt.Sprint("down ", i)); err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.send("one too many")
	if e := failed(t, err); e.Outcome != transports.NotSent || e.Code != 106 || e.Slow {
		t.Errorf("send into a full queue: %+v", e)
	}
	s.read(t, s.deliver(t, message("up")))
	for _, name := range s.terminal.Waiting() {
		s.terminal.Finish(name, idpterm.FateDelivered)
	}
	s.until(t, "there is room", func() bool { return s.terminal.Stats().Returns == 0 })
	if _, err := s.send("one too many"); err != nil {
		t.Errorf("send into a queue with room: %v", err)
	}
}

// A send whose turn does not come has asked nobody.
func TestSendWaitsItsTurn(t *testing.T) {
	s := newSite(t, options{})
	release := make(chan struct{})
	defer close(release)
	s.sink.Judge = func(context.Context, transports.Uplink) (transports.Settlement, error) {
		<-release
		return transports.Stored, nil
	}
	s.tr.QueueFor(20 * time.Millisecond)
	s.start(t)
	s.up(t)
	s.deliver(t, message("held"))
	if _, ok := s.sink.AwaitCount(s.ctx, 1); !ok {
		t.Fatal("the message did not come")
	}
	_, err := s.send("down")
	if e := failed(t, err); e.Outcome != transports.NotSent || !transports.Unasked(err) {
		t.Errorf("%+v", e)
	}
}

// Under a blocked sky a full queue does not get shorter within minutes.
func TestFullQueueBlocked(t *testing.T) {
	s := newSite(t, options{terminal: idpterm.Options{ReturnSlots: 1}})
	s.terminal.SetSky(false)
	s.start(t)
	s.up(t)
	if _, err := s.send("first"); err != nil {
		t.Fatal(err)
	}
	_, err := s.send("second")
	if e := failed(t, err); e.Outcome != transports.NotSent || !e.Slow {
		t.Errorf("send into a full queue: %+v", e)
	}
}

// What the terminal says in register 80 of a message that it does not take decides what becomes of it; a command that came garbled is repeated at once.
func TestErrorNumbers(t *testing.T) {
	s := newSite(t, options{terminal: idpterm.Options{ReturnSlots: 16, Up: forever}})
	s.start(t)
	s.up(t)
	for code, want := range map[int]transports.Outcome{
		101: transports.NotSent, 102: transports.Refused, 103: transports.Refused, 105: transports.NotSent, 106: transports.NotSent, 107: transports.NotSent,
		108: transports.NotSent, 109: transports.NotSent,
	} {
		before := s.terminal.Stats().Submitted
		if err := s.terminal.Inject(idpterm.Step{Command: "%MGRT", Do: idpterm.ActError, Code: code}); err != nil {
			t.Fatal(err)
		}
		payload := fmt.Sprint("down ", code)
		_, err := s.send(payload)
		if e := failed(t, err); e.Outcome != want || e.Code != code {
			t.Errorf("error %d: %+v, want %q", code, e, want)
		}
		if n := s.terminal.Stats().Submitted; n != before {
			t.Errorf("error %d: it is there", code)
		}
		if _, err := s.send(payload); err != nil {
			t.Errorf("after error %d: %v", code, err)
		}
	}
	if err := s.terminal.Inject(idpterm.Step{Command: "%MGRT", Do: idpterm.ActError, Code: 100}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.send("garbled"); err != nil || s.tr.Stats().BadCommands != 1 {
		t.Errorf("a command that came garbled: %v, %d were", err, s.tr.Stats().BadCommands)
	}
}

// Whether a message whose answer was lost is in the terminal, the terminal says: it is queued once, and no send is told the wrong thing.
func TestLostAnswer(t *testing.T) {
	for _, do := range []idpterm.Action{idpterm.ActMute, idpterm.ActUnplug} {
		for _, applied := range []bool{false, true} {
			t.Run(fmt.Sprintf("action %d applied %t", do, applied), func(t *testing.T) {
				s := newSite(t, options{answer: shortAnswer / 2, terminal: idpterm.Options{Up: forever}})
				if err := s.terminal.Inject(idpterm.Step{Command: "%MGRT", Do: do, Applied: applied}); err != nil {
					t.Fatal(err)
				}
				s.start(t)
				s.up(t)
				_, err := s.send("once")
				switch {
				case do == idpterm.ActMute && applied && err != nil:
					t.Errorf("the terminal has it, and send said %v", err)
				case do == idpterm.ActMute && !applied && failed(t, err).Outcome != transports.NotSent:
					t.Errorf("the terminal does not have it, and send said %v", err)
				case do == idpterm.ActUnplug && failed(t, err).Outcome != transports.MaybeSent:
					t.Errorf("the line was lost, and send said %v", err)
				}
				if err := s.terminal.Plug(); err != nil {
					t.Fatal(err)
				}
				s.until(t, "the second try is taken", func() bool { _, err := s.send("once"); return err == nil })
				if st := s.terminal.Stats(); st.Submitted != 1 || st.Returns != 1 {
					t.Errorf("it was queued %d times, %d are there", st.Submitted, st.Returns)
				}
			})
		}
	}
}

// An answer that comes late, in the middle of finding the terminal again, is taken for nothing else, least of all for word of how the line is.
func TestLateAnswerToSend(t *testing.T) {
	const answer = shortAnswer / 2
	for _, late := range []time.Duration{answer * 11 / 10, answer * 27 / 20, answer * 33 / 20} {
		t.Run(late.String(), func(t *testing.T) {
			s := newSite(t, options{answer: answer, terminal: idpterm.Options{Up: forever}})
			if err := s.terminal.Inject(idpterm.Step{Command: "%MGRT", Do: idpterm.ActDelay, For: late}); err != nil {
				t.Fatal(err)
			}
			s.start(t)
			s.up(t)
			if _, err := s.send("once"); err != nil && failed(t, err).Outcome != transports.MaybeSent {
				t.Errorf("the terminal has it, and send said %v", err)
			}
			s.until(t, "the second try is taken", func() bool { _, err := s.send("once"); return err == nil })
			if st := s.terminal.Stats(); st.Submitted != 1 || st.Returns != 1 {
				t.Errorf("it was queued %d times, %d are there", st.Submitted, st.Returns)
			}
		})
	}
}

// What an earlier process has left in the terminal is watched and cleared away, and a send of the same is told that it is there.
func TestRestart(t *testing.T) {
	for name, complete := range map[string]bool{"on its way": false, "through": true} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, options{terminal: idpterm.Options{Up: forever}})
			before := s.start(t)
			s.up(t)
			r, err := s.send("from before")
			if err != nil {
				t.Fatal(err)
			}
			before.stop()
			if complete && !s.terminal.Finish(r.Ref, idpterm.FateDelivered) {
				t.Fatal("it is not in the terminal")
			}
			s.tr = newTransport(t, options{}, s.terminal.Path())
			s.start(t)
			s.up(t)
			if complete { // whose receipt may be on file
				if report, ok := s.sink.AwaitReport(s.ctx, r.Ref, 1); !ok || report.State != transports.ReportDelivered {
					t.Errorf("report %+v", report)
				}
			}
			again, err := s.send("from before")
			if err != nil || again.Ref != r.Ref {
				t.Errorf("receipt %+v (%v), want the one of before, %s", again, err, r.Ref)
			}
			if !complete {
				s.terminal.Finish(r.Ref, idpterm.FateDelivered)
			}
			if report, ok := s.sink.AwaitReport(s.ctx, r.Ref, 1); !ok || report.State != transports.ReportDelivered {
				t.Errorf("report %+v", report)
			}
			s.until(t, "it is cleared", func() bool { return s.terminal.Stats().Returns == 0 && s.tr.Stats().Queued == 0 })
			if st := s.terminal.Stats(); st.Submitted != 1 || s.tr.Stats().Adopted != 1 {
				t.Errorf("it was queued %d times; %+v", st.Submitted, s.tr.Stats())
			}
			// The device did not answer, and the next try is a new message.
			if _, err := s.send("from before"); err != nil || s.terminal.Stats().Submitted != 2 {
				t.Errorf("the same once more: %v, queued %d times", err, s.terminal.Stats().Submitted)
			}
		})
	}
}

// A failed one of an earlier process is cleared away: nobody knows its bytes.
func TestRestartFailed(t *testing.T) {
	s := newSite(t, options{terminal: idpterm.Options{Up: forever}})
	before := s.start(t)
	s.up(t)
	r, err := s.send("from before")
	if err != nil {
		t.Fatal(err)
	}
	before.stop()
	s.terminal.Finish(r.Ref, idpterm.FateFailed)
	s.tr = newTransport(t, options{}, s.terminal.Path())
	s.start(t)
	s.until(t, "it is cleared", func() bool { return s.terminal.Stats().Returns == 0 && s.tr.Stats().Failed == 1 })
	if _, err := s.send("from before"); err != nil || s.terminal.Stats().Submitted != 2 {
		t.Errorf("the same once more: %v", err)
	}
}

// Messages of others in the return queue are left alone.
func TestForeignNames(t *testing.T) {
	s := newSite(t, options{terminal: idpterm.Options{Up: forever}})
	s.terminal.Submit("GSHORT", message("not ours"))
	s.terminal.Submit("gwlowera", message("not ours"))
	for _, name := range s.terminal.Waiting() {
		s.terminal.Finish(name, idpterm.FateDelivered)
	}
	s.start(t)
	s.read(t, s.deliver(t, message("up")))
	if st := s.terminal.Stats(); st.Returns != 2 || s.tr.Stats().Adopted != 0 {
		t.Errorf("%d messages are left of 2; %+v", st.Returns, s.tr.Stats())
	}
}

// A terminal that lost its power has forgotten its queue: what had not begun to go out is queued again, of others nobody knows.
func TestPowerCut(t *testing.T) {
	for name, begun := range map[string]bool{"waiting": false, "going out": true} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, options{answer: shortAnswer / 2, terminal: idpterm.Options{Up: forever, Boot: 20 * time.Millisecond}})
			s.terminal.SetSky(begun)
			s.start(t)
			s.up(t)
			if _, err := s.send("down"); err != nil {
				t.Fatal(err)
			}
			looks := s.terminal.Stats().Commands
			s.until(t, "its state was seen", func() bool { return s.terminal.Stats().Commands > looks+6 })
			s.terminal.CutPower()
			if begun {
				s.until(t, "it is given up", func() bool { st := s.tr.Stats(); return st.Lost == 1 && st.Queued == 0 })
			} else {
				s.until(t, "it is there again", func() bool { return s.terminal.Stats().Submitted == 2 })
			}
			s.terminal.SetSky(true)
			s.read(t, s.deliver(t, message("up")))
			if st := s.tr.Stats(); st.Setups < 2 || !st.Checksums {
				t.Errorf("stats %+v", st)
			}
		})
	}
}

// The wake-up period is set, and only where it is known how.
func TestWake(t *testing.T) {
	s := newSite(t, options{driver: idpmodem.Config{Wake: 10 * time.Minute}})
	s.start(t)
	s.up(t)
	if code := s.terminal.Register(51); code != 4 {
		t.Errorf("S51 is %d, want 4", code)
	}
}

// With everything going wrong that can: what was marked had reached the sink, all comes in, and what Send says is true.
func TestFaults(t *testing.T) {
	const messages, downlinks = 30, 8
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			s := newSite(t, options{answer: shortAnswer / 4, terminal: idpterm.Options{
				Seed: seed, Slots: 4, ReturnSlots: 3, Boot: 10 * time.Millisecond,
				Faults: idpterm.Faults{Garble: 0.03, GarbleCommand: 0.03, Mute: 0.01, Late: 0.005, Fail: 0.2, LateBy: shortAnswer / 2},
			}})
			s.start(t)
			ids := map[string]uint64{}
			for i := range messages {
				payload := fmt.Sprint("up ", i)
				ids[payload] = s.deliver(t, message(payload))
			}
			for i := range downlinks {
				s.eventually(t, fmt.Sprint("down ", i))
			}
			for payload, id := range ids {
				s.read(t, id)
				if _, ok := s.sink.Await(s.ctx, []byte(payload), 1); !ok {
					t.Errorf("%s was marked and never handed over", payload)
				}
			}
			s.until(t, "all is through", func() bool { return s.terminal.Stats().Returns == 0 })
			times := map[string]int{}
			for _, r := range s.leaves(t, downlinks) {
				times[string(r.Message[2:])]++
			}
			for i := range downlinks {
				if n := times[fmt.Sprint("down ", i)]; n != 1 {
					t.Errorf("down %d left %d times", i, n)
				}
			}
			t.Logf("driver: %+v", s.tr.Stats())
		})
	}
}

// eventually sends until the terminal has it.
func (s *site) eventually(t *testing.T, payload string) {
	t.Helper()
	s.until(t, payload+" is taken", func() bool {
		ctx, cancel := context.WithTimeout(s.ctx, 10*time.Second)
		defer cancel()
		_, err := s.tr.Send(ctx, transports.Downlink{To: address(), Payload: []byte(payload), WantReport: true})
		if err != nil && failed(t, err).Outcome == transports.Refused {
			t.Errorf("%s: %v", payload, err)
		}
		return err == nil
	})
}
