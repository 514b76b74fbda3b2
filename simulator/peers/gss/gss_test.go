package gss_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/gss"
)

const (
	imei    = "300234010753370"
	imeiHex = "333030323334303130373533333730"
)

// end is one settled message.
type end struct {
	message gss.Message
	outcome gss.Outcome
}

// play runs a gateway until the test ends. Settled messages come on the channel.
func play(t *testing.T, o gss.Options) (*gss.Gateway, chan end) {
	t.Helper()
	ends := make(chan end, 1000)
	o.Modems, o.OnSettled = []string{imei}, func(m gss.Message, out gss.Outcome) { ends <- end{m, out} }
	g, err := gss.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return g, ends
}

func next(t *testing.T, ends <-chan end) end {
	t.Helper()
	select {
	case e := <-ends:
		return e
	case <-time.After(20 * time.Second):
		t.Fatal("no message was settled")
		return end{}
	}
}

// server is an MO server that answers each connection as it is told.
type server struct {
	socket net.Listener
	wg     sync.WaitGroup

	mu  sync.Mutex
	got [][]byte
	say func(n int) string // "yes", "no", "nothing", "reset"; n from 1
}

func serve(t *testing.T, say func(n int) string) *server {
	t.Helper()
	socket, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{socket: socket, say: say}
	s.wg.Go(s.run)
	t.Cleanup(func() {
		socket.Close()
		s.wg.Wait()
	})
	return s
}

func (s *server) run() {
	for {
		conn, err := s.socket.Accept()
		if err != nil {
			return
		}
		head := make([]byte, 3)
		_, _ = io.ReadFull(conn, head)
		body := make([]byte, int(head[1])<<8|int(head[2]))
		_, _ = io.ReadFull(conn, body)
		s.mu.Lock()
		s.got = append(s.got, slices.Concat(head, body))
		word := s.say(len(s.got))
		s.mu.Unlock()
		switch word {
		case "yes":
			_, _ = conn.Write([]byte{1, 0, 4, 5, 0, 1, 1})
		case "no":
			_, _ = conn.Write([]byte{1, 0, 4, 5, 0, 1, 0})
		case "reset":
			_ = conn.(*net.TCPConn).SetLinger(0)
		}
		_ = conn.Close()
	}
}

func (s *server) messages() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([][]byte(nil), s.got...)
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The bytes of a message, written out by hand but for the CDR reference.
func TestMessage(t *testing.T) {
	s := serve(t, func(int) string { return "yes" })
	at := time.Unix(0x65a1b2c3, 0)
	g, ends := play(t, gss.Options{Destinations: []string{s.socket.Addr().String()}, Confirm: true, Now: func() time.Time { return at }})
	location := &gss.Location{Latitude: -(43*60_000 + 31_200), Longitude: 172*60_000 + 36_000, Radius: 7}
	if _, err := g.Session(gss.Session{IMEI: imei, Payload: []byte("hello"), Location: location}); err != nil {
		t.Fatal(err)
	}
	cdr := next(t, ends).message.CDR
	want := unhex(t, fmt.Sprintf("01 0035 01 001c %08x"+imeiHex+"00 0000 0000 65a1b2c3 03 000b 02 2b 79e0 ac 8ca0 00000007 02 0005 68656c6c6f", cdr))
	if got := s.messages()[0]; !bytes.Equal(got, want) {
		t.Errorf("sent %x, want %x", got, want)
	}
}

