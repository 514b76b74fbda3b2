package sbdterm_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/pty"
	"github.com/godwit-gateway/godwit/simulator/peers/sbdterm"
	"github.com/godwit-gateway/godwit/transports/tty"
)

// bench is a modem with a program's end of its line.
type bench struct {
	t     *testing.T
	modem *sbdterm.Modem
	port  *tty.Port

	mu      sync.Mutex
	mos     []string                   // guarded by mu
	settled map[uint64]sbdterm.Outcome // guarded by mu
}

func newBench(t *testing.T, change ...func(*sbdterm.Options)) *bench {
	t.Helper()
	b := &bench{t: t, settled: map[uint64]sbdterm.Outcome{}}
	o := sbdterm.Options{
		Session: sbdterm.Span{Most: time.Millisecond}, Ring: time.Millisecond, Off: time.Millisecond, Tight: true,
		OnMO: func(m sbdterm.MO) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.mos = append(b.mos, string(m.Payload))
		},
		OnSettled: func(m sbdterm.MT, as sbdterm.Outcome) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.settled[m.ID] = as
		},
	}
	for _, c := range change {
		c(&o)
	}
	var err error
	if b.modem, err = sbdterm.New(o); err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.modem.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	b.dial()
	return b
}

func (b *bench) dial() {
	b.t.Helper()
	var err error
	if b.port, err = tty.Open(b.modem.Path(), 0); err != nil {
		b.t.Fatal(err)
	}
	port := b.port
	b.t.Cleanup(func() { _ = port.Close() })
}

// ask writes and reads until what comes ends with want.
func (b *bench) ask(write, want string) string {
	b.t.Helper()
	if err := b.port.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.port.Write([]byte(write)); err != nil {
		b.t.Fatal(err)
	}
	got, buf := "", make([]byte, 512)
	for !strings.HasSuffix(got, want) {
		n, err := b.port.Read(buf)
		got += string(buf[:n])
		if err != nil {
			b.t.Fatalf("%q: %q (%v), want the end %q", write, got, err, want)
		}
	}
	return got
}

// says wants the whole of an answer.
func (b *bench) says(write, want string) {
	b.t.Helper()
	if got := b.ask(write, want); got != want {
		b.t.Errorf("%q: %q, want %q", write, got, want)
	}
}

// until waits for what nobody tells of.
func (b *bench) until(what string, done func() bool) {
	b.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); !done(); <-tick.C {
		if time.Now().After(end) {
			b.t.Fatalf("did not happen: %s; %+v", what, b.modem.Stats())
		}
	}
}

func (b *bench) outcome(id uint64, want sbdterm.Outcome) {
	b.t.Helper()
	b.until(want.String(), func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		as, ok := b.settled[id]
		return ok && as == want
	})
}

const (
	ok  = "\r\nOK\r\n"
	bad = "\r\nERROR\r\n"
)

func info(text string) string { return "\r\n" + text + "\r\n" + ok }

