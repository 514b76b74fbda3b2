package smsmodem_test

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/smsmodem"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

// answers scripts a modem by a table.
func answers(table map[string]string) func(string) (string, bool) {
	return func(cmd string) (string, bool) {
		reply, ok := table[cmd]
		return reply, ok
	}
}

// works checks that a message comes in and a downlink goes out.
func works(t *testing.T, m *modem, tr *smsmodem.Transport, r *running) {
	t.Helper()
	m.deliver("SM", deliverPDU(t, sender, []byte("up")))
	r.gets("up")
	r.until(m, "the slot is given back", func() bool { return m.holds("SM") == 0 })
	if _, err := tr.Send(r.ctx, transports.Downlink{To: address(sender), Payload: []byte("down")}); err != nil {
		t.Errorf("Send: %v", err)
	}
}

// Modems refuse this and that, each something else, and work all the same.
func TestModemsThatRefuse(t *testing.T) {
	m26 := map[string]string{"+CSMS=1": "+CMS ERROR: 303"}
	for i, setting := range []string{"2,1,0,2,0", "2,1,0,2,1", "1,1,0,2,0"} {
		m26["+CNMI="+setting] = []string{"ERROR", "+CMS ERROR: 303", "+CME ERROR: 4"}[i]
	}
	for _, c := range []struct {
		name  string
		table map[string]string
		cnmi  string
	}{
		{"nothing", nil, "2,1,0,2,0"},
		{"phase 2+ and most of +CNMI", m26, "1,1,0,2,1"},
		{"a buffer of 0", map[string]string{"+CNMI=2,1,0,2,0": "ERROR"}, "2,1,0,2,1"},
		{"error numbers, echo off, names", map[string]string{"+CMEE=1": "ERROR", "E0": "ERROR", "+CGSN": "ERROR", "+CGMM": "ERROR"}, "2,1,0,2,0"},
		{"questions on network and signal", map[string]string{"+CREG?": "ERROR", "+CSQ": "ERROR"}, "2,1,0,2,0"},
		{"+CPIN", map[string]string{"+CPIN?": "ERROR"}, "2,1,0,2,0"},
		{"one storage", map[string]string{`+CPMS="ME"`: "+CMS ERROR: 302", `+CPMS="ME","ME"`: "ERROR", `+CPMS="ME","ME","ME"`: "ERROR"}, "2,1,0,2,0"},
		{"fewer than three storages", map[string]string{`+CPMS="SM"`: "ERROR", `+CPMS="SM","SM"`: "ERROR", `+CPMS="ME"`: "ERROR", `+CPMS="ME","ME"`: "ERROR"}, "2,1,0,2,0"},
		{"ME for new messages", map[string]string{`+CPMS="ME","ME","ME"`: "ERROR", `+CPMS="SM","SM","SM"`: "ERROR"}, "2,1,0,2,0"},
		{"in their own words", map[string]string{"+CMEE=1": "COMMAND NOT SUPPORT", "+CSMS=1": "TOO MANY PARAMETERS"}, "2,1,0,2,0"},
		{"registration but by LTE", map[string]string{"+CREG?": "+CREG: 0,2\nOK", "+CEREG?": "+CEREG: 0,5\nOK"}, "2,1,0,2,0"},
		{"to name the registration first", map[string]string{"+CREG?": "+CREG: 5\n\n+CREG: 0,1\nOK"}, "2,1,0,2,0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newModem(t)
			m.script = answers(c.table)
			tr := newTransport(t, m)
			r := start(t, tr, &transporttest.Sink{})
			works(t, m, tr, r)
			r.stop()
			if m.cnmi != c.cnmi {
				t.Errorf("indications %q, want %q", m.cnmi, c.cnmi)
			}
			if s := tr.Stats(); s.Timeouts != 0 {
				t.Errorf("%d time-outs", s.Timeouts)
			}
		})
	}
}

// The modem's profile is its owner's: it is neither reset nor asked what it is capable of.
func TestNoReset(t *testing.T) {
	m := newModem(t)
	tr := newTransport(t, m)
	r := start(t, tr, &transporttest.Sink{})
	works(t, m, tr, r)
	r.stop()
	for _, cmd := range m.commands {
		if cmd == "Z" || cmd == "&F" || cmd == "&W" || cmd == "+GCAP" || strings.HasPrefix(cmd, "+CFUN") {
			t.Errorf("AT%s", cmd)
		}
	}
}