// A session that failed leaves its MOMSN to the next, and is told to the destination; the modem gets what waits for it when one succeeds.
func TestSessions(t *testing.T) {
	s := serve(t, func(int) string { return "yes" })
	g, ends := play(t, gss.Options{Destinations: []string{s.socket.Addr().String()}, Confirm: true})
	for i := range 2 {
		if got := send(t, g, mt(t, uint32(i+1), 0, 0, "down")); got != int16(i+1) {
			t.Fatalf("place %d, want %d", got, i+1)
		}
	}
	for i, c := range []struct {
		session gss.Session
		want    gss.Result
		payload string
	}{
		{gss.Session{Payload: []byte("a"), Status: gss.StatusIncomplete}, gss.Result{MOMSN: 0}, ""},
		{gss.Session{Payload: []byte("a")}, gss.Result{MOMSN: 0, MTMSN: 1, MT: []byte("down"), Queued: 1}, "a"},
		{gss.Session{}, gss.Result{MOMSN: 1, MTMSN: 2, MT: []byte("down")}, ""},
		{gss.Session{Payload: []byte("b"), Status: gss.StatusBadLocation}, gss.Result{MOMSN: 2}, "b"},
	} {
		c.session.IMEI = imei
		got, err := g.Session(c.session)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("session %d: %+v, %v, want %+v", i, got, err, c.want)
		}
		if e := next(t, ends); string(e.message.Payload) != c.payload || e.message.MOMSN != c.want.MOMSN || e.message.MTMSN != c.want.MTMSN || e.outcome != gss.Delivered {
			t.Errorf("session %d: delivered %+v", i, e)
		}
	}
	if _, err := g.Session(gss.Session{IMEI: "300234010753371"}); err == nil {
		t.Error("a session of nobody")
	}
}

// What is not confirmed comes again and holds up what is behind it.
func TestHeadOfLine(t *testing.T) {
	for name, c := range map[string]struct {
		confirm bool
		say     []string
	}{
		"with confirmations":    {true, []string{"no", "nothing", "reset", "yes", "yes", "no", "yes"}},
		"without confirmations": {false, []string{"reset", "reset", "reset", "nothing", "nothing", "reset", "nothing"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(n int) string { return c.say[n-1] })
			g, ends := play(t, gss.Options{Destinations: []string{s.socket.Addr().String()}, Confirm: c.confirm, Second: time.Microsecond})
			for _, payload := range []string{"a", "b", "c"} {
				if _, err := g.Session(gss.Session{IMEI: imei, Payload: []byte(payload)}); err != nil {
					t.Fatal(err)
				}
			}
			for i, want := range []struct {
				payload string
				tries   int
			}{{"a", 4}, {"b", 1}, {"c", 2}} {
				if e := next(t, ends); string(e.message.Payload) != want.payload || e.message.Tries != want.tries || e.outcome != gss.Delivered {
					t.Errorf("end %d: %s after %d tries, %s", i, e.message.Payload, e.message.Tries, e.outcome)
				}
			}
			var order string
			for _, m := range s.messages() {
				order += string(m[len(m)-1:])
			}
			if order != "aaaabcc" {
				t.Errorf("delivered in the order %s", order)
			}
		})
	}
}

func TestLostConfirmation(t *testing.T) {
	s := serve(t, func(int) string { return "yes" })
	var once sync.Once
	forget := func() (lost bool) { once.Do(func() { lost = true }); return lost }
	g, ends := play(t, gss.Options{Destinations: []string{s.socket.Addr().String()}, Confirm: true, Second: time.Microsecond, Forget: forget})
	if _, err := g.Session(gss.Session{IMEI: imei, Payload: []byte("a")}); err != nil {
		t.Fatal(err)
	}
	if e := next(t, ends); e.message.Tries != 2 {
		t.Errorf("%d tries, want 2", e.message.Tries)
	}
	if m := s.messages(); len(m) != 2 || !bytes.Equal(m[0], m[1]) {
		t.Errorf("sent %x, want the same bytes twice", m)
	}
}

// clock is moved by hand.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// Nobody listens: messages get too old, and of too many the oldest go.
func TestEnds(t *testing.T) {
	nobody := serve(t, func(int) string { return "reset" })
	c := &clock{t: time.Unix(1_700_000_000, 0)}
	g, ends := play(t, gss.Options{Destinations: []string{nobody.socket.Addr().String()}, Confirm: true, Second: 100 * time.Microsecond, Queue: 3, Now: c.now})
	for i := range 6 {
		if _, err := g.Session(gss.Session{IMEI: imei, Payload: []byte{byte(i)}}); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if e := next(t, ends); e.outcome != gss.Dropped {
			t.Errorf("%+v, want it dropped", e)
		}
	}
	c.move(13 * time.Hour)
	for range 3 {
		if e := next(t, ends); e.outcome != gss.Expired {
			t.Errorf("%+v, want it expired", e)
		}
	}
	if n := g.Waiting(); n != 0 {
		t.Errorf("%d messages wait", n)
	}
}

