package idp_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/igws"
	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/idp"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

// patience bounds what a test waits for.
const patience = 20 * time.Second

// start runs the transport until stop, or the end of the test.
func (p *pair) start(t *testing.T, sink transports.Sink) (stop func()) {
	t.Helper()
	return transporttest.Start(t, p.Transport, sink)
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// say has terminal 0 send a frame.
func (p *pair) say(t *testing.T, payload string) string {
	t.Helper()
	id, err := p.service.Return(mobile(0), frame(payload))
	if err != nil {
		t.Fatal(err)
	}
	return strconv.FormatUint(id, 10)
}

// arrives waits until the sink was given a payload n times.
func arrives(t *testing.T, sink *transporttest.Sink, payload string, n int) transports.Uplink {
	t.Helper()
	u, ok := sink.Await(within(t), []byte(payload), n)
	if !ok {
		t.Fatalf("the sink was not given %q %d times; it has %d uplinks", payload, n, len(sink.Received()))
	}
	return u
}

// delivered waits for the n-th report on a message, which has to say that it was delivered.
func delivered(t *testing.T, sink *transporttest.Sink, ref string, n int) {
	t.Helper()
	if r, ok := sink.AwaitReport(within(t), ref, n); !ok || r.State != transports.ReportDelivered {
		t.Errorf("report %d on %s: %+v, %t", n, ref, r, ok)
	}
}

// wants waits until the file holds what is wanted.
func (p *pair) wants(t *testing.T, what string, want func(kept) bool) {
	t.Helper()
	if !p.file.await(within(t), t, want) {
		k, _ := p.file.read(t)
		t.Fatalf("the file does not come to hold %s: %+v", what, k)
	}
}

// until waits until something is so. It looks whenever the gateway was called.
func (p *pair) until(t *testing.T, what string, is func() bool) {
	t.Helper()
	ctx := within(t)
	for {
		called := p.called.wait()
		if is() {
			return
		}
		select {
		case <-called:
		case <-ctx.Done():
			t.Fatalf("it does not come to pass that %s: %+v", what, p.Stats())
		}
	}
}

func count(sink *transporttest.Sink, payload string) (n int) {
	for _, u := range sink.Received() {
		if string(u.Payload) == payload {
			n++
		}
	}
	return n
}

// The mark has whole seconds and includes its own: what was settled in that second comes again and again, and is known by its id, which is beyond 32 bits.
func TestMarkIncludesItsSecond(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			p := newPair(t, dialect, igws.Options{}, nil)
			sink := &transporttest.Sink{}
			p.start(t, sink)
			at := time.Now().UTC().Truncate(time.Second)
			for _, payload := range []string{"one", "two", "three"} {
				id := p.service.Show(igws.Message{Terminal: mobile(0), At: at, Raw: frame(payload)})
				if id <= 1<<32 {
					t.Fatalf("id %d is no trap", id)
				}
				if u := arrives(t, sink, payload, 1); u.Ref != strconv.FormatUint(id, 10) || !u.SentAt.Equal(at) {
					t.Errorf("uplink %+v, want %d of %s", u, id, at)
				}
			}
			calls := p.service.Calls(igws.CallReturns)
			p.until(t, "it is polled some more", func() bool { return p.service.Calls(igws.CallReturns) > calls+3 })
			if n := len(sink.Received()); n != 3 {
				t.Errorf("the sink was given %d messages, want 3", n)
			}
			if p.Stats().Repeated == 0 {
				t.Error("nothing was repeated: the mark is no trap")
			}
			p.wants(t, "three ids", func(k kept) bool { return k.Mark == at.Format("2006-01-02 15:04:05") && len(k.Settled) == 3 })
		})
	}
}

// Without messages the list is null and the mark empty: the old one stays.
func TestEmptyPageKeepsTheMark(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			p := newPair(t, dialect, igws.Options{}, nil)
			sink := &transporttest.Sink{}
			p.start(t, sink)
			p.until(t, "it was polled", func() bool { return p.Stats().Polls > 3 && p.Up() })
			before := p.Mark()
			if age := time.Since(before); age < 23*time.Hour || age > 25*time.Hour {
				t.Errorf("the first mark is %s old, want a day", age)
			}
			p.wants(t, "the first mark", func(k kept) bool { return k.Mark == before.Format("2006-01-02 15:04:05") })
			p.say(t, "up")
			arrives(t, sink, "up", 1)
		})
	}
}

// A page is a part of what there is.
func TestPages(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			p := newPair(t, dialect, igws.Options{Page: 7}, nil)
			from := time.Now().Add(-time.Hour)
			for i := range 40 {
				p.service.Show(igws.Message{Terminal: mobile(i % 4), At: from.Add(time.Duration(i) * time.Second), Raw: frame(fmt.Sprint(i))})
			}
			sink := &transporttest.Sink{}
			p.start(t, sink)
			for i := range 40 {
				arrives(t, sink, fmt.Sprint(i), 1)
			}
			p.wants(t, "the last mark", func(k kept) bool { return k.Mark == from.Add(39*time.Second).UTC().Format("2006-01-02 15:04:05") })
			if n := len(sink.Received()); n != 40 {
				t.Errorf("the sink was given %d messages, want 40", n)
			}
		})
	}
}

