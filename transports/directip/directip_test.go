package directip_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/directip"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

func good(momsn uint16) record {
	return record{cdr: uint32(momsn), imei: imei(0), momsn: momsn, session: 1_700_000_000, payload: fmt.Append(nil, hello, momsn)}
}

func TestUplink(t *testing.T) {
	tr, sink := newTransport(t, nil), &transporttest.Sink{}
	transporttest.Start(t, tr, sink)
	r := good(5)
	message := r.bytes()
	location := []byte{0x03, 0, 11, 0x02, 0x2b, 0x79, 0xe0, 0xac, 0x8c, 0xa0, 0, 0, 0, 7}
	message = framed(append(location, message[3:]...))
	if got := deliver(t, tr, message); got != saidYes {
		t.Fatal(got)
	}
	got := sink.Received()
	if len(got) != 1 {
		t.Fatalf("%d uplinks, want 1", len(got))
	}
	u := got[0]
	if u.Ref != "5" || !u.SentAt.Equal(time.Unix(1_700_000_000, 0)) || u.Position != (transports.Position{Known: true, Latitude: -43_520_000, Longitude: 172_600_000, Radius: 7000}) {
		t.Errorf("uplink %+v", u)
	}
}

// A session that failed carries nothing and gives its MOMSN to the next; what comes again under one MOMSN with other content is another message.
func TestMOMSNIsUsedAgain(t *testing.T) {
	tr, sink := newTransport(t, nil), &transporttest.Sink{}
	transporttest.Start(t, tr, sink)
	failed := record{cdr: 1, imei: imei(0), status: 13, momsn: 282, session: 1_700_000_000}
	sent := record{cdr: 2, imei: imei(0), momsn: 282, session: 1_700_000_030, payload: []byte("first")}
	cleared := record{cdr: 3, imei: imei(0), momsn: 282, session: 1_700_900_000, payload: []byte("second")}
	for _, r := range []record{failed, sent, sent, cleared, failed, sent} {
		if got := deliver(t, tr, r.bytes()); got != saidYes {
			t.Fatalf("%+v: %s", r, got)
		}
	}
	var got []string
	for _, u := range sink.Received() {
		got = append(got, string(u.Payload))
	}
	if strings.Join(got, " ") != "first second" {
		t.Errorf("the sink was given %q, want first and second, once each", got)
	}
	if s := tr.Stats(); s.Failed != 2 || s.Repeated != 2 || s.Missing != 0 {
		t.Errorf("%+v, want 2 failed and 2 repeated", s)
	}
}

// What was not settled is not remembered as settled.
func TestUnsettledComesAgain(t *testing.T) {
	tr := newTransport(t, nil)
	verdicts := []transports.Settlement{transports.Unsettled, transports.Rejected, transports.Stored}
	var n atomic.Int32
	sink := &transporttest.Sink{Judge: func(context.Context, transports.Uplink) (transports.Settlement, error) {
		return verdicts[n.Add(1)-1], nil
	}}
	transporttest.Start(t, tr, sink)
	for i, want := range []ending{saidNo, saidYes, saidYes, saidYes} {
		if got := deliver(t, tr, good(1).bytes()); got != want {
			t.Errorf("time %d: %s, want %s", i, got, want)
		}
	}
	if got := len(sink.Received()); got != len(verdicts) {
		t.Errorf("the sink was asked %d times, want %d", got, len(verdicts))
	}
}

// A session without a message is booked before it is confirmed, and once.
func TestCheckIsBookedOnce(t *testing.T) {
	tr := newTransport(t, nil)
	refuse := true
	sink := &transporttest.Sink{JudgeCheck: func(transports.Check) error {
		if refuse {
			return transporttest.ErrSink
		}
		return nil
	}}
	transporttest.Start(t, tr, sink)
	r := record{cdr: 12, imei: imei(0), momsn: 7, session: 1}
	for i, want := range []ending{saidNo, saidYes, saidYes} {
		if got := deliver(t, tr, r.bytes()); got != want {
			t.Errorf("time %d: %s, want %s", i, got, want)
		}
		refuse = false
	}
	c := sink.Checks()
	if len(c) != 2 || c[1].From != (transports.Address{Bearer: transports.SBD, ID: imei(0)}) || c[1].Transport != tr.Name() || c[0].Ref != "12: 7 at 1" || c[1].Ref != c[0].Ref {
		t.Errorf("the sink was told %+v", c)
	}
	if s := tr.Stats(); s.Received != 3 || s.Unconfirmed != 1 || s.Empty != 1 || s.Repeated != 1 || s.Missing != 0 {
		t.Errorf("%+v", s)
	}
}

