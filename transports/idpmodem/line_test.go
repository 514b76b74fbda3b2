package idpmodem_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/simulator/peers/idpterm"
	"github.com/godwit-gateway/godwit/transports/idpmodem"
)

// The examples of published implementations.
func TestChecksum(t *testing.T) {
	for text, want := range map[string]uint16{
		"AT": 0x3983, "at": 0x1B07, "AT%CRC=0": 0xBBEB, "at%crc=0": 0x1749, "\r\nOK\r\n": 0x86C5, "\r\nERROR\r\n": 0x84D9, "0\r": 0xC937, "123456789": 0x29B1,
	} {
		if got := idpmodem.Checksum(text); got != want {
			t.Errorf("checksum of %q is %04X, want %04X", text, got, want)
		}
	}
}

func TestAssemble(t *testing.T) {
	for _, tt := range []struct {
		name   string
		sums   bool
		text   string
		want   []string
		sawSum bool
	}{
		{name: "plain", text: "\r\n+GSN: 1\r\n\r\nOK\r\n", want: []string{"+GSN: 1", "OK"}},
		{name: "plain, checksum not expected", text: "\r\nERROR\r\n*84D9\r\n", want: []string{"ERROR"}, sawSum: true},
		{name: "checksum", sums: true, text: "\r\nOK\r\n*86C5\r\n", want: []string{"OK"}},
		{name: "checksum, behind an echo", sums: true, text: "AT*3983\r\r\nOK\r\n*86C5\r\n", want: []string{"AT*3983", "OK"}},
		{name: "checksum, lower case", sums: true, text: "\r\nOK\r\n*86c5\r\n", want: []string{"OK"}},
		{name: "wrong checksum", sums: true, text: "\r\nOJ\r\n*86C5\r\n", want: []string{idpmodem.Garbled}},
		{name: "garbled checksum", sums: true, text: "\r\nOK\r\n*86@5\r\n", want: []string{idpmodem.Garbled}},
		{name: "wrong, then right", sums: true, text: "\r\nOJ\r\n*86C5\r\n\r\nOK\r\n*86C5\r\n", want: []string{idpmodem.Garbled, "OK"}},
		{name: "no checksum yet", sums: true, text: "\r\nOK\r\n", want: nil},
		{name: "started", text: "\x00\r\nST Version 4.2\r\n\r\nOK\r\n", want: []string{"OK"}},
		{name: "too long", text: strings.Repeat("x", 70_000) + "\r\nOK\r\n", want: []string{"OK"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, saw := idpmodem.Assemble(tt.sums, []byte(tt.text))
			if !slices.Equal(got, tt.want) || saw != tt.sawSum {
				t.Errorf("lines %q (saw a checksum: %t), want %q (%t)", got, saw, tt.want, tt.sawSum)
			}
		})
	}
}

// What the line garbles on its way in either direction is repeated, and nobody notices.
func TestGarbled(t *testing.T) {
	s := newSite(t, options{})
	for _, step := range []idpterm.Step{
		{Command: "%MGFN", Nth: 2, Do: idpterm.ActGarble},
		{Command: "%MGFG", Do: idpterm.ActGarble},
		{Command: "%MGFM", Do: idpterm.ActGarble},
		{Command: "%MGRT", Do: idpterm.ActGarble},
		{Command: "%MGFG", Nth: 2, Do: idpterm.ActGarbleCommand},
		{Command: "%MGRT", Nth: 2, Do: idpterm.ActGarbleCommand},
	} {
		if err := s.terminal.Inject(step); err != nil {
			t.Fatal(err)
		}
	}
	s.start(t)
	for _, payload := range []string{"one", "two", "three"} {
		s.read(t, s.deliver(t, message(payload)))
	}
	s.up(t)
	for _, payload := range []string{"down one", "down two"} {
		if _, err := s.send(payload); err != nil {
			t.Errorf("send: %v", err)
		}
	}
	out := s.leaves(t, 2)
	if string(out[0].Message[2:]) != "down one" || string(out[1].Message[2:]) != "down two" {
		t.Errorf("the network has %+v", out)
	}
	s.until(t, "all is cleared", func() bool { return s.terminal.Stats().Returns == 0 })
	if st := s.tr.Stats(); st.Garbled != 4 || st.BadCommands != 2 || st.Sent != 2 || st.Timeouts != 0 || !st.Checksums || len(s.sink.Received()) != 3 {
		t.Errorf("stats %+v, %d uplinks", st, len(s.sink.Received()))
	}
	if n := s.terminal.Stats().Submitted; n != 2 {
		t.Errorf("%d messages were queued, want 2", n)
	}
}