// In v1 a second that fills more than a page is read on by ids.
func TestSecondOfSeveralPages(t *testing.T) {
	p := newPair(t, idp.V1, igws.Options{Page: 5}, nil)
	at := time.Now().Add(-time.Minute)
	for i := range 23 {
		p.service.Show(igws.Message{Terminal: mobile(0), At: at, Raw: frame(fmt.Sprint(i))})
	}
	sink := &transporttest.Sink{}
	p.start(t, sink)
	for i := range 23 {
		arrives(t, sink, fmt.Sprint(i), 1)
	}
}

// A message that comes over another mailbox has another id: the sink knows it by its frame, and it holds nothing up.
func TestDuplicateAcrossMailboxes(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			p := newPair(t, dialect, igws.Options{}, nil)
			seen := map[string]bool{}
			sink := &transporttest.Sink{Judge: func(_ context.Context, u transports.Uplink) (transports.Settlement, error) {
				if seen[string(u.Payload)] {
					return transports.Duplicate, nil
				}
				seen[string(u.Payload)] = true
				return transports.Stored, nil
			}}
			p.start(t, sink)
			id, _ := strconv.ParseUint(p.say(t, "twice"), 10, 64)
			again, ok := p.service.Duplicate(id)
			if !ok {
				t.Fatal("the gateway does not have it")
			}
			arrives(t, sink, "twice", 2)
			p.wants(t, "both", func(k kept) bool {
				return slices.Contains(k.Settled, fmt.Sprint(id)) && slices.Contains(k.Settled, fmt.Sprint(again))
			})
			if s := p.Stats(); s.Stored != 1 || s.Duplicate != 1 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// What holds no frame is kept as it came, and nothing is held up by it.
func TestForeignMessages(t *testing.T) {
	type field = map[string]any
	payload := func(service, kind int, fields ...field) any {
		return map[string]any{"Name": "frame", "SIN": service, "MIN": kind, "Fields": fields}
	}
	data := func(v []byte) field {
		return field{"Name": "data", "Type": "data", "Value": base64.StdEncoding.EncodeToString(v)}
	}
	for _, dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			p := newPair(t, dialect, igws.Options{}, nil)
			sink := &transporttest.Sink{}
			p.start(t, sink)
			at := time.Now()
			for name, c := range map[string]struct {
				shown igws.Message
				want  string // "": what begins with {
				raw   bool
			}{
				"another SIN":                {igws.Message{Raw: []byte("\x10\x01position")}, "\x10\x01position", true},
				"another MIN":                {igws.Message{Raw: []byte("\x80\x02text")}, "\x80\x02text", true},
				"nothing behind SIN and MIN": {igws.Message{Raw: []byte{128, 1}}, "\x80\x01", true},
				"decoded, and bytes":         {igws.Message{Raw: frame("whole"), Payload: payload(128, 1, data([]byte("other")))}, "whole", false},
				"decoded only":               {igws.Message{Payload: payload(128, 1, field{"Name": "kind", "Type": "unsignedint", "Value": "7"}, data([]byte("field")))}, "field", false},
				"decoded, of another SIN":    {igws.Message{Payload: payload(16, 1, data([]byte("foreign")))}, "", true},
				"two fields of bytes":        {igws.Message{Payload: payload(128, 1, data([]byte("a")), data([]byte("b")))}, "", true},
				"no field of bytes":          {igws.Message{Payload: payload(128, 1, field{"Name": "n", "Type": "string", "Value": "x"})}, "", true},
				"bytes that are none":        {igws.Message{Payload: payload(128, 1, field{"Name": "n", "Type": "data", "Value": "%"})}, "", true},
				"neither":                    {igws.Message{}, "", true},
				"a number that is no byte":   {igws.Message{Verbatim: `{"ID":99,"MobileID":"` + mobile(0) + `","RawPayload":[128,1,300]}`}, "", true},
				"no object":                  {igws.Message{Verbatim: `{"ID":"x"}`}, "", true},
				"SIN beside it differs":      {igws.Message{Verbatim: `{"ID":77,"SIN":20,"MobileID":"` + mobile(0) + `","RawPayload":[128,1,33]}`}, "\x80\x01!", true},
			} {
				c.shown.At, c.shown.Terminal = at, mobile(0)
				before := len(sink.Received())
				p.service.Show(c.shown)
				p.until(t, name+" arrives", func() bool { return len(sink.Received()) > before })
				u := sink.Received()[before]
				if (u.Content == transports.ContentRaw) != c.raw || c.want != "" && string(u.Payload) != c.want || c.want == "" && !bytes.HasPrefix(u.Payload, []byte("{")) {
					t.Errorf("%s: %+v, %q", name, u, u.Payload)
				}
				if c.shown.Verbatim != `{"ID":"x"}` && u.From.ID != mobile(0) {
					t.Errorf("%s: it is from %v", name, u.From)
				}
			}
			p.say(t, "behind it all")
			arrives(t, sink, "behind it all", 1)
		})
	}
}

