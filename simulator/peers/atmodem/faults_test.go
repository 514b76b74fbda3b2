package atmodem_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/atmodem"
)

func inject(t *testing.T, m *atmodem.Modem, s atmodem.Step) {
	t.Helper()
	if err := m.Inject(s); err != nil {
		t.Fatal(err)
	}
}

// TestURCInReply: an unsolicited line comes between the lines of a reply, even between a header and its PDU.
func TestURCInReply(t *testing.T) {
	places := map[string]bool{}
	for seed := range uint64(20) {
		m, c := ready(t, atmodem.Options{Seed: seed})
		c.want("AT+CNMI=2,1", "")
		deliver(t, m, atmodem.Message{From: sender, Payload: []byte{1}})
		c.until("+CMTI: \"SM\",1\r\n")
		if err := m.SetFaults(atmodem.Faults{URCInReply: 1}); err != nil {
			t.Fatal(err)
		}
		deliver(t, m, atmodem.Message{From: sender, Payload: []byte{2}})
		const urc = "\r\n+CMTI: \"SM\",2\r\n"
		c.write("AT+CMGR=1\r")
		got := c.until("\r\nOK\r\n")
		switch i := strings.Index(got, urc); {
		case i < 0:
			t.Fatalf("no URC in %q", got)
		case i == 0:
			places["first"] = true
		case strings.HasPrefix(got[i+len(urc):], "07"):
			places["before the PDU"] = true
		case strings.HasPrefix(got[i+len(urc):], "\r\nOK"):
			places["before OK"] = true
		}
	}
	if len(places) != 3 {
		t.Errorf("URCs were at %v only", places)
	}
}

func TestScript(t *testing.T) {
	sent := make(chan atmodem.Submit, 8)
	m, c := ready(t, atmodem.Options{
		OnSubmit: func(s atmodem.Submit) { sent <- s },
		Faults:   atmodem.Faults{Script: []atmodem.Step{{Command: "+CSQ", Nth: 2, Do: atmodem.ActError, Code: 100}}},
	})
	deliver(t, m, atmodem.Message{From: sender, Payload: []byte{1}})
	c.want("AT+CMEE=1", "")
	c.at("AT+CSQ")
	c.want("AT+CSQ", "+CME ERROR: 100")

	inject(t, m, atmodem.Step{Command: "+CMGD", Do: atmodem.ActError, Code: 314})
	c.want("AT+CMGD=1", "+CMS ERROR: 314")
	if m.Stats().Stored != 1 {
		t.Error("a refused +CMGD deleted")
	}
	inject(t, m, atmodem.Step{Command: "+CMGD", Do: atmodem.ActError, Code: 500, Applied: true})
	c.want("AT+CMGD=1", "+CMS ERROR: 500")
	if m.Stats().Stored != 0 {
		t.Error("an applied +CMGD did not delete")
	}

	for _, applied := range []bool{false, true} {
		inject(t, m, atmodem.Step{Command: "+CMGS", Do: atmodem.ActMute, Applied: applied})
		c.write("AT+CMGS=17\r")
		c.until("> ")
		c.write(submitPDU + "\x1aAT+CMGF?\r") // the silence ends with the next command
		c.until("\r\n+CMGF: 0\r\n\r\nOK\r\n")
		if applied {
			<-sent
		} else if m.Stats().Submits != 0 {
			t.Error("a +CMGS without effect sent")
		}
	}

	inject(t, m, atmodem.Step{Command: "+CMGF", Do: atmodem.ActDelay, For: 20 * time.Millisecond})
	began := time.Now()
	c.want("AT+CMGF?", "+CMGF: 0")
	if d := time.Since(began); d < 20*time.Millisecond {
		t.Errorf("late answer came after %s", d)
	}
	inject(t, m, atmodem.Step{Do: atmodem.ActURC, Text: "RING"})
	c.write("AT\r")
	if got := c.until("OK\r\n"); got != "\r\nRING\r\n\r\nOK\r\n" {
		t.Errorf("RING gave %q", got)
	}
	inject(t, m, atmodem.Step{Do: atmodem.ActGarbage})
	c.write("AT\r")
	if got := c.until("OK\r\n"); got == "\r\nOK\r\n" || !strings.HasSuffix(got, "\r\nOK\r\n") {
		t.Errorf("noise gave %q", got)
	}
	inject(t, m, atmodem.Step{Do: atmodem.ActReboot})
	c.write("AT+CMEE?\r")
	c.until("\r\nRDY\r\n\r\n+CFUN: 1\r\n\r\n+CPIN: READY\r\n")
	c.write("AT+CMEE?\r")
	c.until("AT+CMEE?\r\r\n+CMEE: 0\r\n") // echo and error codes as from the factory
	if err := m.Inject(atmodem.Step{Do: 99}); err == nil {
		t.Error("an unknown action was taken")
	}
}

