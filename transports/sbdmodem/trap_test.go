package sbdmodem_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/sbdterm"
	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/sbdmodem"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

// The MO buffer survives a session that took it: the next one would send it again, for money.
func TestMOBufferIsClearedAfterItsSession(t *testing.T) {
	s := newSite(t)
	tr := s.driver()
	s.start(tr)
	s.send(tr, 1, "down")
	if s.modem.Stats().MO {
		t.Error("the MO buffer holds a message that was sent")
	}
	s.cleared(s.put("up")) // by a session that is to send nothing
	s.wantTaken("down")
}

// The MT buffer is cleared when the next session starts: none does before the sink has settled what it holds.
func TestMTBufferIsReadBeforeTheNextSession(t *testing.T) {
	s := newSite(t)
	var failing atomic.Bool
	failing.Store(true)
	s.sink.Judge = func(context.Context, transports.Uplink) (transports.Settlement, error) {
		if failing.Load() {
			return transports.Unsettled, transporttest.ErrSink
		}
		return transports.Stored, nil
	}
	tr := s.driver()
	tr.SendFor(50 * time.Millisecond)
	s.start(tr)
	first, second := s.put("first"), s.put("second")
	if _, ok := s.sink.Await(s.ctx, []byte("first"), 3); !ok {
		t.Fatal("the message was not offered again")
	}
	sessions := s.modem.Stats().Sessions
	_, err := tr.Send(s.ctx, downlink(1, "down"))
	if failed := fails(t, err, transports.NotSent); failed.Slow {
		t.Error("a sink that fails counts as slow")
	}
	if n := s.modem.Stats().Sessions; n != sessions {
		t.Errorf("%d sessions while a message waited", n-sessions)
	}
	failing.Store(false)
	s.cleared(first)
	s.cleared(second)
	if st := s.modem.Stats(); st.Overwritten != 0 {
		t.Errorf("%d messages were lost to sessions", st.Overwritten)
	}
	s.wantTaken()
}

// An MT message can come in any session, and more while the network says so: all in those that are paid for anyway.
func TestMTComesInAnySession(t *testing.T) {
	s := newSite(t)
	tr := s.driver(func(c *sbdmodem.Config) { c.NoRings = true })
	s.start(tr)
	ids := []uint64{s.put("one"), s.put("two"), s.put("three")}
	s.send(tr, 1, "down")
	for _, id := range ids {
		s.cleared(id)
	}
	if st := tr.Stats(); st.Sessions != 3 || st.Checks != 2 || st.Empty != 0 {
		t.Errorf("%d sessions with %d checks of which %d were in vain, want 3, 2 and 0", st.Sessions, st.Checks, st.Empty)
	}
	if n := len(s.sink.Checks()); n != 2 {
		t.Errorf("%d mailbox checks were told of, want 2", n)
	}
}

// A mailbox check is paid for: the sink books each, and no session starts before it has, whatever Run that is in.
func TestMailboxChecksAreBooked(t *testing.T) {
	s := newSite(t)
	var failing atomic.Bool
	failing.Store(true)
	s.sink.JudgeCheck = func(transports.Check) error {
		if failing.Load() {
			return transporttest.ErrSink
		}
		return nil
	}
	tr := s.driver()
	tr.SendFor(50 * time.Millisecond)
	r := s.start(tr)
	s.cleared(s.put("up"))
	tried := func(n int) { s.until("it is tried again", func() bool { return len(s.sink.Checks()) >= n }) }
	tried(3)
	sessions := s.modem.Stats().Sessions
	_, err := tr.Send(s.ctx, downlink(1, "down"))
	if failed := fails(t, err, transports.NotSent); failed.Slow {
		t.Error("a sink that fails counts as slow")
	}
	r.stop()
	tr.SendFor(time.Minute)
	before := len(s.sink.Checks())
	s.start(tr)
	tried(before + 1)
	if n := s.modem.Stats().Sessions; n != sessions {
		t.Errorf("%d sessions before the check was booked", n-sessions)
	}
	failing.Store(false)
	s.send(tr, 2, "down") // which is a message's session, and none to be told of
	s.wantTaken("down")
	checks := s.sink.Checks()
	for i, c := range checks {
		if c.Transport != "sbd0" || c.At.IsZero() || !c.At.Equal(checks[0].At) {
			t.Errorf("try %d: %+v, the first was %+v", i, c, checks[0])
		}
	}
}

