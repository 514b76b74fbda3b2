package idp_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/igws"
	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/idp"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

// upWith runs the transport and waits for its line.
func (p *pair) upWith(t *testing.T, sink *transporttest.Sink) (stop func()) {
	t.Helper()
	stop = p.start(t, sink)
	p.until(t, "it is up", p.Up)
	return stop
}

func (p *pair) send(t *testing.T, d transports.Downlink) transports.Receipt {
	t.Helper()
	r, err := p.Send(t.Context(), d)
	if err != nil {
		t.Fatalf("Send: %v", err)
	}
	return r
}

// What goes to a terminal has SIN and MIN in front, in the form of the dialect, and an id of 31 bits for the user.
func TestSubmission(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			for _, wrapped := range []bool{false, true} {
				p := newPair(t, dialect, igws.Options{Wrapped: wrapped}, func(c *idp.Config) { c.SIN, c.MIN = 200, 3 })
				p.upWith(t, &transporttest.Sink{})
				r := p.send(t, downlink("\x00down\xff"))
				f := p.service.Forwards()
				if len(f) != 1 || string(f[0].Message) != "\xc8\x03\x00down\xff" || f[0].To != mobile(1) || f[0].User != 7 {
					t.Fatalf("the gateway has %+v", f)
				}
				if r.Ref != fmt.Sprint(f[0].ID) || r.Parts != 1 {
					t.Errorf("receipt %+v, want %d", r, f[0].ID)
				}
			}
		})
	}
}

// What the gateway says no with, and what that means for the message.
func TestErrorCodesOfSubmissions(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			p := newPair(t, dialect, igws.Options{}, nil)
			p.upWith(t, &transporttest.Sink{})
			for code, want := range map[int]struct {
				outcome transports.Outcome
				slow    bool
			}{
				16: {transports.NotSent, false}, 18: {transports.NotSent, false}, 19: {transports.NotSent, false}, 20: {transports.NotSent, false},
				128: {transports.NotSent, false}, 21817: {transports.NotSent, false},
				17681: {transports.NotSent, true}, 21795: {transports.NotSent, true}, 21796: {transports.NotSent, true}, // the queue is full for a while
				513: {transports.Refused, false}, 514: {transports.Refused, false}, 16897: {transports.Refused, false}, 16898: {transports.Refused, false},
				21797: {transports.Refused, false}, 17: {transports.Refused, false}, 99999: {transports.Refused, false},
			} {
				p.service.Fail(igws.CallSubmit, igws.Fault{Code: code})
				_, err := p.Send(t.Context(), downlink("x"))
				wantSendError(t, err, want.outcome, want.slow, code)
				if tooLarge := errors.Is(err, transports.ErrTooLarge); tooLarge != (code == 21797) {
					t.Errorf("code %d: %v, too large: %t", code, err, tooLarge)
				}
			}
			for name, c := range map[string]struct {
				f       igws.Fault
				outcome transports.Outcome
				slow    bool
				code    int
			}{
				"not answered":     {igws.Fault{Silent: true}, transports.MaybeSent, false, 0},
				"status 500":       {igws.Fault{Status: 500}, transports.MaybeSent, false, 500},
				"status 408":       {igws.Fault{Status: 408}, transports.MaybeSent, false, 408},
				"status 404":       {igws.Fault{Status: 404}, transports.NotSent, true, 404},
				"status 429":       {igws.Fault{Status: 429}, transports.NotSent, false, 429},
				"no JSON":          {igws.Fault{Body: []byte("OK")}, transports.MaybeSent, false, 0},
				"about none":       {igws.Fault{Body: []byte(`{"ErrorID":0,"Submissions":[]}`)}, transports.MaybeSent, false, 0},
				"null":             {igws.Fault{Body: []byte(`{"ErrorID":0,"Submissions":null}`)}, transports.MaybeSent, false, 0},
				"without an id":    {igws.Fault{Body: []byte(`{"ErrorID":0,"Submissions":[{"ErrorID":0}]}`)}, transports.MaybeSent, false, 0},
				"refused in v1":    {igws.Fault{Body: []byte(`{"ErrorID":0,"Submissions":[{"ErrorID":513,"ForwardMessageID":-1}]}`)}, transports.Refused, false, 513},
				"refused, wrapped": {igws.Fault{Body: []byte(`{"SubmitForwardMessages_JResult":{"ErrorID":20}}`)}, transports.NotSent, false, 20},
			} {
				p.service.Fail(igws.CallSubmit, c.f)
				_, err := p.Send(t.Context(), downlink("x"))
				t.Log(name)
				wantSendError(t, err, c.outcome, c.slow, c.code)
			}
			p.service.Fail(igws.CallSubmit, igws.Fault{Code: 21785})
			_, err := p.Send(t.Context(), downlink("x"))
			wantSendError(t, err, transports.NotSent, true, 21785)
		})
	}
}

