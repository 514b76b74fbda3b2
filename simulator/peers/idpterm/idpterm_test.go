package idpterm_test

import (
	"bufio"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/idpterm"
)

// A bench is a terminal, and what a program at the other end of its line has open.
type bench struct {
	t        *testing.T
	terminal *idpterm.Terminal
	file     *os.File
	lines    *bufio.Reader

	mu      sync.Mutex
	returns []idpterm.Return
	settled map[uint64]bool
}

func newBench(t *testing.T, o idpterm.Options) *bench {
	t.Helper()
	b := &bench{t: t, settled: map[uint64]bool{}}
	o.Path = filepath.Join(t.TempDir(), "idp")
	o.OnReturn = func(r idpterm.Return) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.returns = append(b.returns, r)
	}
	o.OnSettled = func(f idpterm.Forward, _ idpterm.Outcome) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.settled[f.ID] = true
	}
	var err error
	if b.terminal, err = idpterm.New(o); err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.terminal.Run(ctx) }()
	t.Cleanup(func() {
		if b.file != nil {
			_ = b.file.Close()
		}
		cancel()
		if err := <-done; err != nil {
			t.Errorf("terminal: %v", err)
		}
	})
	b.open()
	return b
}

func (b *bench) open() {
	b.t.Helper()
	f, err := os.OpenFile(b.terminal.Path(), os.O_RDWR, 0)
	if err != nil {
		b.t.Fatal(err)
	}
	b.file, b.lines = f, bufio.NewReader(f)
}

// ask writes a command and returns the lines of the reply, to the one that ends it, and a checksum if one is to follow.
func (b *bench) ask(command string, sums bool) string {
	b.t.Helper()
	if _, err := b.file.WriteString(command + "\r"); err != nil {
		b.t.Fatal(err)
	}
	var out []string
	for {
		line, err := b.lines.ReadString('\n')
		if err != nil {
			b.t.Fatalf("%s: %v after %q", command, err, out)
		}
		line = strings.Trim(line, "\r\n")
		if line == "" {
			continue
		}
		out = append(out, line)
		last := line == "OK" || line == "ERROR"
		if last && !sums || sums && strings.HasPrefix(line, "*") {
			return strings.Join(out, "|")
		}
	}
}

func (b *bench) wants(command, reply string) {
	b.t.Helper()
	if got := b.ask(command, false); got != reply {
		b.t.Errorf("%s: %s, want %s", command, got, reply)
	}
}

// until waits for a state that a reply tells.
func (b *bench) until(command, part string) {
	b.t.Helper()
	end := time.Now().Add(10 * time.Second)
	got := ""
	for time.Now().Before(end) {
		if got = b.ask(command, false); strings.Contains(got, part) {
			return
		}
	}
	b.t.Fatalf("%s: %s, want %s", command, got, part)
}