func TestWithoutPayload(t *testing.T) {
	tr, sink := newTransport(t, nil), &transporttest.Sink{}
	transporttest.Start(t, tr, sink)
	for momsn, status := range []byte{0, 2, 10, 12, 15} {
		r := record{imei: imei(0), status: status, momsn: uint16(momsn), session: 1}
		if got := deliver(t, tr, r.bytes()); got != saidYes {
			t.Errorf("status %d: %s", status, got)
		}
	}
	if s := tr.Stats(); s.Empty != 2 || s.Failed != 3 || len(sink.Received()) != 0 {
		t.Errorf("%+v, and the sink was given %d", s, len(sink.Received()))
	}
}

// Statuses 1 and 2 carry a payload as good as that of status 0.
func TestStatusesWithPayload(t *testing.T) {
	tr, sink := newTransport(t, nil), &transporttest.Sink{}
	transporttest.Start(t, tr, sink)
	for _, status := range []byte{0, 1, 2} {
		r := good(uint16(status))
		r.status = status
		if got := deliver(t, tr, r.bytes()); got != saidYes {
			t.Errorf("status %d: %s", status, got)
		}
	}
	if got := len(sink.Received()); got != 3 {
		t.Errorf("the sink was given %d payloads, want 3", got)
	}
}

func TestMissingMessagesAreTold(t *testing.T) {
	tr := newTransport(t, nil)
	var failing, known atomic.Bool
	sink := &transporttest.Sink{Judge: func(context.Context, transports.Uplink) (transports.Settlement, error) {
		if failing.Load() {
			return transports.Unsettled, transporttest.ErrSink
		}
		if known.Load() {
			return transports.Duplicate, nil
		}
		return transports.Stored, nil
	}}
	transporttest.Start(t, tr, sink)
	deliver(t, tr, good(65533).bytes())
	deliver(t, tr, record{imei: imei(0), momsn: 65535, session: 1_700_000_001}.bytes()) // a mailbox check: nobody can be told
	failing.Store(true)
	deliver(t, tr, good(1).bytes())
	failing.Store(false)
	known.Store(true)
	deliver(t, tr, good(1).bytes()) // a frame that was there before tells nobody
	known.Store(false)
	deliver(t, tr, good(2).bytes())
	deliver(t, tr, good(3).bytes())
	var got []int
	for _, u := range sink.Received() {
		got = append(got, u.Missing)
	}
	if fmt.Sprint(got) != "[0 2 2 2 0]" || tr.Stats().Missing != 2 {
		t.Errorf("missing %v, counted %d, want [0 2 2 2 0] and 2", got, tr.Stats().Missing)
	}
}

// What is whole and cannot be read is kept for people, and confirmed: it would hold up all that is behind it.
func TestMalformedIsKept(t *testing.T) {
	tr, sink := newTransport(t, nil), &transporttest.Sink{}
	transporttest.Start(t, tr, sink)
	binary := good(1)
	binary.imei = string([]byte{3, 0, 0, 2, 3, 4, 0, 1, 0, 7, 5, 3, 3, 7, 0})
	overrun := good(2).bytes()
	overrun[4], overrun[5] = 0xff, 0xff // length of the first element
	messages := [][]byte{binary.bytes(), overrun, framed(nil), framed([]byte{0x02, 0, 1, 7}), framed(bytes.Repeat([]byte{0x7f, 0, 1, 7}, 10_000))}
	for i, m := range messages {
		if got := deliver(t, tr, m); got != saidYes {
			t.Errorf("message %d: %s", i, got)
		}
	}
	got := sink.Received()
	for i := range got {
		if got[i].Content != transports.ContentRaw || !bytes.Equal(got[i].Payload, messages[i][:min(len(messages[i]), 2048)]) || got[i].From.ID != "" {
			t.Errorf("message %d: %+v, want it raw, byte for byte up to the 2,048th, from nobody", i, got[i])
		}
	}
	if s := tr.Stats(); len(got) != len(messages) || s.Malformed != uint64(len(messages)) {
		t.Errorf("%d of %d were kept, %d counted", len(got), len(messages), s.Malformed)
	}
}

func TestStrangersAreShutOut(t *testing.T) {
	tr, sink := newTransport(t, func(c *directip.Config) { c.Allow = []string{"127.0.0.2", "127.0.1.0/24"} }), &transporttest.Sink{}
	transporttest.Start(t, tr, sink)
	for source, want := range map[string]ending{"127.0.0.2": saidYes, "127.0.1.77": saidYes, "127.0.0.3": reset, "127.0.2.1": reset} {
		conn := dialFrom(t, source, tr)
		if got := put(t, conn, record{imei: imei(0), session: 1, payload: []byte(source)}.bytes()); got != want {
			t.Errorf("from %s: %s, want %s", source, got, want)
		}
	}
	if s := tr.Stats(); s.Stranger != 2 || s.Stored != 2 {
		t.Errorf("%+v, want 2 strangers and 2 stored", s)
	}
}