// Of a mailbox check whose outcome was lost nobody knows whether it is paid for: it is booked.
func TestLostMailboxChecksAreBooked(t *testing.T) {
	for name, lose := range map[string]func(s *site, tr *sbdmodem.Transport){
		"with the line": func(s *site, tr *sbdmodem.Transport) {
			r := s.start(tr)
			s.modem.Inject(sbdterm.Step{Unplug: true})
			s.put("up")
			if r.ended() == nil {
				s.t.Fatal("Run returned nil when the line was lost")
			}
			if err := s.modem.Plug(); err != nil {
				s.t.Fatal(err)
			}
			s.start(tr)
		},
		"among another program's": func(s *site, tr *sbdmodem.Transport) {
			tr.SessionFor(300 * time.Millisecond)
			s.start(tr)
			s.modem.Inject(sbdterm.Step{Mute: true})
			s.put("up")
			s.until("a session", func() bool { return s.modem.Stats().Sessions > 0 })
			s.modem.Forget(4000)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			lose(s, s.driver())
			if _, ok := s.sink.Await(s.ctx, []byte("up"), 1); !ok {
				t.Fatal("the message did not come")
			}
			s.until("each session is booked", func() bool { return uint64(len(s.sink.Checks())) == s.modem.Stats().Sessions })
		})
	}
}

// A lost reply to +SBDIX is an unknown outcome, until the transceiver's count of sessions is compared with the one before.
func TestLostStatusIsFoundByMOMSN(t *testing.T) {
	for _, c := range []struct {
		name  string
		step  sbdterm.Step
		tries int // sessions until the network has the message
	}{
		{"reply lost, taken", sbdterm.Step{Mute: true}, 1},
		{"reply lost, not taken", sbdterm.Step{Mute: true, MO: 18}, 2},
		{"power cut before", sbdterm.Step{Power: sbdterm.PowerBefore}, 2},
		{"power cut after", sbdterm.Step{Power: sbdterm.PowerAfter}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			tr := s.driver()
			tr.SessionFor(300 * time.Millisecond)
			s.start(tr)
			s.modem.Inject(c.step)
			s.send(tr, 1, "down")
			s.cleared(s.put("up"))
			s.wantTaken("down")
			if st := tr.Stats(); st.Lost == 0 || st.Recovered != st.Lost || st.Sent != 1 { // on a busy machine others may be late, too
				t.Errorf("stats %+v, want all that were lost recovered", st)
			}
		})
	}
}

// The line is lost in a session: the Send cannot know, and the next Run finds out, so that the queue's repeat costs nothing.
func TestLineLostInASession(t *testing.T) {
	for _, step := range []sbdterm.Step{{Unplug: true}, {Unplug: true, MO: 18}} {
		t.Run(fmt.Sprintf("status %d", step.MO), func(t *testing.T) {
			s := newSite(t)
			tr := s.driver()
			r := s.start(tr)
			s.modem.Inject(step)
			_, err := tr.Send(s.ctx, downlink(1, "down"))
			fails(t, err, transports.MaybeSent)
			if r.ended() == nil {
				t.Fatal("Run returned nil when the line was lost")
			}
			if err := s.modem.Plug(); err != nil {
				t.Fatal(err)
			}
			s.start(tr)
			s.send(tr, 1, "down")
			s.wantTaken("down")
		})
	}
}

// Another program's sessions change the count: then nobody knows, and nothing is sent blindly.
func TestMOMSNThatFitsNeither(t *testing.T) {
	s := newSite(t)
	tr := s.driver()
	r := s.start(tr)
	s.modem.Inject(sbdterm.Step{Unplug: true})
	_, err := tr.Send(s.ctx, downlink(1, "down"))
	fails(t, err, transports.MaybeSent)
	_ = r.ended()
	s.modem.Forget(4000)
	if err := s.modem.Plug(); err != nil {
		t.Fatal(err)
	}
	s.start(tr)
	if s.modem.Stats().MO {
		t.Error("the MO buffer was not cleared")
	}
	s.cleared(s.put("up"))
	s.wantTaken("down")
}

// +SBDI detaches the transceiver from ring alerts.
func TestOnlySBDIXIsUsed(t *testing.T) {
	s := newSite(t)
	tr := s.driver()
	s.start(tr)
	s.send(tr, 1, "down")
	s.cleared(s.put("up"))
	if st := s.modem.Stats(); st.Detaching != 0 || st.Registration != 2 {
		t.Errorf("%d sessions that detach, registration %d", st.Detaching, st.Registration)
	}
	if text := s.written(); !strings.Contains(text, "AT+SBDIX\r") || !strings.Contains(text, "AT+SBDIXA\r") {
		t.Errorf("written %q, want +SBDIX for the message and +SBDIXA for the ring alert", text)
	}
}