// A message that is not settled holds the mark, and what is settled beside it is not given to the sink again, after a restart neither.
func TestUnsettledHoldsTheMark(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			p := newPair(t, dialect, igws.Options{}, nil)
			at := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
			p.service.Show(igws.Message{Terminal: mobile(0), At: at, Raw: frame("no")})
			p.service.Show(igws.Message{Terminal: mobile(0), At: at.Add(time.Minute), Raw: frame("yes")})
			refuse := true
			judge := func(_ context.Context, u transports.Uplink) (transports.Settlement, error) {
				if refuse && string(u.Payload) == "no" {
					return transports.Unsettled, nil
				}
				return transports.Stored, nil
			}
			sink := &transporttest.Sink{Judge: judge}
			stop := p.start(t, sink)
			arrives(t, sink, "no", 3)
			if n := count(sink, "yes"); n != 1 {
				t.Errorf("what was settled was given to the sink %d times", n)
			}
			stop()
			k, _ := p.file.read(t)
			if k.Mark >= at.Format("2006-01-02 15:04:05") || len(k.Settled) != 1 {
				t.Errorf("the file holds %+v, want the mark before %s and one id", k, at)
			}
			p.again(t, dialect, nil)
			refuse = false
			sink = &transporttest.Sink{Judge: judge}
			p.start(t, sink)
			arrives(t, sink, "no", 1)
			p.wants(t, "the mark of the last message", func(k kept) bool { return k.Mark == at.Add(time.Minute).Format("2006-01-02 15:04:05") })
			if n := count(sink, "yes"); n != 0 {
				t.Errorf("what was settled before the restart was given to the sink %d times", n)
			}
		})
	}
}

// A crash between the sink's commit and the mark has messages come again; a crash behind it does not. Nothing is lost in either.
func TestCrashBetweenCommitAndMark(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			for _, written := range []bool{false, true} {
				// All of it is in one second: the mark passes none of the ids.
				p := newPair(t, dialect, igws.Options{Now: newClock().now}, nil)
				sink := &transporttest.Sink{}
				stop := p.start(t, sink)
				p.say(t, "before")
				p.wants(t, "the first message", func(k kept) bool { return len(k.Settled) == 1 })
				if !written {
					p.file.broken(errors.New("power is gone"))
				}
				p.say(t, "in the crash")
				arrives(t, sink, "in the crash", 1)
				if written {
					p.wants(t, "both messages", func(k kept) bool { return len(k.Settled) == 2 })
				} else {
					p.until(t, "the write fails", func() bool { return p.Stats().Unwritten > 0 })
				}
				stop()
				p.file.broken(nil)
				p.say(t, "behind it")
				p.again(t, dialect, nil)
				p.start(t, sink)
				arrives(t, sink, "behind it", 1)
				want := 2
				if written {
					want = 1
				}
				if n := count(sink, "in the crash"); n != want {
					t.Errorf("written %t: the sink was given the message %d times, want %d", written, n, want)
				}
				if n := count(sink, "before"); n != 1 {
					t.Errorf("written %t: the sink was given the message before it %d times", written, n)
				}
			}
		})
	}
}

// The mark of the first start is written down: who is off for longer than it looks back loses nothing.
func TestFirstMarkStays(t *testing.T) {
	p := newPair(t, idp.V1, igws.Options{}, func(c *idp.Config) { c.Since = time.Minute })
	stop := p.start(t, &transporttest.Sink{})
	p.until(t, "it was polled", p.Up)
	stop()
	k, _ := p.file.read(t)
	p.again(t, idp.V1, func(c *idp.Config) { c.Since = time.Minute })
	p.SetClock(func() time.Time { return time.Now().Add(48 * time.Hour) })
	sink := &transporttest.Sink{}
	p.start(t, sink)
	p.say(t, "while it was off")
	arrives(t, sink, "while it was off", 1)
	if again, _ := p.file.read(t); again.Mark < k.Mark {
		t.Errorf("the mark went from %s to %s", k.Mark, again.Mark)
	}
}

// A mark in the far future would make the transport deaf until then.
func TestMarkInTheFarFuture(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			p := newPair(t, dialect, igws.Options{}, nil)
			p.service.Fail(igws.CallReturns, igws.Fault{Body: []byte(`{"ErrorID":0,"NextStartUTC":"2999-01-01 00:00:00","NextFromUTC":"2999-01-01 00:00:00","Messages":null}`)})
			sink := &transporttest.Sink{}
			p.start(t, sink)
			p.say(t, "up")
			arrives(t, sink, "up", 1)
			if s := p.Stats(); s.BadMarks != 1 {
				t.Errorf("%+v", s)
			}
		})
	}
}
