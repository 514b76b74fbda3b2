package atmodem_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/warthog618/sms/encoding/pdumode"
	"github.com/warthog618/sms/encoding/tpdu"

	"github.com/godwit-gateway/godwit/simulator/peers/atmodem"
)

const (
	sender    = "+491711234567"
	submitPDU = "0001000C91947111325476000404DEADBEEF" // DEADBEEF to sender
	submitLen = 17
)

// typed enters a PDU and returns the answer.
func (c *terminal) enter(command, pdu string) string {
	c.t.Helper()
	c.write(command + "\r")
	c.until("\r\n> ")
	return c.at(pdu + "\x1a")
}

// decode decodes the PDU lines of an answer.
func decode(t *testing.T, answer string) (out []tpdu.TPDU) {
	t.Helper()
	for line := range strings.Lines(answer) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "+") {
			continue
		}
		pdu, err := pdumode.UnmarshalHexString(line)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		m := tpdu.TPDU{Direction: tpdu.MT}
		if err := m.UnmarshalBinary(pdu.TPDU); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		out = append(out, m)
	}
	return out
}

// TestParts: more than 140 octets become parts with a reference, whatever order their elements have (3GPP TS 23.040 §9.2.3.24).
func TestParts(t *testing.T) {
	payload := make([]byte, 300)
	for i := range payload {
		payload[i] = byte(i)
	}
	for _, bits := range []uint8{8, 16} {
		orders := map[byte]bool{}
		for seed := range uint64(8) {
			m, c := ready(t, atmodem.Options{RefBits: bits, Seed: seed})
			c.want("AT+CNMI=2,1", "")
			deliver(t, m, atmodem.Message{From: sender, Payload: payload, DestPort: 5684})
			for i := range 3 {
				c.until(fmt.Sprintf("+CMTI: \"SM\",%d\r\n", i+1))
			}
			parts := decode(t, c.at("AT+CMGL=0"))
			var got []byte
			for i, p := range parts {
				total, seq, ref, ok := p.ConcatInfo()
				ports, _ := p.UDH.IE(5)
				if !ok || total != 3 || seq != i+1 || ref != 1 || !bytes.Equal(ports.Data, []byte{0x16, 0x34, 0, 0}) || p.OA.Number() != sender || p.DCS != 4 {
					t.Errorf("part %d is %+v", i, p)
				}
				orders[p.UDH[0].ID] = true
				got = append(got, p.UD...)
			}
			if !bytes.Equal(got, payload) {
				t.Errorf("parts hold %x", got)
			}
		}
		if len(orders) != 2 {
			t.Errorf("first elements of the headers are %v, want two kinds", orders)
		}
	}
}

