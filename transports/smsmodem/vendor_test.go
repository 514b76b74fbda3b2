package smsmodem_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/atmodem"
	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/smsmodem"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

// The same number, on modems of different makers: what a Send says of it, and in whose words.
func TestMakersOwnErrors(t *testing.T) {
	for _, c := range []struct {
		maker string
		code  int
		want  transports.Outcome
		name  string
	}{
		{"WAVECOM MODEM", 513, transports.NotSent, "lower layer failure"},
		{"Quectel", 513, transports.Refused, "message length exceeds the limit"},
		{"Quectel_Ltd", 513, transports.NotSent, ""}, // the same maker's GSM modules
		{"Acme", 513, transports.NotSent, ""},

		{"MultiTech Systems", 515, transports.NotSent, "please wait"},
		{"Quectel", 515, transports.NotSent, "ME storage failure"},
		{"SIMCOM INCORPORATED", 515, transports.NotSent, "device busy"},
		{"SIEMENS", 515, transports.Refused, "invalid character in address"},
		{"Telit", 515, transports.MaybeSent, "no response from network"},
		{"Acme", 515, transports.NotSent, ""},

		{"Cinterion", 516, transports.Refused, "invalid length"},
		{"SIMCOM_Ltd", 521, transports.MaybeSent, "timer expired"},
		{"WAVECOM MODEM", 529, transports.NotSent, "PLMN selection failure"},
		{"Quectel", 529, transports.Refused, "MO SMS is not allowed"},
		{"Acme", 529, transports.NotSent, ""},
		{"WAVECOM MODEM", 531, transports.Refused, "recipient is not among the fixed dialling numbers"},
		{"Quectel", 531, transports.NotSent, "ME storage full"},
		{"u-blox", 539, transports.NotSent, "MS pending MO SM transfer"},
		{"Sierra Wireless, Incorporated", 606, transports.NotSent, "ME busy"},
	} {
		t.Run(fmt.Sprintf("%s %d", c.maker, c.code), func(t *testing.T) {
			s := newPatientSite(t, atmodem.Options{Profile: atmodem.Profile{Manufacturer: c.maker, Boot: 20 * time.Millisecond}})
			if err := s.modem.Inject(atmodem.Step{Command: "+CMGS", Do: atmodem.ActError, Code: c.code}); err != nil {
				t.Fatal(err)
			}
			s.up(t)
			_, err := s.tr.Send(s.ctx, hello)
			wantOutcome(t, err, c.want, c.code)
			want := fmt.Sprintf("+CMS ERROR: %d", c.code)
			if c.name != "" {
				want += " (" + c.name + ")"
			}
			if got := rootOf(err).Error(); got != want {
				t.Errorf("the error is %q, want %q", got, want)
			}
			if got := s.tr.Stats().Maker; got != c.maker {
				t.Errorf("maker %q, want %q", got, c.maker)
			}
		})
	}
}

// up waits until the modem is set up.
func (s *site) up(t *testing.T) {
	t.Helper()
	for !s.tr.Up() {
		if s.ctx.Err() != nil {
			t.Fatalf("the modem is not set up\nmodem: %+v\ndriver: %+v", s.modem.Stats(), s.tr.Stats())
		}
		pause(s.ctx, 5*time.Millisecond)
	}
}

// rootOf is the error at the end of a chain.
func rootOf(err error) error {
	for next := err; next != nil; next = errors.Unwrap(err) {
		err = next
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			list := joined.Unwrap()
			return rootOf(list[len(list)-1])
		}
	}
	return err
}

// patient waits for answers as long as ever: these modems answer at once, and a test that is held up must not take that for silence.
func patient(tr *smsmodem.Transport) *smsmodem.Transport {
	tr.HastenPauses()
	return tr
}

// A modem that answers in words says what its maker's number says.
func TestMakersOwnWords(t *testing.T) {
	m := newModem(t)
	m.maker = "Quectel"
	m.onPDU = func(string) (string, bool) { return "+CMS ERROR: MO SMS is not allowed", true }
	tr := patient(newTransport(t, m))
	r := up(t, m, tr)
	_, err := tr.Send(r.ctx, hello)
	wantOutcome(t, err, transports.Refused, 529)
}

