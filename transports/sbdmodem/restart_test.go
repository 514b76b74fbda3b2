package sbdmodem_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/sbdterm"
	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/sbdmodem"
	"github.com/godwit-gateway/godwit/transports/serial"
	"github.com/godwit-gateway/godwit/transports/transporttest"
	"github.com/godwit-gateway/godwit/transports/tty"
)

// die ends a driver as a crash would: in the middle of whatever it does, with nothing of it finished.
func (r *running) die() {
	r.s.t.Helper()
	r.cancel()
	_ = r.ended()
}

// A process that dies while the transceiver's buffers are full loses nothing, and has nothing sent twice: the queue brings the message again, and the next process
// knows by its journal and the transceiver's count what became of it.
func TestRestartWithFullBuffers(t *testing.T) {
	for _, taken := range []bool{true, false} {
		t.Run(fmt.Sprintf("taken %t", taken), func(t *testing.T) {
			s := newSite(t)
			first := s.driver()
			first.GraceOf(0)
			r := s.start(first)
			step := sbdterm.Step{}
			if !taken {
				step.MO = 18
			}
			s.modem.Inject(step)
			s.modem.Hold(true)
			sent := make(chan error, 1)
			go func() {
				_, err := first.Send(s.ctx, downlink(1, "down"))
				sent <- err
			}()
			s.until("the session is under way", func() bool { return s.modem.Stats().Sessions == 1 })
			up := s.put("up") // comes with it, if it goes well
			r.die()
			s.modem.Hold(false)
			fails(t, <-sent, transports.MaybeSent)
			s.until("the session is over", func() bool { st := s.modem.Stats(); return st.MOs == 1 || st.Failed == 1 })

			second := s.driver()
			s.start(second)
			if s.modem.Stats().MO {
				t.Error("the MO buffer is full after the start")
			}
			s.send(second, 1, "down")
			s.cleared(up)
			s.wantTaken("down")
			if n := second.Stats().Repeats; n != map[bool]uint64{true: 1, false: 0}[taken] {
				t.Errorf("%d repeats were known", n)
			}
			if st := s.modem.Stats(); st.Overwritten != 0 {
				t.Errorf("%d messages were lost to sessions", st.Overwritten)
			}
		})
	}
}

// One that dies after the network took a message and before anybody could write that down is the same.
func TestReceiptThatNobodyWroteDown(t *testing.T) {
	s := newSite(t)
	first := s.driver()
	r := s.start(first)
	s.send(first, 1, "down") // and the queue has not heard of it
	r.die()
	second := s.driver()
	s.start(second)
	s.send(second, 1, "down")
	s.send(second, 2, "down") // another message that says the same
	s.wantTaken("down", "down")
}

// A message that the sink had not settled is in the transceiver still, and is read at the next start.
func TestRestartWithAMessageThatIsNotSettled(t *testing.T) {
	s := newSite(t)
	s.sink.Judge = func(context.Context, transports.Uplink) (transports.Settlement, error) {
		return transports.Unsettled, transporttest.ErrSink
	}
	first := s.driver()
	r := s.start(first)
	id := s.put("up")
	if _, ok := s.sink.Await(s.ctx, []byte("up"), 1); !ok {
		t.Fatal("the message did not come")
	}
	r.stop()
	s.sink = &transporttest.Sink{}
	s.start(s.driver())
	s.cleared(id)
	if u := s.sink.Received(); len(u) != 1 || string(u[0].Payload) != "up" {
		t.Errorf("uplinks %+v", u)
	}
	if st := s.modem.Stats(); st.Overwritten != 0 || st.Sessions != 1 {
		t.Errorf("%d sessions, %d messages lost to them", st.Sessions, st.Overwritten)
	}
}

// What is in hand is finished, but not for ever.
func TestGrace(t *testing.T) {
	s := newSite(t)
	s.sink.Judge = func(ctx context.Context, _ transports.Uplink) (transports.Settlement, error) {
		<-ctx.Done()
		return transports.Unsettled, ctx.Err()
	}
	first := s.driver()
	first.GraceOf(50 * time.Millisecond)
	r := s.start(first)
	id := s.put("up")
	if _, ok := s.sink.Await(s.ctx, []byte("up"), 1); !ok {
		t.Fatal("the message did not come")
	}
	r.cancel()
	if err := r.ended(); !errors.Is(err, serial.ErrGrace) {
		t.Errorf("Run returned %v although it gave up what was in hand", err)
	}
	s.sink = &transporttest.Sink{}
	s.start(s.driver())
	s.cleared(id)
}

