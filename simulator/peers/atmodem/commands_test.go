package atmodem_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/atmodem"
)

// TestCommands asks what programs ask a modem, in their order where that matters, over the terminal.
func TestCommands(t *testing.T) {
	clock := time.Date(2026, 7, 8, 9, 10, 11, 0, time.FixedZone("", 2*60*60))
	_, c := ready(t, atmodem.Options{Now: func() time.Time { return clock }})
	for _, step := range []struct{ command, want string }{
		{"AT", ""},
		{"at", ""},
		{"AT;", ""},
		{"  AT", ""},
		{"xxAT", ""},
		{"AT&F;E0", ""},
		{"ATX4&C1&D2", ""},
		{"AT+IFC=1,1", ""},
		{"AT+IFC?", "+IFC: 0,0"},
		{"ATD*99#", "NO CARRIER"},
		{"ATA", "NO CARRIER"},
		{"ATO", "NO CARRIER"},
		{"ATH", ""},
		{"ATE7", "ERROR"},
		{"AT+NONSENSE", "ERROR"},
		{"AT+CMEE=1", ""},
		{"AT+CMEE?", "+CMEE: 1"},
		{"AT+CMEE=?", "+CMEE: (0-2)"},
		{"AT+CMEE=3", "+CME ERROR: 50"},
		{"AT+NONSENSE", "+CME ERROR: 4"},
		{"AT+CMEE=2", ""},
		{"AT+NONSENSE", "+CME ERROR: operation not supported"},
		{"AT+CMGR=1", "+CMS ERROR: invalid memory index"},
		{"AT+CMEE=1;+CMGR=1", "+CMS ERROR: 321"},
		{"AT+CGMI", "Godwit"},
		{"AT+CGMM;+CGMR", "SIM-900\r\n\r\nGodwit simulated modem 1.0"},
		{"AT+CGSN=?", ""},
		{"AT+GSN", "356938035643809"},
		{"AT+GCAP", "+GCAP: +CGSM"},
		{"ATI", "Godwit\r\nSIM-900\r\nGodwit simulated modem 1.0"},
		{"AT+CIMI", "262011234567890"},
		{"AT+CCID", "+CCID: 8949012345678901234"},
		{"AT+CRSM=176,12258,0,0,10", `+CRSM: 144,0,"989410325476981032F4"`},
		{"AT+CRSM=176,28589,0,0,4", `+CRSM: 144,0,"00000002"`},
		{"AT+CRSM=176,1,0,0,4", "+CRSM: 106,130"},
		{"AT+CNUM", `+CNUM: "Godwit","+491700000000",145`},
		{"AT+CPIN?", "+CPIN: READY"},
		{`AT+CPIN="1234"`, "+CME ERROR: 3"},
		{`AT+CLCK="SC",2`, "+CLCK: 0"},
		{"AT+CFUN?", "+CFUN: 1"},
		{"AT+CREG?", "+CREG: 0,1"},
		{"AT+CREG=2;+CREG?", `+CREG: 2,1,"00C3","0000A1B2"`},
		{"AT+CREG=0;+CGREG?;+CEREG?", "+CGREG: 0,1\r\n\r\n+CEREG: 0,1"},
		{"AT+COPS?", `+COPS: 0,0,"Godwit Mobile",2`},
		{"AT+COPS=3,2;+COPS?", `+COPS: 0,2,"26201",2`},
		{"AT+COPS=3,0;+COPS?", `+COPS: 0,0,"Godwit Mobile",2`},
		{"AT+CCLK?", `+CCLK: "26/07/08,09:10:11+08"`},
		{"AT+CPAS", "+CPAS: 0"},
		{"AT+CGATT?", "+CGATT: 1"},
		{"AT+WS46=?", "+WS46: (12,22,25,28)"},
		{"AT+CPBS=?", `+CPBS: ("SM","ON")`},
		{`AT+CPBS="ON";+CPBS?`, `+CPBS: "ON",0,100`},
		{"AT+CPBR=1,100", ""},
		{"AT+CPBR=?", "+CPBR: (1-100),40,14"},
		{"AT+CPBR=101", "+CME ERROR: 21"},
		{"AT+CPBF=?", "+CPBF: 40,14"},
		{`AT+CPBF="x"`, "+CME ERROR: 22"},
		{`AT+CPBW=1,"1"`, "+CME ERROR: 3"},
		{`AT+CPBS="XX"`, "+CME ERROR: 50"},
		{`AT+CPWD="SC","1","2"`, "+CME ERROR: 16"},
		{"AT+CSQ=?", "+CSQ: (0-31,99),(0-7,99)"},
		{"AT+COPS=9", "+CME ERROR: 50"},
		{"AT+CREG=?", "+CREG: (0-2)"},
		{"AT+CREG=7", "+CME ERROR: 50"},
		{"AT+CFUN=?", "+CFUN: (0,1,4),(0,1)"},
		{"AT+CFUN=3", "+CME ERROR: 50"},
		{"AT+WS46?", "+WS46: 25"},
		{"ATI4;I5;I9", "SIM-900\r\n\r\n356938035643809\r\n\r\nGodwit SIM-900"},
		{`AT+CSCS="KLINGON"`, "+CME ERROR: 50"},
		{`AT+CSCS="HEX";+CSCS?;+CNUM`, "+CSCS: \"HEX\"\r\n\r\n+CNUM: \"476F64776974\",\"2B343931373030303030303030\",145"},
		{"AT+CSCS=?", `+CSCS: ("GSM","IRA","HEX","UCS2")`},
		{`AT+CSCS="UCS2";+CSCA?`, `+CSCA: "002B003400390031003700310030003700360030003000300030",145`},
		{`AT+CSCA="002B0034"`, ""},
		{`AT+CSCS="GSM";+CSCA?`, `+CSCA: "+4",145`},
		{`AT+CSCA="+491710760001",145;+CSCA?`, `+CSCA: "+491710760001",145`},
		{"AT+CMGF=?", "+CMGF: (0)"},
		{"AT+CMGF=0;+CMGF?", "+CMGF: 0"},
		{"AT+CMGF=1", "+CMS ERROR: 303"},
		{"AT+CSMS=?", "+CSMS: (0,1)"},
		{"AT+CSMS=1;+CSMS?", "+CSMS: 1,1,1\r\n\r\n+CSMS: 1,1,1,1"},
		{"AT+CNMI=?", "+CNMI: (0-2),(0-3),(0,2),(0-2),(0,1)"},
		{"AT+CNMI=2,1,0,2;+CNMI?", "+CNMI: 2,1,0,2,0"},
		{"AT+CNMI=2,9", "+CMS ERROR: 302"},
		{"AT+CMMS=2;+CMMS?", "+CMMS: 2"},
		{"AT+CPMS=?", `+CPMS: ("SM","ME","MT"),("SM","ME","MT"),("SM","ME","MT")`},
		{"AT+CPMS?", `+CPMS: "SM",0,20,"SM",0,20,"SM",0,20`},
		{`AT+CPMS="ME","SM"`, "+CPMS: 0,50,0,20,0,20"},
		{`AT+CPMS="MT"`, "+CPMS: 0,70,0,20,0,20"},
		{`AT+CPMS="XX"`, "+CMS ERROR: 302"},
		{"AT+CMGD=?", "+CMGD: (1-70),(0-4)"},
		{"AT+CMGC=3", "+CMS ERROR: 303"},
		{"AT+CSMS=5", "+CMS ERROR: 302"},
		{"AT+CMGD=1,9", "+CMS ERROR: 302"},
		{"AT+CMGR=0", "+CMS ERROR: 321"},
		{"AT+CMGD=71", "+CMS ERROR: 321"},
		{"AT+CMGL=5", "+CMS ERROR: 302"},
		{"AT+CMGS=?;+CMGW=?;+CMGC=?;+CMSS=?;+CNMA=?", "+CNMA: (0-2)"},
		{"AT+CNMA", "+CMS ERROR: 340"},
		{"ATS3?;S4?;S5?", "013\r\n\r\n010\r\n\r\n008"},
		{"ATS300=1", "ERROR"},
		{"AT?", "ERROR"},
		{"AT+" + strings.Repeat("X", 2000), "ERROR"},
		{"AT", ""},
	} {
		c.want(step.command, step.want)
	}
	if got := c.at("AT+CSQ"); !regexp.MustCompile(`^\+CSQ: (1[89]|2[0-2]),99$`).MatchString(got) {
		t.Errorf("AT+CSQ answered %q", got)
	}
	if got := strings.Fields(c.at("AT+CLAC")); len(got) < 60 {
		t.Errorf("AT+CLAC answered %q", got)
	}
}

