package idp_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/igws"
	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/idp"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

const pageFull = 500

// clock is one that goes on when it is told to.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Now().Unix())
	return c
}

func (c *clock) now() time.Time              { return time.Unix(c.at.Load(), 0).UTC() }
func (c *clock) pass(d time.Duration)        { c.at.Add(int64(d / time.Second)) }
func (c *clock) kept(d time.Duration) string { return c.now().Add(d).Format("2006-01-02 15:04:05") }

// timed is a pair with a clock.
func timed(t *testing.T, dialect string, o igws.Options) (*pair, *clock) {
	t.Helper()
	c := newClock()
	o.Now = c.now
	p := newPair(t, dialect, o, nil)
	p.SetClock(c.now)
	return p, c
}

// Where a gateway shows a page of a second and no way to the others, what comes later is not held up: once the second is over.
func TestSecondThatIsNotShown(t *testing.T) {
	p, c := timed(t, idp.OGWS, igws.Options{})
	second := c.now()
	for i := range pageFull + 20 {
		p.service.Show(igws.Message{Terminal: mobile(i % 4), At: second, Raw: frame(fmt.Sprint(i))})
	}
	p.service.Show(igws.Message{Terminal: mobile(0), At: second.Add(time.Second), Raw: frame("later")})
	sink := &transporttest.Sink{}
	p.start(t, sink)
	if got, ok := sink.AwaitCount(within(t), pageFull); !ok {
		t.Fatalf("the sink was given %d messages", len(got))
	}
	polls := p.service.Calls(igws.CallReturns)
	p.until(t, "it asks again", func() bool { return p.service.Calls(igws.CallReturns) > polls+2 })
	if s := p.Stats(); s.Overfull != 0 || !p.Mark().Equal(second) {
		t.Fatalf("%+v, mark %s: it went on while the second may get messages", s, p.Mark())
	}
	c.pass(2 * time.Minute)
	arrives(t, sink, "later", 1)
	if s := p.Stats(); s.Overfull != 1 || len(sink.Received()) != pageFull+1 {
		t.Errorf("%+v, %d messages", s, len(sink.Received()))
	}
}

// A second that has just a page full of messages loses none.
func TestSecondThatIsShownWhole(t *testing.T) {
	p, c := timed(t, idp.OGWS, igws.Options{})
	second := c.now()
	for i := range pageFull {
		p.service.Show(igws.Message{Terminal: mobile(i % 4), At: second, Raw: frame(fmt.Sprint(i))})
	}
	for i := range 3 {
		p.service.Show(igws.Message{Terminal: mobile(0), At: second.Add(time.Second), Raw: frame(fmt.Sprint("later", i))})
	}
	sink := &transporttest.Sink{}
	p.start(t, sink)
	if got, ok := sink.AwaitCount(within(t), pageFull); !ok {
		t.Fatalf("the sink was given %d messages", len(got))
	}
	c.pass(2 * time.Minute)
	for i := range 3 {
		arrives(t, sink, fmt.Sprint("later", i), 1)
	}
}

// What becomes of a message is learnt where others of its second fill more than a page of statuses, by a gateway that wants to be left alone between two calls too.
func TestStatusesOfAFullSecond(t *testing.T) {
	for _, dialect := range dialects {
		for name, o := range map[string]igws.Options{"": {}, "strict": {Fast: 20 * time.Millisecond}} {
			t.Run(dialect+name, func(t *testing.T) {
				p := newPair(t, dialect, o, nil)
				c := newClock()
				if o.Fast == 0 {
					p, c = timed(t, dialect, o)
				}
				second := c.now()
				for range 5 {
					for range pageFull {
						p.service.Elsewhere(mobile(0), second)
					}
					second = second.Add(time.Second)
				}
				sink := &transporttest.Sink{}
				p.upWith(t, sink)
				first := p.send(t, downlink("first"))
				p.service.Wake(mobile(1))
				delivered(t, sink, first.Ref, 1)
			})
		}
	}
}