// TestFailure: a modem that has failed refuses everything about messages, and nothing else, until it starts anew.
func TestFailure(t *testing.T) {
	for name, usb := range map[string]bool{"serial": false, "USB": true} {
		t.Run(name, func(t *testing.T) {
			m, c := ready(t, atmodem.Options{
				Profile: atmodem.Profile{USB: usb, Boot: 20 * time.Millisecond}, Faults: atmodem.Faults{Away: 20 * time.Millisecond},
			})
			deliver(t, m, atmodem.Message{From: sender, Payload: []byte{1}})
			inject(t, m, atmodem.Step{Command: "+CMGL", Do: atmodem.ActFail})
			for _, command := range []string{"AT+CMGL=4", "AT+CMGR=1", "AT+CMGD=1", "AT+CMGS=17"} {
				c.want(command, "+CMS ERROR: 300")
			}
			c.want("AT+CMEE=2;+CMGL=4", "+CMS ERROR: ME failure")
			c.want("AT+CMGF?", "+CMGF: 0")
			c.write("AT+CFUN=1,1\r")
			c.until("\r\nOK\r\n")
			if usb {
				c.gone()
				c = replugged(t, m, 2)
			}
			waitFor(t, c, "AT+CREG?", "+CREG: 0,1")
			if got := c.at("AT+CMGR=1"); !strings.HasPrefix(got, "+CMGR: 0,,20\r\n07") {
				t.Errorf("after the start: %q", got)
			}
		})
	}
}

// TestUnplug: the terminal hangs up in the middle of a PDU that the modem sends or receives, and comes back under the same path. What was
// stored stays, what was set does not, and what came meanwhile waits.
func TestUnplug(t *testing.T) {
	sent := make(chan atmodem.Submit, 1)
	m, c := ready(t, atmodem.Options{
		OnSubmit: func(s atmodem.Submit) { sent <- s }, Faults: atmodem.Faults{Away: 20 * time.Millisecond},
		Profile: atmodem.Profile{BootLines: []string{"SMS Ready"}},
	})
	deliver(t, m, atmodem.Message{From: sender, Payload: make([]byte, 100)})
	inject(t, m, atmodem.Step{Command: "+CMGR", Do: atmodem.ActUnplug})
	c.write("AT+CMGR=1\r")
	got := c.gone()
	if !strings.HasPrefix(got, "\r\n+CMGR: 0,,119\r\n0") || strings.Contains(got, "OK") {
		t.Errorf("before the cable was pulled: %q", got)
	}

	c = replugged(t, m, 2)
	waitFor(t, c, "AT+CNMI?;+CREG?", "+CNMI: 0,0,0,0,0\r\n\r\n+CREG: 0,1")
	if got := c.at("AT+CMGR=1"); !strings.HasPrefix(got, "+CMGR: 1,,119\r\n07") {
		t.Errorf("after the cable was put back: %q", got)
	}
	inject(t, m, atmodem.Step{Command: "+CMGS", Do: atmodem.ActUnplug})
	c.write("AT+CMGS=17\r")
	c.until("> ")
	c.write(submitPDU)
	c.gone()
	if len(sent) != 0 {
		t.Error("half a PDU was sent")
	}

	c = replugged(t, m, 3)
	waitFor(t, c, "AT+CREG?", "+CREG: 0,1")
	m.Unplug()
	m.Unplug()
	c.gone()
	if _, err := os.Lstat(m.Path()); !os.IsNotExist(err) {
		t.Errorf("path of an unplugged modem: %v", err)
	}
	deliver(t, m, atmodem.Message{From: sender, Payload: []byte{1}})
	if s := m.Stats(); s.Plugged || s.Waiting != 1 || s.Stored != 1 {
		t.Errorf("stats %+v", s)
	}
	if err := m.Plug(); err != nil {
		t.Fatal(err)
	}
	c = dial(t, m.Path())
	c.until("SMS Ready\r\n")
	waitFor(t, c, "AT+CPMS?", `"SM",2,20,"SM",2,20,"SM",2,20`)
	m.Reboot()
	c.until("SMS Ready\r\n")
}

