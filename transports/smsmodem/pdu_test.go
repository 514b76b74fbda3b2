package smsmodem_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/warthog618/sms/encoding/tpdu"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/smsmodem"
)

// ie makes an information element.
func ie(id byte, data ...byte) tpdu.InformationElement {
	return tpdu.InformationElement{ID: id, Data: data}
}

// edit changes octets of a PDU, counted from the first octet of the TPDU.
func edit(tb testing.TB, pdu string, change func(b []byte) []byte) string {
	tb.Helper()
	b := []byte(mustHex(tb, pdu))
	smsc := 1 + int(b[0])
	return hexOf(append(append([]byte{}, b[:smsc]...), change(b[smsc:])...))
}

func TestParsePDU(t *testing.T) {
	plain := deliverPDU(t, sender, []byte("payload"))
	want := smsmodem.PDU{From: sender, At: stamp, Payload: "payload"}
	part := func(ref uint16, bits, total, seq uint8) smsmodem.PDU {
		w := want
		w.Part = transports.Part{Ref: ref, RefBits: bits, Total: total, Seq: seq}
		return w
	}
	port := func(w smsmodem.PDU, port uint16) smsmodem.PDU {
		w.Port = port
		return w
	}
	noTime := want
	noTime.At = time.Time{}
	data := func(udh ...tpdu.InformationElement) string { return deliverPDU(t, sender, []byte("payload"), udh...) }
	for _, c := range []struct {
		name, pdu string
		want      smsmodem.PDU
	}{
		{"plain", plain, want},
		{"lower case", strings.ToLower(plain), want},
		{"8-bit reference", data(ie(0, 7, 3, 2)), part(7, 8, 3, 2)},
		{"16-bit reference", data(ie(8, 1, 7, 3, 2)), part(0x107, 16, 3, 2)},
		{"16-bit ports", data(ie(5, 0x16, 0x38, 0, 1)), port(want, 0x1638)},
		{"8-bit ports", data(ie(4, 200, 1)), port(want, 200)},
		{"port, then part", data(ie(5, 0x16, 0x38, 0, 1), ie(0, 7, 3, 2)), port(part(7, 8, 3, 2), 0x1638)},
		{"part, then port", data(ie(0, 7, 3, 2), ie(5, 0x16, 0x38, 0, 1)), port(part(7, 8, 3, 2), 0x1638)},
		{"16-bit reference and port", data(ie(8, 1, 7, 3, 2), ie(5, 0x16, 0x38, 0, 1)), port(part(0x107, 16, 3, 2), 0x1638)},
		// "In the event that IEs determined as not repeatable are duplicated, the last occurrence of the IE shall be used." 23.040 §9.2.3.24
		{"two places", data(ie(0, 7, 3, 2), ie(8, 0, 9, 4, 4)), part(9, 16, 4, 4)},
		// "If the value is zero, or the value is greater than the value in octet 2 then the receiving entity shall ignore the whole
		// Information Element." 23.040 §9.2.3.24.1
		{"part 0", data(ie(0, 7, 3, 0)), want},
		{"part 4 of 3", data(ie(0, 7, 3, 4)), want},
		{"one part of one", data(ie(0, 7, 1, 1)), want},
		{"element of odd length", data(ie(0, 7, 3)), want},
		{"unknown element", data(ie(0x70, 1, 2, 3)), want},
		{"class 1, 8-bit", edit(t, plain, func(b []byte) []byte { b[10] = 0xF5; return b }), want},
		{"trailing octets", plain + "0000AB", want},
		{"trailing FF of a SIM's record", plain + strings.Repeat("FF", 30), want},
		{"odd digit at the end", plain + "F", want},
		{"time stamp with letters", edit(t, plain, func(b []byte) []byte { b[11] = 0xAB; return b }), noTime},
		{"month 13", edit(t, plain, func(b []byte) []byte { b[12] = 0x31; return b }), noTime},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := smsmodem.ParsePDU(c.pdu, "")
			if err != nil {
				t.Fatalf("%s: %v", c.pdu, err)
			}
			if diff := cmp.Diff(c.want, got, cmp.Comparer(time.Time.Equal)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A length with an odd number of digits whose last octet has no filler, and the other way round: the octets are right.
func TestParseAddressLength(t *testing.T) {
	eleven := deliverPDU(t, "+49170000001", []byte("x"))
	for _, c := range []struct {
		name, pdu, want string
	}{
		{"one too few", edit(t, deliverPDU(t, sender, []byte("x")), func(b []byte) []byte { b[1]--; return b }), sender},
		{"one too many", edit(t, eleven, func(b []byte) []byte { b[1]++; return b }), "+49170000001"},
	} {
		got, err := smsmodem.ParsePDU(c.pdu, "")
		if err != nil || got.From != c.want || got.Payload != "x" {
			t.Errorf("%s: %+v (%v), want from %s", c.name, got, err, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	plain := deliverPDU(t, sender, []byte("payload"))
	for name, pdu := range map[string]string{
		"empty":                   "",
		"no hex":                  "0791ZZ",
		"service centre only":     plain[:16],
		"longer service centre":   "FF91" + plain,
		"ends in the address":     plain[:24],
		"ends in the time stamp":  plain[:44],
		"ends in the user data":   plain[:len(plain)-4],
		"outgoing":                edit(t, plain, func(b []byte) []byte { b[0] = b[0]&^3 | 1; return b }),
		"reserved type":           edit(t, plain, func(b []byte) []byte { b[0] |= 3; return b }),
		"reserved data coding":    edit(t, plain, func(b []byte) []byte { b[10] = 0x84; return b }),
		"compressed":              edit(t, plain, func(b []byte) []byte { b[10] = 0x24; return b }),
		"header beyond user data": edit(t, plain, func(b []byte) []byte { b[0] |= 0x40; b[19] = 0xFF; return b }),
		"element beyond header":   edit(t, deliverPDU(t, sender, []byte("payload"), ie(0x70, 1)), func(b []byte) []byte { b[21] = 4; return b }),
		"header without data":     edit(t, plain, func(b []byte) []byte { b[0] |= 0x40; b[18] = 0; return b[:19] }),
		"UCS-2 of odd length":     edit(t, plain, func(b []byte) []byte { b[10] = 0x08; return b }),
		"half a surrogate pair":   edit(t, deliverPDU(t, sender, []byte{0xD8, 0x3D}), func(b []byte) []byte { b[10] = 0x08; return b }),
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := smsmodem.ParsePDU(pdu, ""); err == nil {
				t.Errorf("%s was read as %+v", pdu, got)
			}
		})
	}
}

func TestParseText(t *testing.T) {
	for _, c := range []struct {
		name, text string
		dcs        byte
	}{
		{"GSM 7-bit", "status? {ok} €", 0x00},
		{"UCS-2", "Bö 😀 Жук", 0x08},
	} {
		t.Run(c.name, func(t *testing.T) {
			ud, udh, _ := tpdu.EncodeUserData([]byte(c.text))
			m := tpdu.TPDU{Direction: tpdu.MT, OA: tpdu.NewAddress(tpdu.FromNumber(sender)), DCS: tpdu.DCS(c.dcs), SCTS: tpdu.Timestamp{Time: stamp}, UD: ud, UDH: udh}
			got, err := smsmodem.ParsePDU(pduOf(t, &m), "")
			if err != nil || got.Content != transports.ContentText || got.Payload != c.text {
				t.Errorf("got %+v (%v)", got, err)
			}
		})
	}
}

func TestSenders(t *testing.T) {
	for _, c := range []struct {
		name, digits string
		toa          byte
		country      string
		want         string
	}{
		{"international", "491700000001", 0x91, "43", "+491700000001"},
		{"national with country", "01700000001", 0xA1, "49", "+491700000001"},
		{"national without trunk prefix", "1700000001", 0xA1, "49", "+491700000001"},
		{"national without country", "01700000001", 0xA1, "", "nat:01700000001"},
		{"unknown in national form", "01700000001", 0x81, "49", "+491700000001"},
		{"unknown in international form", "00491700000001", 0x81, "", "+491700000001"},
		{"short code", "12345", 0x81, "49", "nat:12345"},
		{"subscriber number", "5551234", 0xC1, "49", "nat:5551234"},
		{"name", "Vodafone", 0xD0, "49", "alpha:Vodafone"},
		{"none", "", 0x81, "49", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := tpdu.TPDU{
				Direction: tpdu.MT, OA: tpdu.Address{TOA: c.toa, Addr: c.digits}, DCS: tpdu.Dcs8BitData,
				SCTS: tpdu.Timestamp{Time: stamp}, UD: []byte("x"),
			}
			got, err := smsmodem.ParsePDU(pduOf(t, &m), c.country)
			if err != nil || got.From != c.want {
				t.Errorf("from %q (%v), want %q", got.From, err, c.want)
			}
		})
	}
}

func TestParseReport(t *testing.T) {
	to := tpdu.NewAddress(tpdu.FromNumber(sender))
	plain := reportPDU(t, to, 77, 0x41)
	want := smsmodem.PDU{Report: true, From: sender, At: stamp.Add(time.Minute), MR: 77, Status: 0x41}
	for name, pdu := range map[string]string{
		"plain":                        plain,
		"padded with FF":               plain + strings.Repeat("FF", 100),
		"with optional parameters":     plain + "0700000100",
		"with what is no parameter":    plain + "FF07",
		"odd number of digits":         plain + "F",
		"submitted at no time at all":  edit(t, plain, func(b []byte) []byte { b[10] = 0xFF; return b }),
		"of a service centre's memory": plain + "00",
	} {
		got, err := smsmodem.ParsePDU(pdu, "")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want, got, cmp.Comparer(time.Time.Equal)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if got, err := smsmodem.ParsePDU(plain[:len(plain)-2], ""); err == nil {
		t.Errorf("a report without status was read as %+v", got)
	}
}

// 3GPP TS 23.040 §9.2.3.15.
func TestReportStates(t *testing.T) {
	for status, want := range map[byte]transports.ReportState{
		0x00: transports.ReportDelivered, 0x01: transports.ReportDelivered, 0x1F: transports.ReportDelivered,
		0x20: transports.ReportPending, 0x3F: transports.ReportPending, 0x40: transports.ReportFailed, 0x5F: transports.ReportFailed,
		0x60: transports.ReportFailed, 0x7F: transports.ReportFailed, 0x80: transports.ReportPending, 0xFF: transports.ReportPending,
	} {
		if got := smsmodem.StateOf(status); got != want {
			t.Errorf("TP-ST 0x%02x is %v, want %v", status, got, want)
		}
	}
}

func TestParseList(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  []smsmodem.Entry
	}{
		{"empty", nil, nil},
		{"two", []string{"+CMGL: 1,0,,24", "0011", "+CMGL: 12,1,\"Bob, Al\",9", "22"}, []smsmodem.Entry{{1, 0, 24, "0011"}, {12, 1, 9, "22"}}},
		{"without alpha", []string{"+CMGL: 1,0,24", "0011"}, []smsmodem.Entry{{1, 0, 24, "0011"}}},
		{"noise in between", []string{"DIALING", "+CMGL: 1,0,,24", "WAITING", "0011", "4455"}, []smsmodem.Entry{{1, 0, 24, "0011"}}},
		{"PDU lost", []string{"+CMGL: 1,0,,24", "+CMGL: 2,0,,24", "0011"}, []smsmodem.Entry{{1, 0, 24, ""}, {2, 0, 24, "0011"}}},
		{"header lost", []string{"0011", "+CMGL: 2,0,,24", "22"}, []smsmodem.Entry{{2, 0, 24, "22"}}},
		{"header cut short", []string{"+CMGL:", "+CMGL: x", "+CMGL: 3"}, nil},
	} {
		got, err := smsmodem.ParseList(c.lines)
		if err != nil || !cmp.Equal(c.want, got) {
			t.Errorf("%s: %v (%v), want %v", c.name, got, err, c.want)
		}
	}
	if _, err := smsmodem.ParseList([]string{`+CMGL: 1,"REC UNREAD","+49",,""`, "text"}); !errors.Is(err, smsmodem.ErrTextMode) {
		t.Errorf("a listing in text mode: %v", err)
	}
}

func TestEncode(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	long := strings.Repeat("0123456789", 30)
	for _, c := range []struct {
		name    string
		payload string
		port    uint16
		parts   int
		first   int // octets in the first
	}{
		{"empty", "", 0, 1, 0},
		{"whole", long[:140], 0, 1, 140},
		{"two", long[:141], 0, 2, 134},
		{"two, full", long[:268], 0, 2, 134},
		{"three", long[:269], 0, 3, 134},
		{"whole with port", long[:133], 5688, 1, 133},
		{"two with port", long[:134], 5688, 2, 128},
		{"three with port", long[:257], 5688, 3, 128},
	} {
		t.Run(c.name, func(t *testing.T) {
			pdus, err := smsmodem.Encode(transports.Downlink{To: address(sender), Payload: []byte(c.payload)}, c.port, 200, now)
			if err != nil || len(pdus) != c.parts {
				t.Fatalf("%d PDUs (%v), want %d", len(pdus), err, c.parts)
			}
			all := ""
			for i, pdu := range pdus {
				s := submitOf(t, pdu)
				total, seq, ref, concat := s.ConcatInfo()
				if concat != (c.parts > 1) || concat && (total != c.parts || seq != i+1 || ref != 200) {
					t.Errorf("part %d says %d of %d, reference %d", i+1, seq, total, ref)
				}
				if p, ok := s.UDH.IE(5); ok != (c.port != 0) || ok && string(p.Data) != "\x16\x38\x16\x38" {
					t.Errorf("port element % x, want one: %t", p.Data, c.port != 0)
				}
				if s.DA.Number() != sender || s.DCS != tpdu.Dcs8BitData || s.FirstOctet.SRR() || s.FirstOctet.VPF() != tpdu.VpfNotPresent {
					t.Errorf("to %s, DCS %v, first octet %02x", s.DA.Number(), s.DCS, byte(s.FirstOctet))
				}
				if len(mustHex(t, pdu)) > 176 || i == 0 && len(s.UD) != c.first {
					t.Errorf("part %d has %d octets, the PDU %d", i+1, len(s.UD), len(pdu)/2)
				}
				all += string(s.UD)
			}
			if all != c.payload {
				t.Errorf("the parts hold %q", all)
			}
		})
	}
}

// "not to be delivered after this": the period in the message is never longer than asked, except that five minutes are the least.
func TestValidityPeriod(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct{ asked, want time.Duration }{
		{time.Second, 5 * time.Minute},
		{9 * time.Minute, 5 * time.Minute},
		{10 * time.Minute, 10 * time.Minute},
		{time.Hour, time.Hour},
		{12 * time.Hour, 12 * time.Hour},
		{13*time.Hour + 29*time.Minute, 13 * time.Hour},
		{24 * time.Hour, 24 * time.Hour},
		{47 * time.Hour, 24 * time.Hour},
		{7 * 24 * time.Hour, 7 * 24 * time.Hour},
		{32 * 24 * time.Hour, 30 * 24 * time.Hour},
		{10 * 365 * 24 * time.Hour, 63 * 7 * 24 * time.Hour},
	} {
		pdus, err := smsmodem.Encode(transports.Downlink{To: address(sender), Expires: now.Add(c.asked), WantReport: true}, 0, 1, now)
		if err != nil {
			t.Fatal(err)
		}
		s := submitOf(t, pdus[0])
		if s.FirstOctet.VPF() != tpdu.VpfRelative || s.VP.Duration != c.want || !s.FirstOctet.SRR() {
			t.Errorf("%v asked: format %v, %v, want %v; report asked: %t", c.asked, s.FirstOctet.VPF(), s.VP.Duration, c.want, s.FirstOctet.SRR())
		}
	}
}

func TestTargets(t *testing.T) {
	for id, want := range map[string]string{
		"+491700000001": "91 491700000001", "nat:12345": "81 12345", "nat:*100#": "81 *100#",
		"": "", "491700000001": "", "+": "", "+12": "", "+1234567890123456": "", "+49x": "", "nat:": "", "alpha:Vodafone": "", "+*100#": "",
	} {
		pdus, err := smsmodem.Encode(transports.Downlink{To: address(id)}, 0, 1, time.Now())
		if (err == nil) != (want != "") {
			t.Errorf("%q: %v, want a number: %t", id, err, want != "")
			continue
		}
		if err == nil {
			da := submitOf(t, pdus[0]).DA
			if got := hexOf([]byte{da.TOA}) + " " + da.Addr; got != want {
				t.Errorf("%q is sent to %s, want %s", id, got, want)
			}
		}
	}
}