func TestReturnQueue(t *testing.T) {
	b := newBench(t, idpterm.Options{ReturnSlots: 2, Up: idpterm.Span{Least: time.Hour, Most: time.Hour}})
	b.wants("ATE0", "ATE0|OK") // its own echo comes still
	b.wants("AT+GSN", "+GSN: 00000000SKY0000|OK")
	b.wants("AT%MGRS", "%MGRS:|OK")
	b.wants(`AT%MGRT="one",4,128.1,3,AQID`, "OK")
	b.wants(`AT%MGRT="one",4,128.1,3,AQID`, "ERROR")
	b.wants("ATS80?", "107|OK")
	b.until(`AT%MGRS="one"`, `%MGRS: "one",1.0,4,128,5,5,0|OK`) // its number, priority, SIN, sending, 5 bytes, none through
	b.wants(`AT%MGRC="one"`, "ERROR")                           // too late
	b.terminal.SetSky(false)
	b.wants(`AT%MGRT="two",1,200,2,CAFE`, "OK")
	b.until(`AT%MGRS="one"`, `,4,5,0`) // ready again
	b.wants(`AT%MGRT="three",1,200,2,CAFE`, "ERROR")
	b.wants("ATS80?", "106|OK")
	b.wants(`AT%MGRC="two"`, "OK")
	b.wants(`AT%MGRS="two"`, `%MGRS: "two",2.0,1,200,8,3,0|OK`)
	b.wants(`AT%MGRD="one"C`, "ERROR")
	b.wants(`AT%MGRD="two"C`, "OK")
	b.wants("AT%MGRL", `%MGRL: "one"|OK`)
	if !b.terminal.Finish("one", idpterm.FateDelivered) {
		t.Error("it is not there")
	}
	b.until("AT%MGRS", `"one",1.0,4,128,6,5,5`)
	for command, code := range map[string]string{
		`AT%MGRT="toolongname",4,128.1,3,AQID`: "102", `AT%MGRT="x",5,128.1,3,AQID`: "102", `AT%MGRT="x",4,15.1,3,AQID`: "102", `AT%MGRT="x",4,128.1,3,!`: "102",
		`AT%MGRT="x",4,128,3,`: "103", `AT%MGRS="x"`: "109", "AT%NONE": "101", "ATS54=1": "112",
		`AT%MGRT="x",4,128.1,3,` + strings.Repeat("AAAA", 2200): "103",
	} {
		b.wants(command, "ERROR")
		b.wants("ATS80?", code+"|OK")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.returns) != 1 || string(b.returns[0].Message) != "\x80\x01\x01\x02\x03" {
		t.Errorf("the network has %+v", b.returns)
	}
}

func TestForwardQueue(t *testing.T) {
	b := newBench(t, idpterm.Options{Slots: 1})
	b.wants("ATE0", "ATE0|OK")
	b.wants("AT%MGFN", "%MGFN:|OK")
	for id, message := range []string{"\x80\x01first", "\x80\x01second"} {
		if err := b.terminal.Deliver(t.Context(), idpterm.Forward{ID: uint64(id), Message: []byte(message)}); err != nil {
			t.Fatal(err)
		}
	}
	b.until("AT%MGFN", `%MGFN: "FM01.00",1.0,0,128,2,7,7|OK`) // one at a time: the other waits in the network
	b.wants(`AT%MGFS="FM01.00"`, `%MGFS: "FM01.00",1.0,0,128,2,7,7|OK`)
	b.wants(`AT%MGFG="FM01.00",3`, `%MGFG: "FM01.00",1.1,0,128,2,7,3,AWZpcnN0|OK`)
	b.wants(`AT%MGFG="FM01.00",2`, `%MGFG: "FM01.00",1.1,0,128,2,7,2,016669727374|OK`)
	b.wants("ATS89?", "002|OK") // told once
	b.wants("ATS89?", "000|OK")
	b.wants(`AT%MGFM="FM01.00"`, "OK")
	b.wants(`AT%MGFM="FM01.00"`, "ERROR")
	b.until("AT%MGFN", `"FM02.00"`)
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.settled[0] || b.settled[1] {
		t.Errorf("settled %v", b.settled)
	}
}

// Checksums: the first reply with one is that to the command that switches them on, and the last with one the one before they are off.
func TestChecksums(t *testing.T) {
	b := newBench(t, idpterm.Options{})
	b.wants("ATE0", "ATE0|OK")
	if got := b.ask("AT%CRC=1", true); got != "OK|*86C5" {
		t.Errorf("on: %s", got)
	}
	if got := b.ask("AT", true); got != "ERROR|*84D9" {
		t.Errorf("a command without one: %s", got)
	}
	if got := b.ask("AT*3983", true); got != "OK|*86C5" {
		t.Errorf("a command with one: %s", got)
	}
	b.wants("AT%CRC=0*BBEB", "OK")
	b.wants("AT", "OK")
}