func TestNoIndications(t *testing.T) {
	m := newModem(t)
	m.script = func(cmd string) (string, bool) { return "ERROR", strings.HasPrefix(cmd, "+CNMI") }
	tr := newTransport(t, m, func(c *smsmodem.Config) { c.Sweep = time.Second })
	tr.CheckEvery(10 * time.Millisecond)
	r := start(t, tr, &transporttest.Sink{})
	r.until(m, "the first sweep", func() bool { return m.asked("+CMGL") >= 2 })
	m.put("SM", message{pdu: deliverPDU(t, sender, []byte("swept"))})
	r.gets("swept")
	r.stop()
	if n := tr.Stats().Setups; n != 1 {
		t.Errorf("%d set-ups", n)
	}
}

func TestNoStorage(t *testing.T) {
	m := newModem(t)
	m.script = func(cmd string) (string, bool) { return "+CMS ERROR: 302", strings.HasPrefix(cmd, "+CPMS") }
	if err := start(t, newTransport(t, m), &transporttest.Sink{}).ended(); !errors.Is(err, smsmodem.ErrNoStorage) {
		t.Errorf("Run: %v", err)
	}
}

// After power-up the SIM is busy for a while, or not there yet.
func TestBusySIM(t *testing.T) {
	m := newModem(t)
	var asked, mode, mem atomic.Int32
	m.script = func(cmd string) (string, bool) {
		switch cmd {
		case "+CPIN?":
			n := asked.Add(1)
			return []string{"+CME ERROR: 14", "+CME ERROR: 10", "+CPIN: NOT READY\nOK", ""}[min(n-1, 3)], n <= 3
		case "+CMGF=0":
			return "+CMS ERROR: 314", mode.Add(1) == 1
		case `+CPMS="SM"`:
			return "+CMS ERROR: SIM busy", mem.Add(1) == 1
		}
		return "", false
	}
	tr := newTransport(t, m)
	works(t, m, tr, start(t, tr, &transporttest.Sink{}))
}

func withPIN(c *smsmodem.Config) { c.PIN = "1234" }

func TestPIN(t *testing.T) {
	m := newModem(t)
	var locked atomic.Bool
	locked.Store(true)
	m.script = func(cmd string) (string, bool) {
		switch cmd {
		case "+CPIN?":
			return "+CPIN: SIM PIN\nOK", locked.Load()
		case `+CPIN="1234"`:
			locked.Store(false)
			m.urc("+CPIN: READY") // some say so at once, and are not to be taken for modems that start over for ever
			m.urc("SMS Ready")
			return "OK", true
		}
		return "", false
	}
	tr := newTransport(t, m, withPIN)
	r := start(t, tr, &transporttest.Sink{})
	works(t, m, tr, r)
	r.stop()
	if n := m.asked("+CPIN="); n != 1 {
		t.Errorf("the PIN was given %d times", n)
	}
	locked.Store(true) // it was switched off: a PIN that was right is given again
	r = start(t, tr, &transporttest.Sink{})
	works(t, m, tr, r)
	r.stop()
}

// "Never retry a PIN": three wrong ones lock the SIM.
func TestPINRefused(t *testing.T) {
	for name, c := range map[string]struct {
		state, reply string
		pin          func(*smsmodem.Config)
		given        int
	}{
		"wrong":        {"SIM PIN", "+CME ERROR: 16", withPIN, 1},
		"no answer":    {"SIM PIN", "", withPIN, 1},
		"none":         {"SIM PIN", "OK", func(*smsmodem.Config) {}, 0},
		"PUK":          {"SIM PUK", "OK", withPIN, 0},
		"network lock": {"PH-NET PIN", "OK", withPIN, 0},
	} {
		t.Run(name, func(t *testing.T) {
			m := newModem(t)
			m.script = answers(map[string]string{"+CPIN?": "+CPIN: " + c.state + "\nOK", `+CPIN="1234"`: c.reply})
			tr := newTransport(t, m, c.pin)
			for range 3 {
				if err := start(t, tr, &transporttest.Sink{}).ended(); !errors.Is(err, smsmodem.ErrPIN) || strings.Contains(err.Error(), "1234") {
					t.Errorf("Run: %v", err)
				}
			}
			if n := m.asked("+CPIN="); n != c.given {
				t.Errorf("the PIN was given %d times, want %d", n, c.given)
			}
		})
	}
}

func TestPINLastTry(t *testing.T) {
	m := newModem(t)
	m.script = answers(map[string]string{"+CPIN?": "+CPIN: SIM PIN\nOK", "+CPINR": "+CPINR: SIM PIN,1,3\n+CPINR: SIM PUK,10,10\nOK"})
	if err := start(t, newTransport(t, m, withPIN), &transporttest.Sink{}).ended(); !errors.Is(err, smsmodem.ErrPIN) {
		t.Errorf("Run: %v", err)
	}
	if m.asked("+CPIN=") != 0 {
		t.Error("the PIN was given although it was the SIM's last try")
	}
}