// "27 destination out of service: retry slowly". The caller is told so; of other errors it is not.
func TestDestinationOutOfService(t *testing.T) {
	s := newPatientSite(t, atmodem.Options{Profile: atmodem.Profile{Boot: 20 * time.Millisecond}})
	s.up(t)
	for code, slow := range map[int]bool{27: true, 41: false, 331: false} {
		if err := s.modem.Inject(atmodem.Step{Command: "+CMGS", Do: atmodem.ActError, Code: code}); err != nil {
			t.Fatal(err)
		}
		_, err := s.tr.Send(s.ctx, hello)
		wantOutcome(t, err, transports.NotSent, code)
		var failed *transports.SendError
		if errors.As(err, &failed) && failed.Slow != slow {
			t.Errorf("code %d: slow %t, want %t", code, failed.Slow, slow)
		}
	}
	if _, err := s.tr.Send(s.ctx, hello); err != nil {
		t.Errorf("Send after that: %v", err)
	}
}

// A modem that goes on failing is told to start over, and works after that; one on USB leaves the line meanwhile.
func TestFailingModemStartsOver(t *testing.T) {
	for name, usb := range map[string]bool{"serial": false, "USB": true} {
		t.Run(name, func(t *testing.T) {
			s := newPatientSite(t, atmodem.Options{
				Profile: atmodem.Profile{USB: usb, Boot: 20 * time.Millisecond}, Faults: atmodem.Faults{Away: 50 * time.Millisecond},
			})
			if err := s.modem.Inject(atmodem.Step{Command: "+CMGS", Do: atmodem.ActFail}); err != nil {
				t.Fatal(err)
			}
			boots := s.modem.Stats().Boots
			if err := s.send(t, "down"); err != nil { // again and again, until it is sent
				t.Errorf("Send: %v", err)
			}
			s.check(t, "down", nil)
			if err := s.modem.Deliver(s.ctx, atmodem.Message{ID: 7, From: sender, Payload: []byte("up")}); err != nil {
				t.Fatal(err)
			}
			s.await(t, "a message is deleted", func() bool { return len(s.settled) == 1 })
			if d, m := s.tr.Stats(), s.modem.Stats(); d.Resets != 1 || m.Boots != boots+1 {
				t.Errorf("told to start over %d times, and did %d times; want once", d.Resets, m.Boots-boots)
			}
		})
	}
}

// A storage that a failing modem does not list is neither empty nor one to be read slot by slot: what it holds is read after the start.
func TestFailingListing(t *testing.T) {
	m := newModem(t)
	var works atomic.Bool
	m.script = func(cmd string) (string, bool) {
		if cmd == "+CFUN=1,1" {
			works.Store(true)
			m.mu.Change(m.reset)
			return "OK\n\nRDY", true
		}
		return "+CMS ERROR: 300", cmd == "+CMGL=4" && !works.Load()
	}
	m.put("SM", message{pdu: deliverPDU(t, sender, []byte("held"))})
	tr := patient(newTransport(t, m))
	r := start(t, tr, &transporttest.Sink{})
	r.gets("held")
	r.until(m, "the slot is given back", func() bool { return m.holds("SM") == 0 })
	r.stop()
	if n, s := m.asked("+CMGR"), tr.Stats(); n != 0 || s.Resets != 1 {
		t.Errorf("%d slots were read one by one, and the modem was told to start over %d times, want 0 and once", n, s.Resets)
	}
}

// A modem without a listing that has this word for an empty slot does not fail.
func TestEmptySlotInOtherWords(t *testing.T) {
	m := newModem(t)
	m.script = func(cmd string) (string, bool) {
		m.mu.Lock()
		defer m.mu.Unlock()
		switch {
		case cmd == "+CMGL=4":
			return "ERROR", true
		case strings.HasPrefix(cmd, "+CMGR=") && cmd != "+CMGR=1" || m.holds(m.selected) == 0:
			return "+CMS ERROR: 300", strings.HasPrefix(cmd, "+CMGR=")
		}
		return "", false
	}
	tr := patient(newTransport(t, m))
	r := start(t, tr, &transporttest.Sink{})
	works(t, m, tr, r)
	r.stop()
	if n := tr.Stats().Resets; n != 0 {
		t.Errorf("told to start over %d times", n)
	}
}