func TestCommands(t *testing.T) {
	b := newBench(t, func(o *sbdterm.Options) { o.IMEI, o.MOMSN = "300234010753370", 65535 })
	b.says("AT\r", "AT\r"+ok) // echo is on after power-up
	b.says("ATE0\r", "ATE0\r"+ok)
	b.says("at+cgsn\r", info("300234010753370"))
	b.says("ATV0\r", "0\r")
	b.says("AT+NONSENSE\r", "4\r")
	b.says("ATQ0V1&K0\r", ok)
	for _, c := range [][2]string{
		{"AT+SBDS\r", info("+SBDS:0,65535,0,-1")},
		{"AT+SBDSX\r", info("+SBDSX:0,65535,0,-1,0,0")},
		{"AT+SBDMTA?\r", info("+SBDMTA:1")},
		{"AT+SBDMTA=0\r", ok},
		{"AT+SBDMTA?\r", info("+SBDMTA:0")},
		{"AT+SBDMTA=9\r", bad},
		{"AT+SBDAREG=1\r", ok},
		{"AT+SBDAREG?\r", info("+SBDAREG:1")},
		{"AT+SBDREG?\r", info("+SBDREG:0")},
		{"AT+SBDREG\r", info("+SBDREG:2,0")},
		{"AT+SBDREG\r", info("+SBDREG:2,36")},
		{"AT+CSQF\r", info("+CSQF:5")},
		{"AT+SBDWB=341\r", info("3")},
		{"AT+SBDWB=0\r", info("3")},
		{"AT+SBDWB=x\r", bad},
		{"AT+SBDWB=2\r", "\r\nREADY\r\n"},
		{"hi\x00\xd1", info("0")},
		{"AT+SBDWB=2\r", "\r\nREADY\r\n"},
		{"hi\x00\xd2", info("2")},
		{"AT+SBDIX\r", info("+SBDIX:0,65535,0,0,0,0")}, // what was written well
		{"AT+SBDIX=+5000,-12000\r", info("+SBDIX:0,0,0,0,0,0")},
		{"AT+SBDWT=Text\r", ok},
		{"AT+SBDWT\r", "\r\nREADY\r\n"},
		{"more text\r", info("0")},
		{"AT+SBDD0\r", info("0")},
		{"AT+SBDIX\r", info("+SBDIX:0,1,0,0,0,0")},
		{"AT+SBDRB\r", "\x00\x00\x00\x00" + ok},
		{"AT+SBDRT\r", info("+SBDRT:\r\n")},
		{"AT+SBDC\r", info("0")},
		{"AT+SBDS\r", info("+SBDS:0,0,0,-1")},
		{"AT+SBDDET\r", info("+SBDDET:0,0")},
		{"AT+SBDREG?\r", info("+SBDREG:0")},
		{"ATX1\r", bad},
		{"nonsense\r", bad},
	} {
		b.says(c[0], c[1])
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if strings.Join(b.mos, "|") != "hi|hi" {
		t.Errorf("the network took %q, want what the MO buffer held, twice", b.mos)
	}
}

// What was written before stays where the rest of a message does not come.
func TestEntryEnds(t *testing.T) {
	b := newBench(t, func(o *sbdterm.Options) { o.Entry = 10 * time.Millisecond })
	b.ask("ATE0\r", ok)
	b.says("AT+SBDWT=Text\r", ok)
	b.ask("AT+SBDWB=2\r", "\r\nREADY\r\n"+info("1"))
	b.says("AT+SBDS\r", info("+SBDS:1,0,0,-1"))
}

func TestMessagesToTheModem(t *testing.T) {
	b := newBench(t)
	b.ask("ATE0\r", ok)
	for id, text := range []string{"one", "two", "three", "four"} {
		if err := b.modem.Deliver(t.Context(), sbdterm.MT{ID: uint64(id), Payload: []byte(text)}); err != nil {
			t.Fatal(err)
		}
	}
	b.says("AT+SBDREG\r", info("+SBDREG:2,0")+"\r\nSBDRING\r\n") // before that it hears none, and then one for all of them
	b.says("AT+SBDSX\r", info("+SBDSX:0,0,0,-1,1,0"))
	b.says("AT+SBDIXA\r", info("+SBDIX:0,0,1,0,3,3"))
	b.says("AT+SBDRB\r", "\x00\x03one\x01\x42"+ok)
	b.says("AT+SBDRT\r", info("+SBDRT:\r\none"))
	b.says("AT+SBDD1\r", info("0"))
	b.outcome(0, sbdterm.Cleared)
	b.says("AT+SBDIX\r", info("+SBDIX:0,1,1,1,3,2"))
	b.says("AT+SBDIX\r", info("+SBDIX:0,2,1,2,5,1"))
	b.outcome(1, sbdterm.Overwritten)
	b.says("AT+SBDD2\r", info("0"))
	b.outcome(2, sbdterm.Unread)
	b.modem.Garble(1)
	b.says("AT+SBDI\r", info("+SBDI:0,3,1,3,4,0"))
	b.says("AT+SBDRB\r", "\x00\x04four\x01\xbd"+ok)
	b.modem.CutPower()
	b.outcome(3, sbdterm.PowerLost)
	b.until("it is back", func() bool { return b.modem.Stats().Boots == 2 })
	b.ask("ATE0\r", ok)
	b.says("AT+SBDS\r", info("+SBDS:0,4,0,3"))
	if st := b.modem.Stats(); st.Detaching != 1 || st.Overwritten != 1 || st.PowerLost != 1 || st.Registration != 0 {
		t.Errorf("%+v", st)
	}
}

func TestFaults(t *testing.T) {
	b := newBench(t, func(o *sbdterm.Options) { o.Register, o.EchoA = time.Nanosecond, true })
	b.ask("ATE0\r", ok)
	b.modem.Inject(sbdterm.Step{MO: 18})
	b.says("AT+SBDIXA\r", info("+SBDIXA:18,0,2,0,0,0"))
	b.modem.SetSky(0)
	b.says("AT+SBDIX\r", info("+SBDIX:32,0,2,0,0,0"))
	b.says("AT-MSSTM\r", info("-MSSTM: no network service"))
	b.modem.SetSky(5)
	b.modem.Interleave(1)
	b.says("AT+SBDIX\r", "\r\n+SBDIX:0,0,0,0,0,0\r\n\r\nSBDRING\r\n"+ok)
	b.modem.Inject(sbdterm.Step{Power: sbdterm.PowerAfter})
	b.ask("AT+SBDWT=x\r", ok)
	if _, err := b.port.Write([]byte("AT+SBDIX\r")); err != nil {
		t.Fatal(err)
	}
	b.until("it is back", func() bool { return b.modem.Stats().Boots == 2 })
	b.ask("ATE0\r", ok)
	b.says("AT+SBDS\r", info("+SBDS:0,2,0,-1"))
	b.modem.Unplug()
	if _, err := b.port.Read(make([]byte, 1)); err == nil {
		t.Error("the line is still there")
	}
	if err := b.modem.Plug(); err != nil {
		t.Fatal(err)
	}
	b.dial()
	b.says("AT+SBDS\r", info("+SBDS:0,2,0,-1")) // it had power all the time
	if st := b.modem.Stats(); st.MOs != 1 || st.Failed != 2 {
		t.Errorf("%+v", st)
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []sbdterm.Options{
		{IMEI: "1"}, {Fail: 2}, {Session: sbdterm.Span{Least: 2, Most: 1}}, {Statuses: []int{0}}, {Queue: -1}, {Ring: -1},
	} {
		if _, err := sbdterm.New(o); !errors.Is(err, sbdterm.ErrOptions) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	path := t.TempDir() + "/sbd"
	if err := os.Symlink("/nowhere", path); err != nil {
		t.Fatal(err)
	}
	m, err := sbdterm.New(sbdterm.Options{Path: path, Queue: 1})
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	if err := m.Deliver(t.Context(), sbdterm.MT{Payload: make([]byte, 271)}); !errors.Is(err, sbdterm.ErrOptions) {
		t.Errorf("a message that is too long: %v", err)
	}
	if err := m.Deliver(t.Context(), sbdterm.MT{Payload: []byte("x")}); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := m.Deliver(ctx, sbdterm.MT{Payload: []byte("x")}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a message beyond the queue: %v", err)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); err == nil {
		t.Error("the path is still there")
	}
	if err := m.Plug(); !errors.Is(err, pty.ErrClosed) {
		t.Errorf("Plug: %v", err)
	}
}