// TestLine is about the line itself: echo, editing, repetition, and the forms of answers (V.250 §5.2, §6.2).
func TestLine(t *testing.T) {
	m := start(t, atmodem.Options{})
	c := dial(t, m.Path())
	exact := func(typed, want string) {
		t.Helper()
		c.write(typed)
		if got := c.until(want); got != want {
			t.Errorf("%q gave %q, want %q", typed, got, want)
		}
	}
	exact("AT\r", "AT\r\r\nOK\r\n")
	exact("AT+CR\bMEE=1\r", "AT+CR\bMEE=1\r\r\nOK\r\n")
	exact("ATE0\r\n", "ATE0\r\r\nOK\r\n") // the line feed is no longer echoed
	exact("AT+CMEE?\r", "\r\n+CMEE: 1\r\n\r\nOK\r\n")
	exact("A/", "\r\n+CMEE: 1\r\n\r\nOK\r\n")
	exact("ATV0\r", "0\r")
	exact("AT+CMEE?\r", "+CMEE: 1\r\n0\r")
	exact("AT+\r", "4\r")
	exact("ATV1Q1\r", "")
	exact("AT+CMEE?\r", "\r\n+CMEE: 1\r\n")
	exact("ATQ0\r", "\r\nOK\r\n")
	exact("ATS3=33\r", "!\nOK!\n")
	exact("ATS3=13!", "\r\nOK\r\n")
	exact("AT+CMEE=2;+CMGF=0;E0&W\r", "\r\nOK\r\n")
	exact("ATE1+CMEE=0\r", "\r\nOK\r\n")
	exact("ATZ\r", "ATZ\r\r\nOK\r\n")
	exact("AT+CMEE?\r", "\r\n+CMEE: 2\r\n\r\nOK\r\n")
	exact("noise\rAT\r", "\r\nOK\r\n")
}