// The gateway itself refuses terminals that are not the account's, full queues, and what is too long for a terminal that sleeps.
func TestTerminalsRefuse(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			p := newPair(t, dialect, igws.Options{Terminals: []igws.Terminal{{ID: mobile(1), Wake: 30 * time.Minute}}}, nil)
			p.upWith(t, &transporttest.Sink{})
			strange := downlink("x")
			strange.To.ID = mobile(3)
			_, err := p.Send(t.Context(), strange)
			wantSendError(t, err, transports.Refused, false, 514)
			_, err = p.Send(t.Context(), downlink(strings.Repeat("x", 5001)))
			wantSendError(t, err, transports.Refused, false, 21797)
			for i := range 10 {
				p.send(t, downlink(fmt.Sprint(i)))
			}
			_, err = p.Send(t.Context(), downlink("one too many"))
			wantSendError(t, err, transports.NotSent, true, 21795)
			if s := p.Stats(); s.Scheduled != 10 || s.Sent != 10 || s.SendErrors != 3 {
				t.Errorf("%+v", s)
			}
			p.service.Wake(mobile(1))
			p.send(t, downlink("now there is room"))
		})
	}
}

// In a low-power mode half as much fits.
func TestLimits(t *testing.T) {
	for low, want := range map[bool]int{false: 9998, true: 4998} {
		p := newPair(t, idp.V1, igws.Options{}, func(c *idp.Config) { c.LowPower = low })
		if l := p.Limits(); l.DownlinkMax != want || l.UplinkMax != 6398 {
			t.Errorf("low power %t: %+v", low, l)
		}
	}
}

func TestSendNeedsAnAddress(t *testing.T) {
	p := newPair(t, idp.V1, igws.Options{}, nil)
	p.upWith(t, &transporttest.Sink{})
	for _, to := range []transports.Address{
		{}, {Bearer: transports.IDP}, {Bearer: transports.SBD, ID: mobile(1)}, {Bearer: transports.IDP, ID: "01000001skyabc1"}, {Bearer: transports.IDP, ID: "300234010753370"},
	} {
		d := downlink("x")
		d.To = to
		_, err := p.Send(t.Context(), d)
		wantSendError(t, err, transports.Refused, false, 0)
	}
	_, err := p.Send(t.Context(), downlink(""))
	wantSendError(t, err, transports.Refused, false, 0)
}