// Whoever connects and says nothing, too much, half of it or something else is put out in time, and others are served meanwhile.
func TestHostileConnections(t *testing.T) {
	const readTime = 300 * time.Millisecond
	tr, sink := newTransport(t, func(c *directip.Config) { c.ReadTime = readTime }), &transporttest.Sink{}
	transporttest.Start(t, tr, sink)
	whole := good(1).bytes()
	silent := dialFrom(t, "127.0.0.1", tr)
	half := dialFrom(t, "127.0.0.1", tr)
	_, _ = half.Write(whole[:len(whole)-1])
	halfClosed := dialFrom(t, "127.0.0.1", tr)
	_, _ = halfClosed.Write(whole[:10])
	_ = halfClosed.(*net.TCPConn).CloseWrite()
	drops := dialFrom(t, "127.0.0.2", tr)
	dropping := make(chan error, 1)
	go func() { // a byte at a time, for ever
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for i := range whole {
			if _, err := drops.Write(whole[i : i+1]); err != nil {
				dropping <- err
				return
			}
			<-tick.C
		}
		dropping <- nil
	}()
	enormous := dialFrom(t, "127.0.0.3", tr)
	_, _ = enormous.Write([]byte{1, 0xff, 0xff, 0x01})
	web := dialFrom(t, "127.0.0.3", tr)
	_, _ = web.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
	if got := deliver(t, tr, good(2).bytes()); got != saidYes {
		t.Errorf("beside them: %s", got)
	}
	for name, conn := range map[string]net.Conn{"silent": silent, "half": half, "half closed": halfClosed, "65535 bytes": enormous, "HTTP": web} {
		_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		if got := end(conn); got != reset {
			t.Errorf("%s: %s, want it reset", name, got)
		}
	}
	if err := <-dropping; !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
		t.Errorf("in drops: %v, want the connection reset", err)
	}
	transporttest.Until(t, "all connections to be closed", func() bool { return tr.Open() == 0 })
	if s := tr.Stats(); s.Unfinished != 5 || s.Foreign != 1 || s.Stored != 1 {
		t.Errorf("%+v, want 5 unfinished, 1 foreign and 1 stored", s)
	}
}

// A thousand connections that say nothing take no more room than there is, and none from the next one that has a message.
func TestManyConnections(t *testing.T) {
	tr, sink := newTransport(t, func(c *directip.Config) { c.Connections, c.PerSource = 16, 4 }), &transporttest.Sink{}
	transporttest.Start(t, tr, sink)
	var open []net.Conn
	for i := range 1000 {
		conn := dialFrom(t, fmt.Sprintf("127.0.%d.%d", i%7, 1+i%11), tr)
		open = append(open, conn)
		if i%100 == 99 {
			if got := deliver(t, tr, good(uint16(i)).bytes()); got != saidYes {
				t.Fatalf("after %d connections: %s", i+1, got)
			}
			if n := tr.Open(); n > 16 {
				t.Fatalf("%d connections are open, want 16 at most", n)
			}
		}
	}
	for _, conn := range open {
		conn.Close()
	}
	if s := tr.Stats(); s.Crowded == 0 || s.Stored != 10 {
		t.Errorf("%+v, want 10 stored, and crowds", s)
	}
}

// While the sink has as many messages of a source as it may have connections, the next one is turned away: the network comes again.
func TestBusySourceIsTurnedAway(t *testing.T) {
	release := make(chan struct{})
	tr := newTransport(t, func(c *directip.Config) { c.PerSource = 2 })
	sink := &transporttest.Sink{Judge: func(context.Context, transports.Uplink) (transports.Settlement, error) {
		<-release
		return transports.Stored, nil
	}}
	transporttest.Start(t, tr, sink)
	ends := make(chan ending, 2)
	var wg sync.WaitGroup
	for n := range uint16(2) {
		wg.Go(func() { ends <- deliver(t, tr, good(n).bytes()) })
	}
	transporttest.Until(t, "two messages to be with the sink", func() bool { return len(sink.Received()) == 2 })
	if got := deliver(t, tr, good(3).bytes()); got != reset {
		t.Errorf("the third: %s, want it reset", got)
	}
	elsewhere := dialFrom(t, "127.0.0.9", tr)
	_, _ = elsewhere.Write(good(4).bytes())
	transporttest.Until(t, "the message from elsewhere", func() bool { return len(sink.Received()) == 3 })
	close(release)
	wg.Wait()
	for range 2 {
		if got := <-ends; got != saidYes {
			t.Errorf("a message in hand: %s", got)
		}
	}
}