func TestWrongModem(t *testing.T) {
	m := newModem(t)
	tr := newTransport(t, m, func(c *smsmodem.Config) { c.IMEI = "350000000000025" })
	if err := start(t, tr, &transporttest.Sink{}).ended(); !errors.Is(err, smsmodem.ErrWrongModem) {
		t.Errorf("Run: %v", err)
	}
	if m.asked("+CMGL")+m.asked("+CMGF=") != 0 {
		t.Error("another modem was told what to do")
	}
}

func TestServiceCentre(t *testing.T) {
	m := newModem(t)
	tr := newTransport(t, m, func(c *smsmodem.Config) { c.SMSC = "+491710760000" })
	r := start(t, tr, &transporttest.Sink{})
	works(t, m, tr, r)
	r.stop()
	if !slices.Contains(m.commands, `+CSCA="+491710760000",145`) {
		t.Errorf("commands %q", m.commands)
	}
}

// A modem that starts over, with or without a word, has lost PDU mode and indications.
func TestRestart(t *testing.T) {
	for name, word := range map[string]string{"RDY": "RDY", "CPIN": "+CPIN: READY", "SYSSTART": "^SYSSTART", "ready": "SMS Ready", "silent": ""} {
		t.Run(name, func(t *testing.T) {
			m := newModem(t)
			tr := newTransport(t, m)
			if word == "" {
				tr.CheckEvery(10 * time.Millisecond)
			}
			r := start(t, tr, &transporttest.Sink{})
			works(t, m, tr, r)
			m.mu.Change(m.reset)
			m.put("ME", message{pdu: deliverPDU(t, sender, []byte("meanwhile"))})
			if word != "" {
				m.urc(word)
			}
			r.gets("meanwhile")
			r.until(m, "PDU mode and indications", func() bool { return m.mode == "0" && m.cnmi == "2,1,0,2,0" })
			r.stop()
			if s := tr.Stats(); s.Reboots != 1 || s.Setups != 2 {
				t.Errorf("%d restarts, %d set-ups", s.Reboots, s.Setups)
			}
		})
	}
}

// A modem may also lose its indications alone, as when nobody acknowledged a message that it had handed over (3GPP TS 27.005 §3.4.4).
func TestIndicationsLost(t *testing.T) {
	m := newModem(t)
	tr := newTransport(t, m)
	tr.CheckEvery(10 * time.Millisecond)
	r := start(t, tr, &transporttest.Sink{})
	works(t, m, tr, r)
	m.mu.Change(func() { m.cnmi = "2,0,0,0,0" })
	r.until(m, "the indications are back", func() bool { return m.cnmi == "2,1,0,2,0" })
}

// A listing in text mode shows a silent restart before the next look would.
func TestTextModeListing(t *testing.T) {
	m := newModem(t)
	tr := newTransport(t, m)
	r := start(t, tr, &transporttest.Sink{})
	works(t, m, tr, r)
	m.mu.Change(m.reset)
	m.deliver("SM", deliverPDU(t, sender, []byte("in text mode")))
	r.gets("in text mode")
	r.stop()
	if n := tr.Stats().Setups; n != 2 {
		t.Errorf("%d set-ups", n)
	}
}

func TestSecondRun(t *testing.T) {
	m := newModem(t)
	tr := newTransport(t, m)
	r := start(t, tr, &transporttest.Sink{})
	works(t, m, tr, r)
	if err := tr.Run(t.Context(), &transporttest.Sink{}); err == nil {
		t.Error("a second Run beside the first returned nil")
	}
	if m.opened != 1 {
		t.Errorf("the line was opened %d times", m.opened)
	}
}

func TestConfig(t *testing.T) {
	bad := smsmodem.Config{
		Baud: 12345, IMEI: "1", PIN: "12", SMSC: "0171", CountryCode: "+49", Sweep: time.Millisecond, Storages: []string{"SM", "XX", "SM"},
	}
	_, err := smsmodem.New(bad)
	if err == nil {
		t.Fatal("a bad configuration was taken")
	}
	for _, want := range []string{"name", "device", "baud", "imei", "pin", "smsc", "country_code", "sweep", "storages is XX", "each once"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
	if strings.Contains(err.Error(), "12 ") || strings.Contains(err.Error(), "12,") {
		t.Errorf("%v shows the PIN", err)
	}
	if _, err := smsmodem.New(smsmodem.Config{Name: "m", Device: "/dev/null"}); err != nil {
		t.Errorf("the least configuration: %v", err)
	}
}

// A device that is no serial line, or is not there, is an error of Run: it may come.
func TestDeviceMissing(t *testing.T) {
	tr, err := smsmodem.New(smsmodem.Config{Name: "m", Device: "/dev/does-not-exist"})
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Run(t.Context(), &transporttest.Sink{}); err == nil || !strings.Contains(err.Error(), "/dev/does-not-exist") {
		t.Errorf("Run: %v", err)
	}
}