// Once a second is over, the mark of statuses goes on behind it.
func TestMarkOfStatusesGoesOn(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			p, c := timed(t, dialect, igws.Options{})
			for range pageFull + 20 {
				p.service.Elsewhere(mobile(0), c.now())
			}
			sink := &transporttest.Sink{}
			p.upWith(t, sink)
			r := p.send(t, downlink("x"))
			calls := p.service.Calls(igws.CallStatuses)
			p.until(t, "it asks by time and by ids, and again", func() bool { return p.service.Calls(igws.CallStatuses) > calls+4 })
			if k, _ := p.file.read(t); k.Statuses != c.kept(0) {
				t.Errorf("the mark is %s: it went on while the second may get statuses", k.Statuses)
			}
			behind := c.kept(time.Second)
			c.pass(90 * time.Second)
			p.wants(t, "the mark behind the second", func(k kept) bool { return k.Statuses == behind })
			p.service.Wake(mobile(1))
			delivered(t, sink, r.Ref, 1)
		})
	}
}

// A submission whose answer was lost is found by what it holds, and followed; the equal one before it, which is followed already, is not taken for it.
func TestLostSubmissionIsFound(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			p := newPair(t, dialect, igws.Options{}, nil)
			sink := &transporttest.Sink{}
			p.upWith(t, sink)
			p.service.Elsewhere(mobile(1), time.Now())
			refs := []string{p.send(t, downlink("x")).Ref}
			p.service.Fail(igws.CallSubmit, igws.Fault{Lost: true})
			refs = append(refs, p.send(t, downlink("x")).Ref)
			other := downlink("x")
			other.To.ID = mobile(2)
			p.service.Fail(igws.CallSubmit, igws.Fault{Lost: true})
			refs = append(refs, p.send(t, other).Ref)
			var want []string
			for _, f := range p.service.Forwards()[1:] {
				want = append(want, fmt.Sprint(f.ID))
			}
			if !slices.Equal(refs, want) {
				t.Fatalf("%q, want %q", refs, want)
			}
			p.service.Wake(mobile(1))
			p.service.Wake(mobile(2))
			for _, ref := range refs {
				delivered(t, sink, ref, 1)
			}
			if s := p.Stats(); s.Sent != 3 || s.SendErrors != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// Of a submission that the gateway does not show the outcome stays unknown.
func TestLostSubmissionIsNotFound(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			p := newPair(t, dialect, igws.Options{}, nil)
			p.upWith(t, &transporttest.Sink{})
			p.service.Elsewhere(mobile(1), time.Now())
			for name, c := range map[string]struct {
				submit  igws.Fault
				looking map[string]igws.Fault
			}{
				"it never came there":    {igws.Fault{Silent: true}, nil},
				"statuses fail":          {igws.Fault{Lost: true}, map[string]igws.Fault{igws.CallStatuses: {Status: 500}}},
				"messages are not shown": {igws.Fault{Lost: true}, map[string]igws.Fault{igws.CallForwards: {Status: 404}}},
				"messages make no sense": {igws.Fault{Lost: true}, map[string]igws.Fault{igws.CallForwards: {Body: []byte(`{"ErrorID":0,"Messages":[5,{"ID":1,"DestinationID":7},{"ID":1}]}`)}}},
				"x": { // an id that was not asked for
					igws.Fault{Lost: true}, map[string]igws.Fault{igws.CallForwards: {Body: fmt.Appendf(nil, `{"ErrorID":0,"Messages":[{"ID":77,"DestinationID":%q,"RawPayload":[128,1,120]}]}`, mobile(1))}},
				},
			} {
				for call, f := range c.looking {
					p.service.Fail(call, f)
				}
				p.service.Fail(igws.CallSubmit, c.submit)
				_, err := p.Send(t.Context(), downlink(name))
				t.Log(name)
				wantSendError(t, err, transports.MaybeSent, false, 0)
			}
			if n := p.Under(); n != 0 {
				t.Errorf("%d messages are followed", n)
			}
		})
	}
}