func TestStrangersAreLoggedSeldom(t *testing.T) {
	var said log
	tr, err := directip.New("sat", directip.Config{Listen: "127.0.0.1:0", Allow: []string{"192.0.2.1"}}, slog.New(slog.NewTextHandler(&said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Listen(); err != nil {
		t.Fatal(err)
	}
	transporttest.Start(t, tr, &transporttest.Sink{})
	for range 20 {
		end(dialFrom(t, "127.0.0.1", tr))
	}
	if n := strings.Count(said.String(), "allow does not name"); n != 1 {
		t.Errorf("logged %d times, want once:\n%s", n, said.String())
	}
}

// Only what surely did not leave may be sent again without a thought.
func TestSendOutcomes(t *testing.T) {
	h := newHarness(t, true)
	transporttest.Start(t, h.tr, &transporttest.Sink{})
	transporttest.Until(t, "the transport to be up", h.tr.Up)
	d := transports.Downlink{To: h.Address(1), Payload: []byte("x")}
	for name, c := range map[string]struct {
		change  func(*transports.Downlink)
		outcome transports.Outcome
	}{
		"another bearer": {func(d *transports.Downlink) { d.To.Bearer = transports.SMS }, transports.Refused},
		"a short IMEI":   {func(d *transports.Downlink) { d.To.ID = "30023401075337" }, transports.Refused},
		"no digits":      {func(d *transports.Downlink) { d.To.ID = "30023401075337x" }, transports.Refused},
		"no payload":     {func(d *transports.Downlink) { d.Payload = nil }, transports.Refused},
		"271 bytes":      {func(d *transports.Downlink) { d.Payload = make([]byte, 271) }, transports.Refused},
	} {
		d := d
		c.change(&d)
		var failed *transports.SendError
		if _, err := h.tr.Send(t.Context(), d); !errors.As(err, &failed) || failed.Outcome != c.outcome {
			t.Errorf("%s: %v, want %s", name, err, c.outcome)
		}
	}
	h.mt.Close() // nobody is there
	var failed *transports.SendError
	if _, err := h.tr.Send(t.Context(), d); !errors.As(err, &failed) || failed.Outcome != transports.NotSent || !transports.Unasked(err) {
		t.Errorf("without a network: %v, want %s, and nobody asked", err, transports.NotSent)
	}
}

// The next address is tried where one does not answer at all.
func TestSendTriesTheNextAddress(t *testing.T) {
	h := newHarness(t, true)
	gone, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := gone.Addr().String()
	gone.Close()
	tr := newTransport(t, func(c *directip.Config) { c.MT = []string{address, h.mt.Addr().String()} })
	transporttest.Start(t, tr, &transporttest.Sink{})
	transporttest.Until(t, "the transport to be up", tr.Up)
	if _, err := tr.Send(t.Context(), transports.Downlink{To: h.Address(1), Payload: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	if got, ok := h.Sent(t.Context()); !ok || string(got) != "x" {
		t.Errorf("the modem got %q", got)
	}
}

// A link without an address for MT messages only receives.
func TestReceivesOnly(t *testing.T) {
	tr := newTransport(t, nil)
	transporttest.Start(t, tr, &transporttest.Sink{})
	var failed *transports.SendError
	_, err := tr.Send(t.Context(), transports.Downlink{To: transports.Address{Bearer: transports.SBD, ID: imei(0)}, Payload: []byte("x")})
	if !errors.As(err, &failed) || failed.Outcome != transports.Refused {
		t.Errorf("%v, want %s", err, transports.Refused)
	}
}

func TestConfigValidate(t *testing.T) {
	ok := directip.Config{Listen: ":10800", Allow: []string{"192.0.2.1", "2001:db8::/32"}}
	transporttest.Mistakes(t, ok, directip.New, map[string]func(*directip.Config){
		"listen":      func(c *directip.Config) { c.Listen = "localhost:1" },
		"allow":       func(c *directip.Config) { c.Allow = nil },
		"allow has":   func(c *directip.Config) { c.Allow = []string{"iridium.example"} },
		"mt has":      func(c *directip.Config) { c.MT = []string{"192.0.2.1"} },
		"mt_max":      func(c *directip.Config) { c.MTMax = 1891 },
		"priority":    func(c *directip.Config) { c.Priority = 6 },
		"connections": func(c *directip.Config) { c.Connections = -1 },
		"per_source":  func(c *directip.Config) { c.PerSource = 65 },
		"read_time":   func(c *directip.Config) { c.ReadTime = time.Hour },
		"send_time":   func(c *directip.Config) { c.SendTime = time.Millisecond },
	})
}
