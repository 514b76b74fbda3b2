package atmodem_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/godwit-gateway/godwit/simulator/peers/atmodem"
)

const (
	run = iota
	set
	read
	test
)

func TestParseLine(t *testing.T) {
	for line, want := range map[string][]atmodem.Parsed{
		"":                       nil,
		"E0":                     {{Name: "E", Args: "0"}},
		"e0q0V1":                 {{Name: "E", Args: "0"}, {Name: "Q", Args: "0"}, {Name: "V", Args: "1"}},
		"Z E1 &F0":               {{Name: "Z"}, {Name: "E", Args: "1"}, {Name: "&F", Args: "0"}},
		"S3=13S4?":               {{Name: "S3", Args: "13", Verb: set}, {Name: "S4", Verb: read}},
		"+CMGF=0;+CMGL=4":        {{Name: "+CMGF", Args: "0", Verb: set}, {Name: "+CMGL", Args: "4", Verb: set}},
		"+cmgf=0;e1":             {{Name: "+CMGF", Args: "0", Verb: set}, {Name: "E", Args: "1"}},
		"E1+CSQ;+CREG?":          {{Name: "E", Args: "1"}, {Name: "+CSQ"}, {Name: "+CREG", Verb: read}},
		"+CPMS=?":                {{Name: "+CPMS", Verb: test}},
		`+CSCA="+49;17",145;I`:   {{Name: "+CSCA", Args: `"+49;17",145`, Verb: set}, {Name: "I"}},
		"+CMGS = 23":             {{Name: "+CMGS", Args: "23", Verb: set}},
		"D*99#":                  {{Name: "D", Args: "*99#"}},
		"D+4917;E0":              {{Name: "D", Args: "+4917;"}, {Name: "E", Args: "0"}},
		"^SYSINFO":               {{Name: "^SYSINFO"}},
		"+COPS=3,2;+COPS?;":      {{Name: "+COPS", Args: "3,2", Verb: set}, {Name: "+COPS", Verb: read}},
		`+X="un;closed`:          {{Name: "+X", Args: `"un;closed`, Verb: set}},
		"+CGDCONT=1,\"IP\",\"\"": {{Name: "+CGDCONT", Args: `1,"IP",""`, Verb: set}},
	} {
		got, err := atmodem.ParseLine(line)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v\n%s", line, err, diff)
		}
	}
	for _, line := range []string{"+", "1", "+CMGF?0", "S", "S3", "&", "?", "\x80", "+CREG x"} {
		if got, err := atmodem.ParseLine(line); err == nil {
			t.Errorf("%q: %+v, want an error", line, got)
		}
	}
}

func TestParams(t *testing.T) {
	got := atmodem.Parsed{Args: ` 1 ,"a,b",,"c"`}.Params()
	if diff := cmp.Diff([]string{"1", `"a,b"`, "", `"c"`}, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzParseLine: no panic, and a line made of what was parsed is parsed to the same.
func FuzzParseLine(f *testing.F) {
	for _, s := range []string{"E0V1", "+CMGF=0;+CMGL=4", `+CSCA="+4917",145`, "S3=13S4?", "DT123;", "+CPMS=?", `+X=";";&F`, "+A%-./:_?"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		parsed, err := atmodem.ParseLine(s)
		if err != nil || strings.Contains(s, `"`) { // an open quote swallows what is put behind it
			return
		}
		var line strings.Builder
		for _, p := range parsed {
			p.Params()
			line.WriteString(p.Name)
			switch p.Verb {
			case read:
				line.WriteString("?")
			case test:
				line.WriteString("=?")
			case set:
				line.WriteString("=" + p.Args)
			default:
				line.WriteString(p.Args)
			}
			if p.Name != "D" {
				line.WriteString(";")
			}
		}
		again, err := atmodem.ParseLine(line.String())
		if diff := cmp.Diff(parsed, again); diff != "" || err != nil {
			t.Errorf("%q became %q: %v\n%s", s, line.String(), err, diff)
		}
	})
}

// FuzzModem: whatever is typed, the modem neither panics nor spins, holds no more than its limits, and finds back to answering.
func FuzzModem(f *testing.F) {
	f.Add([]byte("ATE0\rAT+CMGF=0;+CMGL=4\r"), uint64(1))
	f.Add([]byte("AT+CMGS=17\r0001000C91947111325476000404DEADBEEF\x1aAT+CMGW=3\r00\x1b"), uint64(2))
	f.Add([]byte("AT+CNMI=2,2,0,1,0;+CSMS=1\rAT+CNMA\rA/AT+CFUN=1,1\r"), uint64(3))
	f.Add([]byte("ATS3=65\rATV0Q1\rAT+CPMS=\"MT\",\"ME\",\"MT\"\rAT+CMGD=1,4\r"), uint64(4))
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) {
		const p, most = 0.05, 512
		in = in[:min(len(in), most)]
		b := atmodem.NewBench(atmodem.Options{Seed: seed, SMSlots: 2, MESlots: 2, Faults: atmodem.Faults{
			URCInReply: p, URCLost: p, Garbage: p, Busy: p, Mute: p, Late: p, Unplug: p, Reboot: p, SendFail: p, SendMaybe: p, PartTwice: p, PartSwap: p,
		}})
		for i := range in {
			if i%16 == 0 {
				if err := b.Deliver(atmodem.Message{From: "+491711234567", Payload: in[:i]}); err != nil {
					t.Fatal(err)
				}
			}
			b.Type(string(in[i : i+1]))
			if i%64 == 0 {
				b.Pass(1 << 30)
			}
			if !b.Bounded() {
				t.Fatal("modem holds more than its limits")
			}
		}
		b.Pass(1 << 34)
	})
}