// Each destination gets every message; one that is not there does not hold up the other.
func TestDestinations(t *testing.T) {
	here, gone := serve(t, func(int) string { return "yes" }), serve(t, func(int) string { return "reset" })
	g, ends := play(t, gss.Options{Destinations: []string{gone.socket.Addr().String(), here.socket.Addr().String()}, Confirm: true, Second: time.Millisecond})
	for range 3 {
		if _, err := g.Session(gss.Session{IMEI: imei, Payload: []byte("x")}); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if e := next(t, ends); e.message.Destination != 1 {
			t.Errorf("%+v", e)
		}
	}
	if g.Waiting() != 3 {
		t.Errorf("%d messages wait, want 3", g.Waiting())
	}
}

// mt writes an MT message; priority 0 and no payload leave their elements out.
func mt(t testing.TB, client uint32, flags, priority uint16, payload string) []byte {
	t.Helper()
	b := unhex(t, fmt.Sprintf("41 0015 %08x"+imeiHex+"%04x", client, flags))
	if priority > 0 {
		b = append(b, unhex(t, fmt.Sprintf("46 0002 %04x", priority))...)
	}
	if payload != "" {
		b = append(append(b, 0x42, byte(len(payload)>>8), byte(len(payload))), payload...)
	}
	return append([]byte{1, byte(len(b) >> 8), byte(len(b))}, b...)
}