// On a line without checksums what was garbled is noticed by reading it again.
func TestGarbledWithoutChecksums(t *testing.T) {
	s := newSite(t, options{driver: idpmodem.Config{Plain: true}})
	for nth := 1; nth < 8; nth += 2 {
		if err := s.terminal.Inject(idpterm.Step{Command: "%MGFG", Nth: nth, Do: idpterm.ActGarbleData}); err != nil {
			t.Fatal(err)
		}
	}
	s.start(t)
	for _, payload := range []string{"one", "two", "three"} {
		s.read(t, s.deliver(t, message(payload)))
	}
	us := s.sink.Received()
	if len(us) != 3 || string(us[0].Payload) != "one" || string(us[1].Payload) != "two" || string(us[2].Payload) != "three" || s.tr.Stats().Garbled == 0 {
		t.Errorf("uplinks %+v, stats %+v", us, s.tr.Stats())
	}
}

// Checksums are found on, found off, and found missing, whatever the program before has left behind.
func TestChecksumsFound(t *testing.T) {
	for _, tt := range []struct {
		name     string
		terminal idpterm.Options
		first    idpmodem.Config // of the program before
		then     idpmodem.Config
		want     bool
	}{
		{name: "on, on", want: true},
		{name: "on, off", then: idpmodem.Config{Plain: true}},
		{name: "off, on", first: idpmodem.Config{Plain: true}, want: true},
		{name: "unknown", terminal: idpterm.Options{NoChecksums: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := options{terminal: tt.terminal, driver: tt.first, answer: shortAnswer}
			s := newSite(t, o)
			before := s.start(t)
			s.read(t, s.deliver(t, message("before")))
			before.stop()
			o.driver = tt.then
			s.tr = newTransport(t, o, s.terminal.Path())
			s.start(t)
			s.read(t, s.deliver(t, message("after")))
			if st := s.tr.Stats(); st.Checksums != tt.want || st.MobileID != mobileID || st.Network != 5 || st.SignalDBHz < 42 || !st.Registered {
				t.Errorf("stats %+v, want checksums %t", st, tt.want)
			}
		})
	}
}

// The answer that comes late is not taken for that to the next command.
func TestLateAnswer(t *testing.T) {
	s := newSite(t, options{answer: shortAnswer / 2})
	for _, command := range []string{"%MGFN", "%MGFG"} {
		if err := s.terminal.Inject(idpterm.Step{Command: command, Nth: 2, Do: idpterm.ActDelay, For: shortAnswer}); err != nil {
			t.Fatal(err)
		}
	}
	s.start(t)
	for _, payload := range []string{"one", "two", "three"} {
		s.read(t, s.deliver(t, message(payload)))
		if _, ok := s.sink.Await(s.ctx, []byte(payload), 1); !ok {
			t.Fatalf("%q was marked and never handed over", payload)
		}
	}
	s.until(t, "the terminal was set up again", func() bool { st := s.tr.Stats(); return st.Timeouts > 0 && st.Resyncs > 0 && st.Setups > 1 })
	for _, u := range s.sink.Received() {
		if p := string(u.Payload); p != "one" && p != "two" && p != "three" {
			t.Errorf("uplink %q", p)
		}
	}
}

func TestWrongTerminal(t *testing.T) {
	s := newSite(t, options{driver: idpmodem.Config{MobileID: "00000001SKY1111"}})
	if err := s.tr.Run(s.ctx, s.sink); !errors.Is(err, idpmodem.ErrWrongTerminal) {
		t.Errorf("run: %v, want that it is another terminal", err)
	}
}

func TestMute(t *testing.T) {
	o := options{answer: shortAnswer / 8, terminal: idpterm.Options{Faults: idpterm.Faults{Mute: 1}}}
	s := newSite(t, o)
	if err := s.tr.Run(s.ctx, s.sink); !errors.Is(err, idpmodem.ErrMute) {
		t.Errorf("run: %v, want that nobody answers", err)
	}
}