// SBDRING cuts into answers, also between a command and the raw bytes that answer it.
func TestRingAlertCutsIntoAnswers(t *testing.T) {
	s := newSite(t, func(o *sbdterm.Options) { o.EchoA, o.Tight = true, true })
	tr := s.driver()
	s.modem.Interleave(6)
	s.start(tr)
	for i := range 5 {
		s.modem.Interleave(6)
		up, down := fmt.Sprintf("\r\nSBDRING\r\n\x00%d", i), fmt.Sprintf("\nAT+SBDIX\r\x00%d", i)
		id := s.put(up)
		s.send(tr, uint64(i)+1, down)
		s.cleared(id)
		if _, ok := s.sink.Await(s.ctx, []byte(up), 1); !ok {
			t.Fatalf("%q did not come", up)
		}
	}
	if st := tr.Stats(); st.Rings == 0 || st.Garbled != 0 || st.Timeouts != 0 {
		t.Errorf("stats %+v, want rings and no trouble", st)
	}
}

// A mailbox check is paid for like a message: there is none without a reason.
func TestMailboxChecksOnlyWhenTheyPay(t *testing.T) {
	t.Run("never by itself", func(t *testing.T) {
		s := newSite(t)
		tr := s.driver()
		tr.LookEvery(time.Millisecond)
		s.start(tr)
		s.until("many looks", func() bool { return strings.Count(s.written(), "AT+SBDSX\r") > 20 })
		if n := s.modem.Stats().Sessions; n != 0 {
			t.Errorf("%d sessions without a reason", n)
		}
	})
	t.Run("at the interval that is configured", func(t *testing.T) {
		s := newSite(t)
		tr := s.driver(func(c *sbdmodem.Config) { c.NoRings = true })
		tr.CheckEvery(5 * time.Millisecond)
		id := s.put("up")
		s.start(tr)
		s.cleared(id)
		s.until("a check in vain", func() bool { return tr.Stats().Empty > 0 })
		if st := tr.Stats(); st.Checks <= st.Empty {
			t.Errorf("%d checks, %d in vain: want the one that brought a message too", st.Checks, st.Empty)
		}
	})
	t.Run("when a ring alert was missed", func(t *testing.T) {
		s := newSite(t)
		tr := s.driver()
		r := s.start(tr)
		s.until("it is registered", func() bool { return s.modem.Stats().Registration == 2 })
		r.stop()
		id := s.put("up")
		s.until("it rang", func() bool { return s.modem.Stats().Rings > 0 })
		s.start(tr)
		s.cleared(id)
	})
}

// Lines end with CR alone: an LF would become the first byte of a message. Echo and flow control are off.
func TestLinesEndWithCR(t *testing.T) {
	s := newSite(t)
	tr := s.driver()
	s.start(tr)
	s.send(tr, 1, "down")
	s.cleared(s.put("up"))
	text := s.written()
	if strings.Contains(text, "\n") || s.modem.Stats().LineFeeds != 0 {
		t.Errorf("written %q, want no LF", text)
	}
	for _, want := range []string{"ATE0\r", "AT&K0\r", "AT+SBDMTA=1\r", "AT+SBDWB=4\rdown\x01\xb8"} {
		if !strings.Contains(text, want) {
			t.Errorf("written %q, want %q", text, want)
		}
	}
}

// Firmware before TA13001 must not have a session before it knows the system's time.
func TestOldFirmwareWaitsForTheTime(t *testing.T) {
	for version, want := range map[string]bool{"TA12003": true, "TA13001": false, "unreadable": true} {
		s := newSite(t, func(o *sbdterm.Options) { o.Firmware = version })
		tr := s.driver(func(c *sbdmodem.Config) { c.NoRings = true })
		r := s.start(tr)
		s.send(tr, 1, "down")
		if text := s.written(); strings.Contains(text, "AT-MSSTM\r") != want {
			t.Errorf("%s: written %q, want -MSSTM: %t", version, text, want)
		}
		r.stop()
	}
}

// A send whose turn does not come has asked nobody.
func TestSendWaitsItsTurn(t *testing.T) {
	s := newSite(t)
	release := make(chan struct{})
	defer close(release)
	s.sink.Judge = func(context.Context, transports.Uplink) (transports.Settlement, error) {
		<-release
		return transports.Stored, nil
	}
	tr := s.driver()
	tr.SendFor(20 * time.Millisecond)
	s.start(tr)
	s.put("held")
	if _, ok := s.sink.Await(s.ctx, []byte("held"), 1); !ok {
		t.Fatal("the message did not come")
	}
	_, err := tr.Send(s.ctx, downlink(1, "down"))
	if fails(t, err, transports.NotSent); !transports.Unasked(err) {
		t.Errorf("%v, as if the network had been asked", err)
	}
}