func TestPIN(t *testing.T) {
	_, c := ready(t, atmodem.Options{Profile: atmodem.Profile{PIN: "1234", BootLines: []string{}}})
	for _, step := range []struct{ command, want string }{
		{"AT+CMEE=1", ""},
		{"AT+CPIN?", "+CPIN: SIM PIN"},
		{"AT+CREG?", "+CREG: 0,0"},
		{"AT+CIMI", "+CME ERROR: 11"},
		{"AT+CMGL=4", "+CMS ERROR: 311"},
		{`AT+CPIN="1111"`, "+CME ERROR: 16"},
		{`AT+CPIN=1234`, ""},
		{"AT+CPIN?", "+CPIN: READY"},
		{"AT+CMGL=4", ""},
		{`AT+CLCK="SC",2`, "+CLCK: 1"},
		{"AT+CFUN=1,1", ""},
	} {
		c.want(step.command, step.want)
	}
	waitFor(t, c, "AT+CMEE=1;+CPIN?", "+CPIN: SIM PIN")
	c.at("ATE0")
	c.want(`AT+CPIN="1"`, "+CME ERROR: 16")
	c.want(`AT+CPIN="2"`, "+CME ERROR: 16")
	c.want(`AT+CPIN="3"`, "+CME ERROR: 12")
	c.want(`AT+CPIN="1234"`, "+CME ERROR: 12")
	c.want("AT+CPIN?", "+CPIN: SIM PUK")
	c.want("AT+CMGL=4", "+CMS ERROR: 316")
}

// waitFor asks until the answer is the one that is wanted. A modem that boots does not answer.
func waitFor(t *testing.T, c *terminal, command, want string) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		c.write(command + "\r")
		for short := time.Now().Add(50 * time.Millisecond); time.Now().Before(short); {
			if strings.Contains(c.seen, want) {
				c.until(want)
				c.write("ATE0S7=42S7?\r") // behind what answers to earlier tries there are
				c.until("\r\n042\r\n\r\nOK\r\n")
				return
			}
			_ = c.more(short)
		}
	}
	t.Fatalf("%s never answered %q; got %q", command, want, c.seen)
}

func TestRegistration(t *testing.T) {
	_, c := ready(t, atmodem.Options{})
	c.want("AT+CREG=1", "")
	c.want("AT+CFUN=4;+CREG?;+CSQ", "+CREG: 1,0\r\n\r\n+CSQ: 99,99")
	c.until("\r\n+CREG: 0\r\n")
	c.write("AT+CMGS=17\r")
	c.until("> ")
	c.write("0001000C91947111325476000404DEADBEEF\x1a")
	c.until("\r\n+CMS ERROR: 331\r\n")
	c.want("AT+CFUN=1", "")
	c.until("\r\n+CREG: 1\r\n")
	c.want("AT+COPS=2;+COPS?", "+COPS: 0")
	c.until("\r\n+CREG: 0\r\n")
	c.want("AT+COPS=0", "")
	c.until("\r\n+CREG: 1\r\n")
}