// replugged waits until the modem was plugged in n times, and opens it.
func replugged(t *testing.T, m *atmodem.Modem, n uint64) *terminal {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for m.Stats().Plugs < n {
		<-tick.C
	}
	return dial(t, m.Path())
}

// TestNobodyReads: what a program leaves unread does not hold the modem up for ever, and the next program gets answers.
func TestNobodyReads(t *testing.T) {
	settled := make(chan struct{}, 1)
	m, c := ready(t, atmodem.Options{
		MESlots: 255, OnSubmit: func(atmodem.Submit) { settled <- struct{}{} },
	})
	c.want(`AT+CPMS="ME","ME","ME"`, "+CPMS: 0,255,0,255,0,255")
	for range 200 {
		deliver(t, m, atmodem.Message{From: sender, Payload: make([]byte, 140)})
	}
	c.write("AT+CMGL=4\rAT+CMGL=4\rAT+CMGS=17\r" + submitPDU + "\x1a") // 140 KB that nobody reads
	<-settled
	if s := m.Stats(); s.OutputDropped == 0 {
		t.Errorf("stats %+v", s)
	}
	if err := c.f.Close(); err != nil {
		t.Fatal(err)
	}
	c = dial(t, m.Path())
	waitFor(t, c, "ATS8=77S8?", "\r\n077\r\n")
}

// TestPath: a symbolic link of a modem that died is replaced, any other file is not.
func TestPath(t *testing.T) {
	path := t.TempDir() + "/modem"
	if err := os.Symlink("/nowhere", path); err != nil {
		t.Fatal(err)
	}
	m, err := atmodem.New(atmodem.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if err := m.Deliver(t.Context(), atmodem.Message{From: sender, Text: "x"}); err == nil {
		t.Error("a closed modem took a message")
	}
	if err := m.Plug(); err == nil {
		t.Error("a closed modem was plugged in")
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := atmodem.New(atmodem.Options{Path: path}); err == nil {
		t.Error("a file was replaced")
	}
	m, err = atmodem.New(atmodem.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(m.Path()); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		t.Errorf("path without a link: %v, %v", info, err)
	}
	m.Unplug()
	if p := m.Path(); p != "" {
		t.Errorf("path of an unplugged modem without a link: %q", p)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}

func TestOptions(t *testing.T) {
	for name, o := range map[string]atmodem.Options{
		"slots":       {SMSlots: 256},
		"no slots":    {SMSlots: -1, MESlots: -1},
		"number":      {Number: "me"},
		"smsc":        {SMSC: "x"},
		"reference":   {RefBits: 9},
		"queue":       {Queue: -1},
		"retry":       {Retry: -1},
		"IMEI":        {Profile: atmodem.Profile{IMEI: "x"}},
		"PIN":         {Profile: atmodem.Profile{PIN: "x"}},
		"operator":    {Profile: atmodem.Profile{OperatorCode: "1"}},
		"probability": {Faults: atmodem.Faults{Mute: 1.5}},
		"span":        {Faults: atmodem.Faults{Reply: atmodem.Span{Least: 2, Most: 1}}},
		"away":        {Faults: atmodem.Faults{Away: -1}},
		"script":      {Faults: atmodem.Faults{Script: []atmodem.Step{{Nth: -1}}}},
	} {
		if m, err := atmodem.New(o); err == nil {
			t.Errorf("%s: no error", name)
			_ = m.Close()
		}
	}
}