// Without signal there is no session, and a message goes back to the queue.
func TestNoSessionWithoutSignal(t *testing.T) {
	s := newSite(t)
	tr := s.driver()
	tr.SendFor(300 * time.Millisecond)
	s.start(tr)
	s.until("it is registered", func() bool { return tr.Stats().Registered })
	s.modem.SetSky(0)
	before := s.modem.Stats().Sessions
	_, err := tr.Send(s.ctx, downlink(1, "down"))
	failed := fails(t, err, transports.NotSent)
	if !failed.Slow || !failed.Unasked || failed.Code != 32 {
		t.Errorf("%+v, want slow, not asked, 32", failed)
	}
	if st := s.modem.Stats(); st.Sessions != before || st.MO || tr.Stats().Weak == 0 {
		t.Errorf("%d sessions without signal, MO %t", st.Sessions-before, st.MO)
	}
	s.modem.SetSky(5)
	tr.SendFor(time.Minute)
	s.send(tr, 1, "down")
	s.wantTaken("down")
}

// A transceiver can be rung only while it is registered, and must wait three minutes between two registrations.
func TestRegistration(t *testing.T) {
	s := newSite(t, func(o *sbdterm.Options) { o.Register = 30 * time.Millisecond })
	tr := s.driver(func(c *sbdmodem.Config) { c.Moving = true })
	tr.LookEvery(5 * time.Millisecond)
	tr.CommandFor(500 * time.Millisecond)
	s.start(tr)
	s.until("it is registered", func() bool { return tr.Stats().Registered })
	s.modem.CutPower()
	s.until("it is registered again", func() bool {
		return tr.Stats().Reboots == 1 && s.modem.Stats().Registration == 2 && tr.Stats().Registered
	})
	if !strings.Contains(s.written(), "AT+SBDAREG=1\r") {
		t.Error("it does not register by itself when it moves")
	}
	s.cleared(s.put("up"))
	if n := tr.Stats().Checks; n != 1 {
		t.Errorf("%d sessions, want the one after the ring alert", n)
	}
}

// Statuses that are for good end the Send; others are tried again.
func TestStatuses(t *testing.T) {
	forGood := map[int]transports.Outcome{12: transports.Refused, 14: transports.Refused, 15: transports.NotSent, 16: transports.NotSent}
	s := newSite(t)
	tr := s.driver()
	s.start(tr)
	want := 0
	for _, status := range []int{5, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 32, 33, 34, 35, 36, 37, 38, 64, 65, 99} {
		s.modem.Inject(sbdterm.Step{MO: status})
		_, err := tr.Send(s.ctx, downlink(uint64(status), fmt.Sprint(status)))
		if want, ends := forGood[status]; ends {
			failed := fails(t, err, want)
			// What somebody can mend is not the message's fault; what is must not be put down to the device.
			if failed.Code != status || failed.Slow != (want == transports.NotSent) || errors.Is(err, transports.ErrTooLarge) == failed.Slow {
				t.Errorf("status %d: %v", status, failed)
			}
			continue
		}
		if err != nil {
			t.Errorf("status %d, then success: %v", status, err)
		}
		want++
	}
	for status := 1; status < 5; status++ { // also success
		s.modem.Inject(sbdterm.Step{MO: status})
		s.send(tr, uint64(status), "well")
		want++
	}
	if n := len(s.taken()); n != want {
		t.Errorf("the network took %d messages, want %d", n, want)
	}
}

// A message that the transceiver does not take ends by itself, and not the line under all others.
func TestTransceiverThatTakesLess(t *testing.T) {
	s := newSite(t, func(o *sbdterm.Options) { o.MOMost = 100 })
	tr := s.driver()
	s.start(tr)
	_, err := tr.Send(s.ctx, downlink(1, strings.Repeat("x", 101)))
	if fails(t, err, transports.Refused); !errors.Is(err, transports.ErrTooLarge) {
		t.Error(err)
	}
	s.send(tr, 2, "down")
	s.wantTaken("down")
	if st := tr.Stats(); st.Setups != 1 {
		t.Errorf("set up %d times", st.Setups)
	}
}

// A message that should have come with a session and did not is asked for again.
func TestMTFailure(t *testing.T) {
	s := newSite(t)
	tr := s.driver()
	s.start(tr)
	s.modem.Inject(sbdterm.Step{MTFail: true})
	s.cleared(s.put("up"))
	if n := tr.Stats().MTFailed; n != 1 {
		t.Errorf("%d failures, want 1", n)
	}
}