// Each state of a message is a report or none, and only the last ones end it.
func TestStates(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			for state, want := range map[int]struct {
				state transports.ReportState
				code  int
			}{
				igws.Received: {transports.ReportDelivered, 1}, igws.Failed: {transports.ReportFailed, 21813}, igws.TimedOut: {transports.ReportFailed, 21812},
				igws.Cancelled: {transports.ReportFailed, 5},
			} {
				p := newPair(t, dialect, igws.Options{}, nil)
				sink := &transporttest.Sink{}
				p.upWith(t, sink)
				r := p.send(t, downlink("x"))
				code := 0
				if want.code > 10 {
					code = want.code
				}
				calls := p.service.Calls(igws.CallStatuses)
				p.until(t, "its state was asked for", func() bool { return p.service.Calls(igws.CallStatuses) > calls+1 })
				if !p.service.Resolve(p.service.Forwards()[0].ID, state, code) {
					t.Fatal("it has ended")
				}
				got, ok := sink.AwaitReport(within(t), r.Ref, 1)
				if !ok || got.State != want.state || got.Code != want.code || got.To.ID != mobile(1) || got.At.IsZero() {
					t.Errorf("state %d: %+v (%t), want %+v", state, got, ok, want)
				}
				p.wants(t, "nothing under way", func(k kept) bool { return len(k.Forwards) == 0 })
			}
		})
	}
}

// OGWS has further states, of messages that wait.
func TestStatesThatWait(t *testing.T) {
	p := newPair(t, idp.OGWS, igws.Options{}, nil)
	sink := &transporttest.Sink{}
	p.upWith(t, sink)
	r := p.send(t, downlink("x"))
	status := fmt.Sprintf(`{"ErrorID":0,"NextFromUTC":"","Statuses":[{"ID":%s,"State":6,"IsClosed":false,"StatusUTC":"2026-01-01 00:00:00"},{"ID":5,"State":1,"IsClosed":true}]}`, r.Ref)
	p.service.Fail(igws.CallStatuses, igws.Fault{Body: []byte(status)}, igws.Fault{Body: []byte(status)})
	if got, ok := sink.AwaitReport(within(t), r.Ref, 1); !ok || got.State != transports.ReportPending || got.Code != 6 {
		t.Errorf("%+v, %t", got, ok)
	}
	calls := p.service.Calls(igws.CallStatuses)
	p.until(t, "it was asked for again", func() bool { return p.service.Calls(igws.CallStatuses) > calls })
	p.service.Wake(mobile(1))
	delivered(t, sink, r.Ref, 2)
}

// A report that the sink could not store comes again.
func TestReportThatWasNotStored(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			p := newPair(t, dialect, igws.Options{}, nil)
			times := 0
			sink := &transporttest.Sink{JudgeReport: func(transports.Report) error {
				if times++; times < 3 {
					return transporttest.ErrSink
				}
				return nil
			}}
			p.upWith(t, sink)
			r := p.send(t, downlink("x"))
			p.service.Wake(mobile(1))
			if _, ok := sink.AwaitReport(within(t), r.Ref, 3); !ok {
				t.Fatal("it was not reported again")
			}
			p.wants(t, "nothing under way", func(k kept) bool { return len(k.Forwards) == 0 })
		})
	}
}

// What has expired is cancelled at the gateway, after a restart too, so that it takes no place in the terminal's queue.
func TestExpiredIsCancelled(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			for _, restart := range []bool{false, true} {
				p := newPair(t, dialect, igws.Options{Wrapped: true}, nil)
				var ahead atomic.Int64
				now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
				p.SetClock(now)
				sink := &transporttest.Sink{}
				stop := p.upWith(t, sink)
				d := downlink("soon over")
				d.Expires = time.Now().Add(time.Hour)
				r := p.send(t, d)
				stays := p.send(t, downlink("stays"))
				if restart {
					stop()
					p.again(t, dialect, nil)
					p.SetClock(now)
				}
				ahead.Store(int64(2 * time.Hour))
				if restart {
					p.start(t, sink)
				}
				if got, ok := sink.AwaitReport(within(t), r.Ref, 1); !ok || got.State != transports.ReportFailed || got.Code != igws.Cancelled {
					t.Errorf("restart %t: %+v, %t", restart, got, ok)
				}
				for _, f := range p.service.Forwards() {
					if want := map[string]int{r.Ref: igws.Cancelled, stays.Ref: igws.Submitted}[fmt.Sprint(f.ID)]; f.State != want {
						t.Errorf("restart %t: %+v, want state %d", restart, f, want)
					}
				}
			}
		})
	}
}