// Messages have a lifetime in the queue, and power that goes takes the queue along.
func TestLifetimeAndPower(t *testing.T) {
	b := newBench(t, idpterm.Options{Battery: true, Lifetime: 30 * time.Millisecond, Boot: 10 * time.Millisecond})
	b.terminal.SetSky(false)
	b.wants("ATE0", "ATE0|OK")
	b.wants("ATS50?", "002|OK")
	b.wants(`AT%MGRT="one",4,128.1,3,AQID`, "OK")
	b.until("AT%MGRS", ",7,5,0")
	b.wants("ATS54?", "008|OK")
	b.terminal.CutPower()
	if line, err := b.lines.ReadString('4'); err != nil || !strings.Contains(line, "ST Version 4") {
		t.Errorf("said %q (%v)", line, err)
	}
	if st := b.terminal.Stats(); st.Boots != 2 || st.Forgotten != 1 || st.Returns != 0 {
		t.Errorf("stats %+v", st)
	}
	err := b.terminal.Deliver(t.Context(), idpterm.Forward{Message: make([]byte, 5001)})
	if !errors.Is(err, idpterm.ErrSize) {
		t.Errorf("a message that is too long on battery: %v", err)
	}
}

func TestQuectel(t *testing.T) {
	b := newBench(t, idpterm.Options{Quectel: true})
	b.wants("ATE0", "ATE0|OK")
	b.wants("AT%CRC=1", "ERROR")
	b.wants(`AT+QSMGT="twelve_chars",4,128,1,3,AQID`, "OK")
	b.until("AT+QSMGS", `+QSMGS: "twelve_chars",4,128,6,5,5|OK`)
	b.wants("AT+QSMGS", "+QSMGS:|OK") // told, and forgotten
	if err := b.terminal.Deliver(t.Context(), idpterm.Forward{Message: []byte("\x80\x01x")}); err != nil {
		t.Fatal(err)
	}
	b.until("AT+QRMGN", `+QRMGN: "FM02.00",0,128,2,3,3|OK`)
	b.wants(`AT+QRMGR="FM02.00",3`, `+QRMGR: "FM02.00",128,3,3,AXg=|OK`)
	b.wants(`AT+QRMGM="FM02.00"`, "OK")
	b.wants("AT+QREG?", "+QREG: 5|OK")
}

func TestFaultScript(t *testing.T) {
	b := newBench(t, idpterm.Options{Faults: idpterm.Faults{Script: []idpterm.Step{
		{Command: "+GSN", Nth: 2, Do: idpterm.ActError, Code: 105},
		{Command: "S54", Do: idpterm.ActGarble},
		{Command: "E0", Nth: 2, Do: idpterm.ActMute},
		{Command: "S85", Do: idpterm.ActDelay, For: 20 * time.Millisecond},
	}}})
	b.wants("ATE0", "ATE0|OK")
	b.wants("AT+GSN", "+GSN: 00000000SKY0000|OK")
	b.wants("AT+GSN", "ERROR")
	b.wants("ATS80?", "105|OK")
	b.wants("AT+GSN", "+GSN: 00000000SKY0000|OK")
	if _, err := b.file.WriteString("ATE0\r"); err != nil { // is not answered
		t.Fatal(err)
	}
	b.wants("ATS85?", "250|OK") // late
}

// The cable is pulled and put back: the terminal goes on meanwhile.
func TestUnplug(t *testing.T) {
	b := newBench(t, idpterm.Options{})
	b.wants("ATE0", "ATE0|OK")
	b.terminal.Unplug()
	if _, err := b.lines.ReadString('\n'); err == nil {
		t.Error("the line is there still")
	}
	if err := b.terminal.Deliver(t.Context(), idpterm.Forward{Message: []byte("\x80\x01x")}); err != nil {
		t.Fatal(err)
	}
	_ = b.file.Close()
	if err := b.terminal.Plug(); err != nil {
		t.Fatal(err)
	}
	b.open()
	b.until("AT%MGFN", `"FM01.00"`)
}

func TestOptions(t *testing.T) {
	for _, o := range []idpterm.Options{
		{MobileID: "short"},
		{Slots: -1},
		{Queue: -1},
		{Lifetime: -1},
		{Up: idpterm.Span{Least: 2, Most: 1}},
		{Faults: idpterm.Faults{Mute: 2}},
		{Faults: idpterm.Faults{Script: []idpterm.Step{{Do: 99}}}},
	} {
		if _, err := idpterm.New(o); !errors.Is(err, idpterm.ErrOptions) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
