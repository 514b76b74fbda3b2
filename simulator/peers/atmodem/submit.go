package atmodem

import (
	"cmp"
	"fmt"
	"time"

	"github.com/warthog618/sms/encoding/pdumode"
	"github.com/warthog618/sms/encoding/tpdu"
)

// submit hands a PDU to the network.
func (m *machine) submit(x *exec, pdu *pdumode.PDU, answer string) result {
	t := tpdu.TPDU{Direction: tpdu.MO}
	if err := t.UnmarshalBinary(pdu.TPDU); err != nil || t.SmsType() != tpdu.SmsSubmit || t.DA.Addr == "" {
		return cms(cmsBadPDU)
	}
	if pdu.SMSC.Addr == "" && m.sim.smsc == "" {
		return cms(cmsNoSMSC)
	}
	if !m.registered(x.now) {
		return cms(cmsNoNetwork)
	}
	fail, maybe := m.director.Chance(m.director.faults.SendFail), m.director.Chance(m.director.faults.SendMaybe)
	x.reply.took += m.director.faults.Send.Draw(m.rng)
	if fail {
		return cms(41)
	}
	m.centre.joins.ref++
	t.MR = m.centre.joins.ref // the modem's own count, whatever the PDU said
	m.stats.Submits++
	m.transmit(x.now, &t)
	if maybe {
		return cms(cmsTimeout)
	}
	x.info(answer, fmt.Sprint(t.MR))
	return resultOf(succeeded)
}

// transmit passes a part on, and a message once its last part came.
func (m *machine) transmit(now time.Time, t *tpdu.TPDU) {
	one := Submit{
		To: t.DA.Number(), Payload: append([]byte(nil), t.UD...), Ref: t.MR, Refs: []byte{t.MR},
		WantReport: t.FirstOctet&tpdu.FoSRR != 0, At: m.o.Now(), DestPort: destPort(t.UDH),
	}
	if one.WantReport {
		m.report(now, t.DA, one)
	}
	whole, ok := m.centre.joins.add(t, one)
	if !ok {
		return
	}
	if alphabet, err := t.Alphabet(); err == nil && alphabet != tpdu.Alpha8Bit {
		if text, err := tpdu.DecodeUserData(whole.Payload, t.UDH, alphabet); err == nil {
			whole.Text = string(text)
		}
	}
	if f := m.o.OnSubmit; f != nil {
		m.calls = append(m.calls, func() { f(whole) })
	}
}

// report has the service centre send a status report later.
func (m *machine) report(now time.Time, to tpdu.Address, s Submit) {
	r := Report{}
	if f := m.o.Report; f != nil {
		r = f(s)
	}
	r.After = cmp.Or(r.After, time.Second)
	if r.Never || m.director.Chance(m.director.faults.ReportLost) {
		return
	}
	b, err := reportTPDU(s.Ref, to, s.At, s.At.Add(r.After), r.Status)
	if err != nil {
		return // an address that came from a PDU can be encoded again
	}
	due := now.Add(r.After)
	m.centre.queue = append(m.centre.queue, &part{tpdu: b, report: true, due: due, expires: due.Add(m.o.Validity)})
}

func destPort(h tpdu.UserDataHeader) uint16 {
	if ie, ok := h.IE(iePorts16); ok && len(ie.Data) == 4 {
		return uint16(ie.Data[0])<<8 | uint16(ie.Data[1])
	}
	if ie, ok := h.IE(iePorts8); ok && len(ie.Data) == 2 {
		return uint16(ie.Data[0])
	}
	return 0
}

const joinsMax = 64 // messages of which parts are missing

// joinKey tells messages apart, as a phone would that receives their parts.
type joinKey struct {
	to         string
	ref, total int
	wide       bool
}

type joining struct {
	key   joinKey
	parts []*Submit // by number
	have  int
}

// joiner puts parts together.
type joiner struct {
	ref  byte // TP-MR of the last part sent
	open []*joining
}

// add returns the message that a part completes.
func (j *joiner) add(t *tpdu.TPDU, one Submit) (Submit, bool) {
	total, seq, ref, ok := t.ConcatInfo()
	if !ok || total < 2 || seq < 1 || seq > total {
		return one, true
	}
	_, _, _, wide := t.UDH.ConcatInfo16()
	key := joinKey{to: one.To, ref: ref, total: total, wide: wide}
	at := -1
	for i, o := range j.open {
		if o.key == key {
			at = i
		}
	}
	if at < 0 {
		if len(j.open) == joinsMax {
			j.open = j.open[1:]
		}
		j.open = append(j.open, &joining{key: key, parts: make([]*Submit, total)})
		at = len(j.open) - 1
	}
	o := j.open[at]
	if o.parts[seq-1] == nil {
		o.have++
	}
	o.parts[seq-1] = &one
	if o.have < total {
		return Submit{}, false
	}
	j.open = append(j.open[:at], j.open[at+1:]...)
	whole := one
	whole.Payload, whole.Refs = nil, nil
	for _, p := range o.parts {
		whole.Payload = append(whole.Payload, p.Payload...)
		whole.Refs = append(whole.Refs, p.Ref)
		whole.WantReport = whole.WantReport || p.WantReport
	}
	return whole, true
}