// ask hands over an MT message and returns the answer.
func ask(t testing.TB, g *gss.Gateway, message []byte) []byte {
	t.Helper()
	conn, err := net.Dial("tcp4", g.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(message); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(conn)
	if err != nil || len(b) != 31 || !bytes.Equal(b[:6], []byte{1, 0, 28, 0x44, 0, 25}) {
		t.Fatalf("answer %x, %v", b, err)
	}
	return b
}

// send hands over an MT message and returns the status of the answer.
func send(t testing.TB, g *gss.Gateway, message []byte) int16 {
	t.Helper()
	b := ask(t, g, message)
	return int16(uint16(b[29])<<8 | uint16(b[30]))
}

// The client id is the client's business: the answer repeats it, whatever it is and whatever comes of the message, and the same one may come again.
func TestMTAnswerRepeatsClientID(t *testing.T) {
	g, _ := play(t, gss.Options{})
	for i, client := range []uint32{0, 1, 1, 0xFFFFFFFF, 0x01020304} {
		want := unhex(t, fmt.Sprintf("01 001c 44 0019 %08x"+imeiHex+"%08x %04x", client, 1+i, 1+i))
		if got := ask(t, g, mt(t, client, 0, 0, "x")); !bytes.Equal(got, want) {
			t.Errorf("client id %#x: answer %x, want %x", client, got, want)
		}
	}
	want := unhex(t, "01 001c 44 0019 0000002a"+imeiHex+"00000000 fffc")
	if got := ask(t, g, mt(t, 42, 0, 0, "")); !bytes.Equal(got, want) {
		t.Errorf("refused: answer %x, want %x", got, want)
	}
}

func TestMTStatuses(t *testing.T) {
	g, _ := play(t, gss.Options{})
	broken := mt(t, 1, 0, 0, "x")
	copy(broken[10:], "30023401075337x")
	unknown := bytes.Replace(mt(t, 1, 0, 0, "x"), []byte(imei), []byte("300234010753379"), 1)
	overrun := mt(t, 1, 0, 0, "x")
	overrun[len(overrun)-2] = 9
	for name, c := range map[string]struct {
		message []byte
		want    int16
	}{
		"no IMEI":                    {broken, -1},
		"another account's":          {unknown, -2},
		"271 bytes":                  {mt(t, 1, 0, 0, strings.Repeat("x", 271)), -3},
		"nothing":                    {mt(t, 1, 0, 0, ""), -4},
		"lengths":                    {overrun, -7},
		"no header":                  {unhex(t, "01 0004 42 0001 78"), -7},
		"two headers":                {unhex(t, "01 0030 41 0015 00000001"+imeiHex+"0000 41 0015 00000001"+imeiHex+"0000"), -7},
		"ring with a payload":        {mt(t, 1, 2, 0, "x"), -7},
		"ring and number":            {mt(t, 1, 34, 0, ""), -7},
		"priority without its value": {mt(t, 1, 16, 0, "x"), -7},
		"value without its priority": {mt(t, 1, 0, 1, "x"), -7},
		"sixth priority":             {mt(t, 1, 16, 6, "x"), -7},
		"number 65536":               {mt(t, 65536, 32, 0, "x"), -11},
		"number 0":                   {mt(t, 0, 32, 0, "x"), -11},
		"ring":                       {mt(t, 1, 2, 0, ""), 0},
		"flush":                      {mt(t, 1, 1, 0, ""), 0},
	} {
		if got := send(t, g, c.message); got != c.want {
			t.Errorf("%s: status %d, want %d", name, got, c.want)
		}
	}
}

func TestMTQueue(t *testing.T) {
	c := &clock{t: time.Unix(1_700_000_000, 0)}
	var rings atomic.Int32
	g, _ := play(t, gss.Options{Now: c.now, OnRing: func(string) { rings.Add(1) }})
	take := func() string {
		t.Helper()
		r, err := g.Session(gss.Session{IMEI: imei})
		if err != nil {
			t.Fatal(err)
		}
		return string(r.MT)
	}
	for i := range 50 {
		if got := send(t, g, mt(t, 1, 0, 0, fmt.Sprint(i))); got != int16(i+1) {
			t.Fatalf("message %d has place %d", i, got)
		}
	}
	if got := send(t, g, mt(t, 1, 0, 0, "x")); got != -5 {
		t.Errorf("one too many: %d", got)
	}
	if n := rings.Load(); n != 1 {
		t.Errorf("rung %d times within ten seconds, want once", n)
	}
	if got := take(); got != "0" {
		t.Errorf("first %q", got)
	}
	if got := send(t, g, mt(t, 1, 16, 1, "urgent")); got != 1 {
		t.Errorf("what is urgent has place %d", got)
	}
	if got := take() + take(); got != "urgent1" {
		t.Errorf("then %q", got)
	}
	if got := send(t, g, mt(t, 4711, 33, 0, "alone")); got != 1 {
		t.Errorf("what takes the place of all has place %d", got)
	}
	r, err := g.Session(gss.Session{IMEI: imei})
	if err != nil || string(r.MT) != "alone" || r.MTMSN != 4711 || r.Queued != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	send(t, g, mt(t, 1, 0, 0, "old"))
	c.move(4 * 24 * time.Hour)
	send(t, g, mt(t, 1, 0, 0, "new"))
	c.move(25 * time.Hour)
	if got := take(); got != "" {
		t.Errorf("%q survived one that is too old", got)
	}
}

func TestMTFilter(t *testing.T) {
	g, _ := play(t, gss.Options{Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
	if got := send(t, g, mt(t, 1, 0, 0, "x")); got != -10 {
		t.Errorf("from a stranger: %d", got)
	}
}

func TestOptions(t *testing.T) {
	for name, o := range map[string]gss.Options{
		"six destinations": {Destinations: strings.Split("a:1 a:2 a:3 a:4 a:5 a:6", " ")},
		"no port":          {Destinations: []string{"a"}},
		"no IMEI":          {Modems: []string{"1"}},
		"size":             {MTMax: 2000},
	} {
		if g, err := gss.New(o); err == nil {
			t.Errorf("%s: a gateway at %s", name, g.Addr())
		}
	}
}