func TestTexts(t *testing.T) {
	m, c := ready(t, atmodem.Options{})
	texts := []string{"plain [text] €", strings.Repeat("long [x] ", 40), "кириллица 😀", strings.Repeat("ж", 150)}
	for i, text := range texts {
		deliver(t, m, atmodem.Message{From: []string{"Acme", "12345"}[i%2], Text: text, SentAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", -5400))})
	}
	var all strings.Builder
	for _, p := range decode(t, c.at("AT+CMGL=4")) {
		alphabet, err := p.Alphabet()
		if err != nil {
			t.Fatal(err)
		}
		text, err := tpdu.DecodeUserData(p.UD, p.UDH, alphabet)
		if err != nil {
			t.Fatal(err)
		}
		if n := p.OA.Number(); n != "Acme" && n != "12345" {
			t.Errorf("sender is %q", n)
		}
		if !p.SCTS.Equal(time.Date(2026, 1, 2, 4, 34, 5, 0, time.UTC)) {
			t.Errorf("time stamp is %s", p.SCTS)
		}
		all.Write(text)
	}
	if diff := cmp.Diff(strings.Join(texts, ""), all.String()); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []atmodem.Message{{Text: "x"}, {From: "A much too long name", Text: "x"}, {From: sender, Text: "x", Payload: []byte{1}}} {
		if err := m.Deliver(t.Context(), bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

// TestDelete: 3GPP TS 27.005 §3.5.4, <delflag>.
func TestDelete(t *testing.T) {
	for flag, want := range [][]int{{1, 2, 3}, {0, 2, 3}, {0, 3}, {0}, {}} {
		m, c := ready(t, atmodem.Options{})
		for range 2 {
			deliver(t, m, atmodem.Message{From: sender, Payload: []byte{1}})
		}
		c.at("AT+CMGR=2")
		if got := c.enter(fmt.Sprintf("AT+CMGW=%d", submitLen), submitPDU); got != "+CMGW: 3" {
			t.Fatalf("+CMGW answered %q", got)
		}
		if got := c.enter(fmt.Sprintf("AT+CMGW=%d,3", submitLen), submitPDU); got != "+CMGW: 4" {
			t.Fatalf("+CMGW answered %q", got)
		}
		c.want(fmt.Sprintf("AT+CMGD=1,%d", flag), "")
		var got []int
		for line := range strings.Lines(c.at("AT+CMGL=4")) {
			var index, status int
			if n, _ := fmt.Sscanf(line, "+CMGL: %d,%d", &index, &status); n == 2 {
				got = append(got, []int{0, 1, 3, 2}[status]) // unread, read, sent, unsent
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("flag %d left %v, want %v", flag, got, want)
		}
	}
}

// TestFull: a full storage refuses, says nothing, and the service centre tries again once there is room.
func TestFull(t *testing.T) {
	settled := make(chan uint64, 8)
	m, c := ready(t, atmodem.Options{SMSlots: 2, Retry: time.Hour, Queue: 2, OnSettled: func(msg atmodem.Message, o atmodem.Outcome) {
		if o == atmodem.OutcomeDeleted {
			settled <- msg.ID
		}
	}})
	c.want("AT+CNMI=2,1", "")
	for i := range 4 {
		deliver(t, m, atmodem.Message{ID: uint64(i), From: sender, Payload: []byte{byte(i)}})
		if i < 2 {
			c.until(fmt.Sprintf("+CMTI: \"SM\",%d\r\n", i+1))
		}
	}
	c.want("AT+CPMS?", `+CPMS: "SM",2,2,"SM",2,2,"SM",2,2`)
	if got := c.enter(fmt.Sprintf("AT+CMGW=%d", submitLen), submitPDU); got != "+CMS ERROR: 322" {
		t.Errorf("+CMGW answered %q", got)
	}
	if s := m.Stats(); s.Waiting != 2 || s.Stored != 2 || s.Full == 0 {
		t.Errorf("stats %+v", s)
	}
	blocked := make(chan error, 1)
	go func() { blocked <- m.Deliver(t.Context(), atmodem.Message{ID: 4, From: sender, Payload: []byte{4}}) }()
	c.write("AT+CMGD=2\r")
	c.until("+CMTI: \"SM\",2\r\n")
	if err := <-blocked; err != nil {
		t.Error(err)
	}
	c.want(`AT+CPMS="SM","SM","ME"`, "+CPMS: 2,2,2,2,0,50") // room elsewhere
	c.until("+CMTI: \"ME\",1\r\n")
	c.until("+CMTI: \"ME\",2\r\n")
	c.want(`AT+CPMS="MT"`, "+CPMS: 4,52,2,2,2,50")
	c.want("AT+CMGD=1,4", "")
	var got []uint64
	for range 5 {
		got = append(got, <-settled)
	}
	slices.Sort(got)
	if !slices.Equal(got, []uint64{0, 1, 2, 3, 4}) {
		t.Errorf("settled %v", got)
	}
}

func TestSubmit(t *testing.T) {
	sent := make(chan atmodem.Submit, 8)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	_, c := ready(t, atmodem.Options{Now: func() time.Time { return now }, OnSubmit: func(s atmodem.Submit) { sent <- s }})
	send := fmt.Sprintf("AT+CMGS=%d", submitLen)
	c.write(send + "\r")
	c.until("> ")
	c.write(submitPDU + "\x1b") // 27.005 §4.3: <ESC> aborts
	c.until("\r\nOK\r\n")
	for pdu, want := range map[string]string{
		submitPDU[:20]:              "+CMS ERROR: 304",
		submitPDU + "00":            "+CMS ERROR: 304",
		"zz":                        "+CMS ERROR: 304",
		"00" + "04" + submitPDU[4:]: "+CMS ERROR: 304", // not an SMS-SUBMIT
		strings.Repeat("0", 10000):  "+CMS ERROR: 304",
	} {
		if got := c.enter(send, pdu); got != want {
			t.Errorf("%.20s: %q, want %q", pdu, got, want)
		}
	}
	c.want("AT+CMGS=0", "+CMS ERROR: 304")
	c.want("AT+CMGS=x", "+CMS ERROR: 304")
	c.want(send+";+CSQ", "ERROR")
	if got := c.enter(send, strings.ToLower(submitPDU[:10])+"\r\n"+submitPDU[10:]); got != "+CMGS: 1" {
		t.Errorf("+CMGS answered %q", got)
	}
	want := atmodem.Submit{To: sender, Payload: []byte{0xde, 0xad, 0xbe, 0xef}, Ref: 1, Refs: []byte{1}, At: now}
	if diff := cmp.Diff(want, <-sent); diff != "" {
		t.Error(diff)
	}
	if got := c.enter(fmt.Sprintf("AT+CMGW=%d", submitLen), submitPDU); got != "+CMGW: 1" {
		t.Fatalf("+CMGW answered %q", got)
	}
	c.want("AT+CMSS=1", "+CMSS: 2")
	want.Ref, want.Refs = 2, []byte{2}
	if diff := cmp.Diff(want, <-sent); diff != "" {
		t.Error(diff)
	}
	c.want("AT+CMSS=2", "+CMS ERROR: 321")
	c.want(`AT+CSCA=""`, "")
	if got := c.enter(send, submitPDU); got != "+CMS ERROR: 330" {
		t.Errorf("without a service centre: %q", got)
	}
}

// TestSubmitParts joins parts that come in any order.
func TestSubmitParts(t *testing.T) {
	sent := make(chan atmodem.Submit, 8)
	_, c := ready(t, atmodem.Options{OnSubmit: func(s atmodem.Submit) { sent <- s }})
	for _, seq := range []int{2, 1, 1} {
		s := tpdu.TPDU{Direction: tpdu.MO, DCS: 4, UD: bytes.Repeat([]byte{byte(seq)}, 3)}
		s.FirstOctet = s.FirstOctet.WithMTI(tpdu.MtSubmit)
		s.DA.SetNumber(sender)
		s.DA.TOA |= 0x80
		s.SetUDH(tpdu.UserDataHeader{{ID: 0, Data: []byte{9, 2, byte(seq)}}, {ID: 5, Data: []byte{0x16, 0x34, 0, 1}}})
		b, err := s.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		c.enter(fmt.Sprintf("AT+CMGS=%d", len(b)), fmt.Sprintf("00%X", b))
		if seq == 2 && len(sent) > 0 {
			t.Error("message with a part missing was passed on")
		}
	}
	if s := <-sent; !bytes.Equal(s.Payload, []byte{1, 1, 1, 2, 2, 2}) || s.DestPort != 5684 || s.To != sender || !bytes.Equal(s.Refs, []byte{2, 1}) || s.Ref != 2 {
		t.Errorf("sent %+v", s)
	}
}

// TestReports: <ds> of +CNMI decides where status reports go (27.005 §3.4.1).
func TestReports(t *testing.T) {
	const withReport = "0021000C91947111325476000404DEADBEEF"
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	o := atmodem.Options{Now: func() time.Time { return at }, Report: func(atmodem.Submit) atmodem.Report {
		return atmodem.Report{Status: 0x46, After: time.Millisecond}
	}}
	check := func(c *terminal, answer string) {
		t.Helper()
		r := decode(t, answer)
		if len(r) != 1 || r[0].SmsType() != tpdu.SmsStatusReport || r[0].MR != 1 || r[0].ST != 0x46 || r[0].RA.Number() != sender || !r[0].SCTS.Equal(at) {
			t.Errorf("report %+v", r)
		}
	}
	m, c := ready(t, o)
	c.want("AT+CNMI=2,1,0,1", "")
	c.enter("AT+CMGS=17", withReport)
	c.until("\r\n+CDS: 25\r\n")
	check(c, c.until("\r\n"))
	if s := m.Stats(); s.Stored != 0 || s.Reports != 1 {
		t.Errorf("stats %+v", s)
	}

	for storage, profile := range map[string]atmodem.Profile{"SM": {}, "SR": {ReportStore: true}} {
		o.Profile = profile
		_, c = ready(t, o)
		c.want("AT+CNMI=2,1,0,2", "")
		c.enter("AT+CMGS=17", withReport)
		c.until("\r\n+CDSI: \"" + storage + "\",1\r\n")
		c.at(`AT+CPMS="` + storage + `"`)
		check(c, c.at("AT+CMGR=1"))
	}
}

// TestDirect: <mt> 2 hands messages over (27.005 §3.4.1); in phase 2+ each waits for the acknowledgement of the one before.
func TestDirect(t *testing.T) {
	settled := make(chan uint64, 8)
	m, c := ready(t, atmodem.Options{OnSettled: func(msg atmodem.Message, _ atmodem.Outcome) { settled <- msg.ID }})
	c.want("AT+CSMS=1;+CNMI=2,2", "+CSMS: 1,1,1")
	for i := range 3 {
		deliver(t, m, atmodem.Message{ID: uint64(i), From: sender, Payload: []byte{byte(i)}})
	}
	for i := range 3 {
		c.until("\r\n+CMT: ,20\r\n")
		if p := decode(t, c.until("\r\n")); len(p) != 1 || p[0].UD[0] != byte(i) {
			t.Errorf("message %d is %+v", i, p)
		}
		if len(settled) != 0 {
			t.Error("settled before it was acknowledged")
		}
		c.write("AT+CNMA\r")
		c.until("\r\nOK\r\n")
		if id := <-settled; id != uint64(i) {
			t.Errorf("settled %d, want %d", id, i)
		}
	}
	c.want("AT+CSMS=0", "+CSMS: 1,1,1")
	deliver(t, m, atmodem.Message{ID: 9, From: sender, Payload: []byte{9}})
	c.until("\r\n+CMT: ,20\r\n")
	if id := <-settled; id != 9 || m.Stats().Stored != 0 {
		t.Errorf("settled %d, stats %+v", id, m.Stats())
	}
}
