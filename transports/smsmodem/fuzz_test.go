package smsmodem_test

import (
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/smsmodem"
)

// Whatever a network or a SIM makes of a PDU: no panic, and what is read keeps to the sizes that the contract names.
func FuzzParsePDU(f *testing.F) {
	plain := deliverPDU(f, sender, []byte("payload"))
	f.Add(plain, "")
	f.Add(plain+"FFFF", "49")
	f.Add(deliverPDU(f, sender, []byte("x"), ie(0, 1, 2, 1), ie(5, 1, 2, 3, 4)), "49")
	f.Add("07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07", "")
	f.Add("07911326040000F006B5099121436587F9208062917314802080629173148000", "")
	f.Add("0006050C9194710000001062300210000080623002110000800000FFFFFF", "1")
	f.Fuzz(func(t *testing.T, text, country string) {
		p, err := smsmodem.ParsePDU(text, country)
		if err != nil {
			return
		}
		switch {
		case p.Content == transports.ContentData && len(p.Payload) > 140 && len(text) < 2*170:
			t.Errorf("%d octets of data", len(p.Payload))
		case !p.Part.Whole() && (p.Part.Seq == 0 || p.Part.Seq > p.Part.Total):
			t.Errorf("part %+v", p.Part)
		case !p.At.IsZero() && (p.At.Year() < 1969 || p.At.Year() > 2070):
			t.Errorf("time %v", p.At)
		case p.From != "" && !strings.HasPrefix(p.From, "+") && !strings.Contains(p.From, ":"):
			t.Errorf("from %q", p.From)
		}
		again, err := smsmodem.ParsePDU(strings.ToUpper(text), country)
		if err != nil || again.Payload != p.Payload {
			t.Errorf("in upper case: %+v (%v)", again, err)
		}
	})
}

// Whatever comes down a line: no panic, no line too long, and the same lines however the bytes are cut into reads.
func FuzzLines(f *testing.F) {
	f.Add([]byte("\r\n+CMGL: 1,1,,24\r\n0011\r\n\r\nOK\r\n"), uint8(3))
	f.Add([]byte("AT+CMGS=20\r\r\n> 00\x1a\r\n+CMGS: 1\r\n\r\nOK\r\n"), uint8(1))
	f.Add([]byte("+CMGR: \"REC UNREAD\",\"+49,1\",,\"\r\nx\r\n+CMTI: \"SM\",\r\n"), uint8(7))
	f.Fuzz(func(t *testing.T, b []byte, size uint8) {
		lines := smsmodem.Split(b)
		var chunks [][]byte
		for rest := b; len(rest) > 0; {
			n := min(len(rest), int(size)+1)
			chunks = append(chunks, rest[:n])
			rest = rest[n:]
		}
		if again := smsmodem.Split(chunks...); strings.Join(again, "\n") != strings.Join(lines, "\n") {
			t.Errorf("%q in one read, %q in several", lines, again)
		}
		for _, line := range lines {
			if len(line) > 1024 || strings.ContainsAny(line, "\r\n\x00") {
				t.Errorf("line %q", line)
			}
			for _, cmd := range []string{"", "+CMGL=4", "+CREG?", "+CPIN=\"1\""} {
				_ = smsmodem.Classify(line, cmd)
			}
		}
		entries, _ := smsmodem.ParseList(lines)
		for _, e := range entries {
			_, _ = smsmodem.ParsePDU(e.PDU, "49")
		}
		if e, err := smsmodem.ParseRead(1, lines); err == nil {
			_, _ = smsmodem.ParsePDU(e.PDU, "49")
		}
	})
}

// What is sent can be read by whoever gets it, and is what was to be sent.
func FuzzEncode(f *testing.F) {
	f.Add([]byte("payload"), uint16(0), uint8(1), int64(3600))
	f.Add(make([]byte, 300), uint16(5688), uint8(255), int64(-1))
	f.Fuzz(func(t *testing.T, payload []byte, port uint16, ref uint8, seconds int64) {
		if len(payload) > 1280 {
			return
		}
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		d := transports.Downlink{To: address(sender), Payload: payload}
		if seconds > 0 {
			d.Expires = now.Add(time.Duration(seconds%(1<<33)) * time.Second)
		}
		pdus, err := smsmodem.Encode(d, port, ref, now)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, pdu := range pdus {
			s := submitOf(t, pdu)
			if n := len(s.UD) + s.UDHL(); n > 140 {
				t.Errorf("%d octets of user data", n)
			}
			if seconds > 0 && s.VP.Duration > max(time.Duration(seconds%(1<<33))*time.Second, 5*time.Minute) {
				t.Errorf("valid for %v", s.VP.Duration)
			}
			got += string(s.UD)
		}
		if got != string(payload) {
			t.Errorf("sent %q, read %q", payload, got)
		}
	})
}