// One failure, or two, or three of different commands, or one that passes, are no reason to start a modem over: it would lose its calls.
func TestFailuresThatPass(t *testing.T) {
	m := newModem(t)
	fails := 0
	m.onPDU = func(string) (string, bool) {
		fails++
		return "+CMS ERROR: 300", fails%3 != 0
	}
	tr := patient(newTransport(t, m))
	r := up(t, m, tr)
	for i := range 9 {
		_, err := tr.Send(r.ctx, hello)
		if want := i%3 == 2; (err == nil) != want {
			t.Fatalf("send %d: %v, want that it works: %t", i, err, want)
		}
	}
	r.stop()
	if n := tr.Stats().Resets; n != 0 {
		t.Errorf("told to start over %d times", n)
	}
}

// Failures within a moment are none that persist.
func TestFailuresThatDoNotPersist(t *testing.T) {
	m := newModem(t)
	m.onPDU = func(string) (string, bool) { return "+CMS ERROR: 300", true }
	tr := patient(newTransport(t, m))
	tr.PersistFor(time.Hour)
	r := up(t, m, tr)
	for range 5 {
		_, err := tr.Send(r.ctx, hello)
		wantOutcome(t, err, transports.NotSent, 300)
	}
	r.stop()
	if n := tr.Stats().Resets; n != 0 {
		t.Errorf("told to start over %d times", n)
	}
}

// A modem that is broken for good is told to start over now and then, and not all the time. Each make has its own way to do it.
func TestBrokenModemStartsOverSeldom(t *testing.T) {
	for maker, command := range map[string]string{"FAKE": "+CFUN=1,1", "huawei": "^RESET", "Telit": "#REBOOT"} {
		t.Run(maker, func(t *testing.T) {
			m := newModem(t)
			m.maker = maker
			m.onPDU = func(string) (string, bool) { return "+CMS ERROR: 300", true }
			woken := false // a modem that has just started does not know its IMEI
			m.script = func(cmd string) (string, bool) {
				switch {
				case cmd == "+CGSN" && woken:
					woken = false
					return "+CME ERROR: 14", true
				case cmd != command:
					return "", false
				}
				woken = true
				m.mu.Change(m.reset)
				return "OK\n\nRDY", true
			}
			tr := patient(newTransport(t, m))
			r := up(t, m, tr)
			fail := func() {
				t.Helper()
				for range 4 {
					_, err := tr.Send(r.ctx, hello)
					wantOutcome(t, err, transports.NotSent, 300)
				}
			}
			fail()
			r.until(m, "PDU mode again", func() bool { return m.asked(command) == 1 && m.mode == "0" })
			fail()
			if n := m.count(func() int { return m.asked(command) }); n != 1 {
				t.Errorf("told to start over %d times within the hour, want once", n)
			}
			r.stop()
			tr.ResetEvery(0)
			start(t, tr, &transporttest.Sink{}) // what it knew of the modem outlives the line
			r.until(m, "the modem is told again once it may be", func() bool { return m.asked(command) == 2 })
		})
	}
}

// One that refuses to start over is used as it is.
func TestModemThatDoesNotStartOver(t *testing.T) {
	m := newModem(t)
	m.onPDU = func(string) (string, bool) { return "+CMS ERROR: 300", m.asked("+CFUN") == 0 }
	tr := patient(newTransport(t, m))
	r := up(t, m, tr)
	for range 3 {
		_, err := tr.Send(r.ctx, hello)
		wantOutcome(t, err, transports.NotSent, 300)
	}
	works(t, m, tr, r)
	r.stop()
	if m.asked("+CFUN=1,1") != 1 {
		t.Errorf("commands %q", m.commands)
	}
}