// A process that died while it wrote a message leaves a transceiver that takes whatever comes for the rest of it.
func TestStartInTheMiddleOfAMessage(t *testing.T) {
	s := newSite(t)
	port, err := tty.Open(s.modem.Path(), sbdmodem.BaudDefault)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := port.Write([]byte("AT+SBDWB=340\rhalf of it")); err != nil {
		t.Fatal(err)
	}
	s.until("it has begun", func() bool { return s.modem.Stats().Commands == 1 })
	if err := port.Close(); err != nil {
		t.Fatal(err)
	}
	tr := s.driver()
	s.start(tr)
	s.send(tr, 1, "down")
	s.wantTaken("down")
}

// Another program may have switched to numbers, in which a ring alert has no name that all firmware agrees on.
func TestStartWithNumericResults(t *testing.T) {
	s := newSite(t)
	port, err := tty.Open(s.modem.Path(), sbdmodem.BaudDefault)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := port.Write([]byte("ATV0\r")); err != nil {
		t.Fatal(err)
	}
	s.until("it says numbers", func() bool { return s.modem.Stats().Commands == 1 })
	if err := port.Close(); err != nil {
		t.Fatal(err)
	}
	tr := s.driver()
	s.start(tr)
	s.cleared(s.put("up"))
	if st := tr.Stats(); st.Rings == 0 || st.Setups != 1 {
		t.Errorf("%+v, want a ring alert and one start", st)
	}
}

// What another program has left in the MO buffer, or a process without a journal, is never sent as it lies there.
func TestForeignMessageInTheMOBuffer(t *testing.T) {
	for _, journal := range []string{"none", "damaged", "foreign"} {
		t.Run(journal, func(t *testing.T) {
			s := newSite(t)
			stranger := s.driver(func(c *sbdmodem.Config) { c.State = "" })
			stranger.GraceOf(0)
			r := s.start(stranger)
			s.modem.Inject(sbdterm.Step{MO: 18})
			s.modem.Hold(true)
			go func() { _, _ = stranger.Send(s.ctx, downlink(1, "left")) }()
			s.until("the session is under way", func() bool { return s.modem.Stats().Sessions == 1 })
			r.die()
			s.modem.Hold(false)
			s.until("the session is over", func() bool { return s.modem.Stats().Failed == 1 })
			switch journal {
			case "damaged":
				s.write("godwit-mark 1 00000000\nnonsense")
			case "foreign":
				s.write("godwit-mark 1 a4d6bd0d\nnonsense")
			}
			tr := s.driver()
			s.start(tr)
			if s.modem.Stats().MO {
				t.Error("the MO buffer is full after the start")
			}
			s.cleared(s.put("up"))
			s.wantTaken()
			s.send(tr, 1, "left") // it is the queue that decides
			s.wantTaken("left")
		})
	}
}

func (s *site) write(text string) {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Dir(s.state), 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(s.state, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// Without a journal that can be written nothing is sent: its outcome could not be known after a crash.
func TestJournalCannotBeWritten(t *testing.T) {
	s := newSite(t)
	s.write("")
	if err := os.Remove(s.state); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(s.state+".new", 0o700); err != nil { // where it would be written
		t.Fatal(err)
	}
	tr := s.driver()
	tr.SendFor(50 * time.Millisecond)
	s.start(tr)
	_, err := tr.Send(s.ctx, downlink(1, "down"))
	fails(t, err, transports.NotSent)
	s.wantTaken()
	if err := os.Remove(s.state + ".new"); err != nil {
		t.Fatal(err)
	}
	tr.SendFor(time.Minute)
	s.send(tr, 1, "down")
	s.cleared(s.put("up"))
	s.wantTaken("down")
}

// A Send ends with its context and with its message's time, and what it had begun is not sent after that.
func TestSendEnds(t *testing.T) {
	s := newSite(t)
	tr := s.driver(func(c *sbdmodem.Config) { c.NoRings = true })
	s.start(tr)
	s.modem.SetSky(0)
	ctx, cancel := context.WithCancel(s.ctx)
	done := make(chan error, 1)
	go func() {
		_, err := tr.Send(ctx, downlink(1, "one"))
		done <- err
	}()
	s.until("it waits for the sky", func() bool { return tr.Stats().Weak > 0 })
	cancel()
	fails(t, <-done, transports.NotSent)

	late := downlink(2, "two")
	late.Expires = time.Now().Add(50 * time.Millisecond)
	_, err := tr.Send(s.ctx, late)
	fails(t, err, transports.Refused)

	s.modem.SetSky(5)
	s.modem.Hold(true)
	ctx, cancel = context.WithCancel(s.ctx)
	go func() {
		_, err := tr.Send(ctx, downlink(3, "three"))
		done <- err
	}()
	s.until("the session is under way", func() bool { return s.modem.Stats().Sessions == 1 })
	cancel()
	fails(t, <-done, transports.MaybeSent)
	s.modem.Hold(false)
	s.wantTaken("three")
	s.send(tr, 3, "three") // the queue brings it again
	s.send(tr, 4, "four")
	s.wantTaken("three", "four")
}