// Each such try is paid for: one that never comes is left after a few, until there is another reason for a session.
func TestMTFailureForGood(t *testing.T) {
	s := newSite(t)
	tr := s.driver()
	s.start(tr)
	const tries = 5
	for range tries {
		s.modem.Inject(sbdterm.Step{MTFail: true})
	}
	id := s.put("up")
	s.until("it is given up", func() bool { return tr.Stats().MTFailed == tries })
	s.send(tr, 1, "down") // which brings it
	s.cleared(id)
	if st := tr.Stats(); st.Sessions != tries+1 || st.Checks != tries {
		t.Errorf("%d sessions with %d checks, want %d and %d", st.Sessions, st.Checks, tries+1, tries)
	}
}

// A flag of ring alerts that stays after its session is believed once.
func TestRingFlagThatStays(t *testing.T) {
	s := newSite(t, func(o *sbdterm.Options) { o.FlagStays = true })
	tr := s.driver()
	tr.LookEvery(time.Millisecond)
	s.start(tr)
	s.cleared(s.put("up"))
	s.until("a look that finds it", func() bool { return tr.Stats().Empty == 1 })
	looks := strings.Count(s.written(), "AT+SBDSX\r")
	s.until("many looks", func() bool { return strings.Count(s.written(), "AT+SBDSX\r") > looks+20 })
	if st := tr.Stats(); st.Checks != 2 {
		t.Errorf("%d checks, want the one that brought the message and the one in vain", st.Checks)
	}
}

// What the web service of a RockBLOCK takes for an order to itself is never sent, nor what is not for the peer.
func TestRefusals(t *testing.T) {
	s := newSite(t)
	tr := s.driver(func(c *sbdmodem.Config) { c.Peer = peer })
	s.start(tr)
	d := downlink(1, "RB0012345down")
	_, err := tr.Send(s.ctx, d)
	fails(t, err, transports.Refused)
	d = downlink(1, "down")
	d.To.ID = "300234010753372"
	_, err = tr.Send(s.ctx, d)
	fails(t, err, transports.Refused)
	d.To.ID = "+491700000001"
	_, err = tr.Send(s.ctx, d)
	fails(t, err, transports.Refused)
	d = downlink(1, "")
	_, err = tr.Send(s.ctx, d)
	fails(t, err, transports.Refused)
	s.put("up")
	if u, ok := s.sink.Await(s.ctx, []byte("up"), 1); !ok || u.From.ID != peer || u.Ref == "" {
		t.Errorf("uplink %+v, want one from the peer, with a number", u)
	}
	s.wantTaken()
}

// A message that comes garbled over the line is read again; one that stays so is kept for people.
func TestGarbledBlock(t *testing.T) {
	s := newSite(t)
	tr := s.driver()
	s.start(tr)
	s.modem.Garble(2)
	s.cleared(s.put("up"))
	if u := s.sink.Received(); len(u) != 1 || u[0].Content != transports.ContentData || string(u[0].Payload) != "up" {
		t.Fatalf("uplinks %+v", u)
	}
	s.modem.Garble(1 << 30)
	s.cleared(s.put("once more"))
	if u := s.sink.Received(); len(u) != 2 || u[1].Content != transports.ContentRaw || !strings.Contains(string(u[1].Payload), "once more") {
		t.Fatalf("uplinks %+v", u)
	}
}

// One that starts over forgets its settings, and shows it by its echo.
func TestPowerCut(t *testing.T) {
	s := newSite(t)
	tr := s.driver()
	s.start(tr)
	s.send(tr, 1, "one")
	s.modem.CutPower()
	s.until("it has started over", func() bool { return s.modem.Stats().Boots == 2 })
	s.send(tr, 2, "two")
	s.until("it is set up anew", func() bool { return tr.Stats().Setups == 2 })
	s.cleared(s.put("up"))
	s.wantTaken("one", "two")
}

func TestMuteTransceiver(t *testing.T) {
	s := newSite(t)
	s.modem.Silence(true)
	if err := s.launch(s.driver()).ended(); !errors.Is(err, sbdmodem.ErrMute) {
		t.Errorf("Run returned %v", err)
	}
	s.modem.Silence(false)
	other := s.driver(func(c *sbdmodem.Config) { c.IMEI = peer })
	if err := s.launch(other).ended(); !errors.Is(err, sbdmodem.ErrWrongModem) {
		t.Errorf("Run returned %v", err)
	}
}