func TestProfiles(t *testing.T) {
	_, c := ready(t, atmodem.Options{MESlots: -1, Profile: atmodem.Profile{
		Capabilities: "+CLTE2", NoPhase2: true, FlapCounts: true, ReportStore: true, Manufacturer: "Acme",
	}})
	c.want("AT+GCAP", "+GCAP: +CLTE2")
	c.want("AT+CGMI", "Acme")
	c.want("AT+CSMS=1", "+CMS ERROR: 302")
	c.want("AT+CPMS=?", `+CPMS: ("SM","SR"),("SM","SR"),("SM","SR")`)
	c.want("AT+CPMS?", `+CPMS: "SM",0,20,"SM",0,20,"SM",0,20`)

	m, c := ready(t, atmodem.Options{Profile: atmodem.Profile{SIMOnly: true, Padded: true, FlapCounts: true}})
	c.want(`AT+CPMS="ME","ME","ME";+CNMI=2,1`, "+CPMS: 0,50,0,50,0,50")
	deliver(t, m, atmodem.Message{From: sender, Payload: []byte{1}})
	c.until("\r\n+CMTI: \"SM\",1\r\n")
	c.want("AT+CMGL=4", "")
	c.want(`AT+CPMS="SM"`, "+CPMS: 1,20,0,50,0,50")
	if got := c.at("AT+CMGR=1"); !strings.HasPrefix(got, "+CMGR: 0,,20\r\n07") || !strings.HasSuffix(got, "0101FFFFFF"+strings.Repeat("FF", 175-28-3)) {
		t.Errorf("record %q", got)
	}
	c.want("AT+CPMS?", `+CPMS: "SM",0,20,"ME",0,50,"ME",0,50`)
	c.want("AT+CPMS?", `+CPMS: "SM",1,20,"ME",0,50,"ME",0,50`)
}

// TestProbing asks in the manner of ModemManager: several basic commands with spaces between them, and everything about a modem's abilities.
func TestProbing(t *testing.T) {
	_, c := ready(t, atmodem.Options{})
	for _, step := range []struct{ command, want string }{
		{"ATZ E0 V1", ""},
		{"ATE0 V1 +CMEE=1", ""},
		{"ATX4 &C1", ""},
		{"AT+IFC=1,1", ""},
		{"AT+GMI", "Godwit"},
		{"AT+CGMM", "SIM-900"},
		{"ATI1", "Godwit simulated modem 1.0"},
		{"AT+CGSN", "356938035643809"},
		{"AT+GCAP", "+GCAP: +CGSM"},
		{"AT+CPIN?", "+CPIN: READY"},
		{"AT+CFUN?", "+CFUN: 1"},
		{"AT+CRSM=176,28589,0,0,0", `+CRSM: 144,0,"00000002"`},
		{"AT+CRSM=176,28486,0,0,17", `+CRSM: 144,0,"00476F64776974204D6F62696C65"`},
		{`AT+CLCK=?`, `+CLCK: ("SC")`},
		{"AT+CNMI=2,1,2,1,0", ""},
		{"AT+CMGF=?", "+CMGF: (0)"},
		{"AT+CMGF=0", ""},
		{"AT+CMER=3,0,0,1", ""},
		{"AT+CUSD=1", ""},
		{"AT+CLCC", ""},
		{"AT+CREG=2;+CGREG=2", ""},
		{"AT+CGREG?", `+CGREG: 2,1,"00C3","0000A1B2"`},
		{"AT+COPS=3,2;+COPS?;+COPS=3,0;+COPS?", "+COPS: 0,2,\"26201\",2\r\n\r\n+COPS: 0,0,\"Godwit Mobile\",2"},
		{"AT+CGDCONT=?", `+CGDCONT: (1),"IP",,,(0),(0)`},
		{"AT+CGDCONT?", ""},
		{"AT+CIND?", "+CIND: 5,4,1,0,0,0,0"},
		{"AT+QCDM=?", "+CME ERROR: 4"},
		{"AT^SETPORT?", "ERROR"},
	} {
		c.want(step.command, step.want)
	}
}
