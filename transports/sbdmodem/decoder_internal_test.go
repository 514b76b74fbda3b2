package sbdmodem

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

// tokens are the lines and blocks in bytes that come in chunks. A block may come after each command, which the line "next" stands for.
func tokens(chunks ...[]byte) []string {
	var d decoder
	var out []string
	d.expect(true)
	for _, b := range chunks {
		d.feed(b, func(text []byte) {
			out = append(out, string(text))
			if string(text) == "next" {
				d.expect(true)
			}
		}, func(b []byte) { out = append(out, fmt.Sprintf("%x", b)) })
	}
	return out
}

// block is what +SBDRB answers with.
func block(message string) string {
	b := binary.BigEndian.AppendUint16(nil, uint16(len(message)))
	b = append(b, message...)
	return string(binary.BigEndian.AppendUint16(b, checksum([]byte(message))))
}

func TestDecoder(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     []string
	}{
		{"lines", "\r\n+SBDIX: 0, 1, 0, 0, 0, 0\r\n\r\nOK\r\n", []string{"+SBDIX: 0, 1, 0, 0, 0, 0", "OK"}},
		{"block", block("\r\nOK\r\n") + "\r\nOK\r\n", []string{fmt.Sprintf("%x", block("\r\nOK\r\n")), "OK"}},
		{"empty block", block("") + "\r\nOK\r\n", []string{"00000000", "OK"}},
		{"echo before a block", "AT+SBDRB\r" + block("x") + "\r\nOK\r\n", []string{"AT+SBDRB", fmt.Sprintf("%x", block("x")), "OK"}},
		{"ring alert before a block", "\r\nSBDRING\r\n" + block("x") + "\r\nOK\r\n", []string{"SBDRING", fmt.Sprintf("%x", block("x")), "OK"}},
		{"ring alert after a block", block("x") + "\r\nSBDRING\r\n\r\nOK\r\n", []string{fmt.Sprintf("%x", block("x")), "SBDRING", "OK"}},
		{"no block is awaited", block("") + "\x00\x00OK\r\n", []string{"00000000", "OK"}},
		{"too long to be a block", "\x07\xa8rest\r\n", []string{"07a8", "rest"}},
		{"another one", block("a") + "next\r\n" + block("b"), []string{fmt.Sprintf("%x", block("a")), "next", fmt.Sprintf("%x", block("b"))}},
		{"a line too long", strings.Repeat("x", 600) + "\r\nOK\r\n", []string{"OK"}},
	} {
		if got := tokens([]byte(c.in)); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestParseBlock(t *testing.T) {
	for _, message := range []string{"", "x", strings.Repeat("\xff", UplinkMax)} {
		got, err := parseBlock([]byte(block(message)))
		if err != nil || string(got) != message {
			t.Errorf("%q: %q, %v", message, got, err)
		}
		if b := []byte(block(message)); len(message) > 0 {
			b[2]++
			if _, err := parseBlock(b); err == nil {
				t.Errorf("%q: a wrong checksum passed", message)
			}
		}
	}
	for _, b := range []string{"", "\x00", "\x00\x01x\x00", "\x01\x0f" + strings.Repeat("x", 273)} {
		if _, err := parseBlock([]byte(b)); err == nil {
			t.Errorf("%q passed", b)
		}
	}
}

func TestParseAnswers(t *testing.T) {
	res, err := parseResult([]string{"noise", "+SBDIX:0,7,1,65535,270,3"})
	if err != nil || res != (result{momsn: 7, mt: 1, mtmsn: 65535, length: 270, queued: 3}) {
		t.Errorf("%+v, %v", res, err)
	}
	if res, err = parseResult([]string{"+SBDIXA: 32, 7, 2, -1, 0, 0"}); err != nil || res != (result{mo: 32, momsn: 7, mt: 2}) {
		t.Errorf("%+v, %v", res, err)
	}
	s, err := parseState([]string{"+SBDSX: 1, 7, 0, -1, 1, 2"})
	if err != nil || s != (state{mo: true, momsn: 7, ring: true, waiting: 2}) {
		t.Errorf("%+v, %v", s, err)
	}
	for _, text := range []string{
		"", "+SBDIX:", "+SBDIX:0,1,2,3,4", "+SBDIX:0,1,2,3,4,5,6", "+SBDIX:0,1,3,0,0,0", "+SBDIX:a,1,0,0,0,0", "+SBDIX:-1,1,0,0,0,0", "+SBDIX:0,65536,0,0,0,0", "+SBDI:0,1,0,0,0,0",
		"+SBDSX:2,1,0,0,0,0", "+SBDSX:0,-1,0,0,0,0", "+SBDSX:0,1,0,0,0",
	} {
		if res, err := parseResult([]string{text}); err == nil {
			t.Errorf("%q: %+v", text, res)
		}
		if s, err := parseState([]string{text}); err == nil {
			t.Errorf("%q: %+v", text, s)
		}
	}
	for text, want := range map[string]int{"+CSQF:3": 3, "+CSQ:0": 0, "+CSQF: 5": 5, "+CSQF:6": -1, "+CSQF:-1": -1, "CSQF:1": -1} {
		if got, err := parseSignal([]string{text}); err == nil && got != want || err != nil && want >= 0 {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	for text, want := range map[string][2]int{"+SBDREG:2": {2, 0}, "+SBDREG: 0": {}, "+SBDREG:2,0": {2, 0}, "+SBDREG:1,36": {1, 36}, "+SBDREG: 3, 15": {3, 15}} {
		if status, code, err := parseRegistration([]string{text}); err != nil || [2]int{status, code} != want {
			t.Errorf("%q: %d, %d, %v", text, status, code, err)
		}
	}
	for text, want := range map[string]bool{"-MSSTM: 01ab34Fe": true, "-MSSTM:01ab34fe": true, "-MSSTM: no network service": false, "-MSSTM: 1": false} {
		if knowsTime([]string{text}) != want {
			t.Errorf("%q: %t", text, !want)
		}
	}
	for text, want := range map[string]bool{"Call Processor Version: TA13001": false, "Call Processor Version: TA12003": true, "TA9": true, "": true} {
		if _, old := parseFirmware([]string{"x", text}); old != want {
			t.Errorf("%q: %t", text, old)
		}
	}
}

// Whatever comes over the line: no panic, the same tokens however it is cut, and nothing read that is out of its range.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte("\r\n+SBDIX: 0, 1, 1, 2, 5, 0\r\n\r\nOK\r\n"), 3)
	f.Add([]byte("AT+SBDRB\r"+block("hello")+"\r\nOK\r\n"), 11)
	f.Add([]byte("\r\nSBDRING\r\n"+block("")+"\r\nSBDRING\r\n+SBDSX:1,65535,1,-1,1,50\r\nnext\r\n\x07\xff"), 20)
	f.Add([]byte("+SBDREG:2,0\r\n+CSQF:5\r\n-MSSTM: 00000000\r\nCall Processor Version: TA13001\r\n"), 1)
	f.Fuzz(func(t *testing.T, in []byte, at int) {
		if at < 0 || at > len(in) {
			at = len(in) / 2
		}
		all := tokens(in)
		if cut := tokens(in[:at], in[at:]); fmt.Sprint(cut) != fmt.Sprint(all) {
			t.Fatalf("%q, cut at %d: %q", all, at, cut)
		}
		if r, err := parseResult(all); err == nil && (r.mo < 0 || r.mt < mtNone || r.mt > mtFailed || r.queued < 0) {
			t.Errorf("result %+v", r)
		}
		if s, err := parseState(all); err == nil && s.waiting < 0 {
			t.Errorf("state %+v", s)
		}
		if bars, err := parseSignal(all); err == nil && (bars < 0 || bars > 5) {
			t.Errorf("%d bars", bars)
		}
		if _, _, err := parseRegistration(all); err != nil && len(all) == 1 && all[0] == "+SBDREG:2" {
			t.Error(err)
		}
		knowsTime(all)
		parseFirmware(all)
		if message, err := parseBlock(in); err == nil && !bytes.Equal([]byte(block(string(message))), in) {
			t.Errorf("block %x reads as %x", in, message)
		}
	})
}