// A message that cannot be cancelled any more is not asked for again; an error that passes is no reason to give up.
func TestCancelFails(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			for code, again := range map[int]bool{115: false, 17685: false, 18: true} {
				p := newPair(t, dialect, igws.Options{}, nil)
				var ahead atomic.Int64
				p.SetClock(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
				p.upWith(t, &transporttest.Sink{})
				one := fmt.Sprintf(`{"ErrorID":0,"Submissions":[{"ErrorID":%d,"ForwardMessageID":-1}]}`, code)
				p.service.Fail(igws.CallCancel, igws.Fault{Status: 500}, igws.Fault{Body: []byte(one)})
				d := downlink("x")
				d.Expires = time.Now().Add(time.Hour)
				p.send(t, d)
				ahead.Store(int64(2 * time.Hour))
				want := 2
				if again {
					want = 3
				}
				p.wants(t, "a message that was cancelled, or has ended", func(k kept) bool { return len(k.Forwards) == 0 || k.Forwards[0].Cancelled })
				calls := p.service.Calls(igws.CallStatuses)
				if !again {
					p.until(t, "its state was asked for", func() bool { return p.service.Calls(igws.CallStatuses) > calls+2 })
				}
				if n := p.service.Calls(igws.CallCancel); n != want {
					t.Errorf("code %d: it was asked to cancel %d times, want %d", code, n, want)
				}
			}
		})
	}
}

// With flush a message takes the place of those that wait for its terminal, and of no others.
func TestFlush(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			p := newPair(t, dialect, igws.Options{}, func(c *idp.Config) { c.Flush = true })
			p.upWith(t, &transporttest.Sink{})
			other := downlink("other")
			other.To.ID = mobile(2)
			p.send(t, other)
			p.send(t, downlink("old"))
			p.service.Fail(igws.CallCancel, igws.Fault{}, igws.Fault{Status: 500}) // no reason to keep the next one back
			p.send(t, downlink("older"))
			p.send(t, downlink("older still"))
			p.send(t, downlink("new"))
			want := map[string]int{"other": igws.Submitted, "old": igws.Cancelled, "older": igws.Cancelled, "older still": igws.Cancelled, "new": igws.Submitted}
			for _, f := range p.service.Forwards() {
				if payload := string(f.Message[2:]); f.State != want[payload] {
					t.Errorf("%q has state %d, want %d", payload, f.State, want[payload])
				}
			}
		})
	}
}

// A terminal that is out of sight, or asleep, holds up no other, and gets what waits once it listens.
func TestTerminalsWaitAlone(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			p := newPair(t, dialect, igws.Options{}, nil)
			sink := &transporttest.Sink{}
			p.upWith(t, sink)
			p.service.Hide(mobile(1), true)
			waits := p.send(t, downlink("waits"))
			other := downlink("other")
			other.To.ID = mobile(2)
			goes := p.send(t, other)
			p.service.Wake(mobile(1))
			p.service.Wake(mobile(2))
			delivered(t, sink, goes.Ref, 1)
			p.service.Hide(mobile(1), false)
			p.service.Wake(mobile(1))
			delivered(t, sink, waits.Ref, 1)
		})
	}
}

// Send gives up with its context while another one is under way.
func TestSendGivesUp(t *testing.T) {
	p := newPair(t, idp.V1, igws.Options{}, nil)
	p.upWith(t, &transporttest.Sink{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := p.Send(ctx, downlink("x"))
	wantSendError(t, err, transports.NotSent, false, 0)
	if n := p.service.Calls(igws.CallSubmit); n != 0 {
		t.Errorf("%d submissions", n)
	}
}
