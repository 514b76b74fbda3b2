package smsmodem

import (
	"encoding/binary"
	"strings"
	"time"

	"github.com/warthog618/sms/encoding/pdumode"
	"github.com/warthog618/sms/encoding/tpdu"

	"github.com/godwit-gateway/godwit/transports"
)

// Sizes of user data, in octets.
const (
	userDataMax = 140 // 3GPP TS 23.040 §9.2.3.24
	headerPort  = 6   // an information element with two 16-bit ports
	headerPart  = 5   // one with an 8-bit reference
	partsMax    = 10  // of a downlink: each is paid for
)

// wholeSize is what a message holds that is not concatenated.
func wholeSize(port uint16) int {
	if port == 0 {
		return userDataMax
	}
	return userDataMax - 1 - headerPort
}

// partSize is what each part of a concatenated message holds.
func partSize(port uint16) int {
	size := userDataMax - 1 - headerPart
	if port != 0 {
		size -= headerPort
	}
	return size
}

// A submission is one SMS-SUBMIT, ready for +CMGS.
type submission struct {
	length int    // octets of the TPDU, which +CMGS wants to know
	pdu    string // hex
}

// encode makes the SMS-SUBMITs of a downlink (3GPP TS 23.040 §9.2.2.2).
func encode(d *transports.Downlink, port uint16, ref uint8, now time.Time) ([]submission, error) {
	to, err := target(d.To.ID)
	if err != nil {
		return nil, err
	}
	size, total := wholeSize(port), 1
	if len(d.Payload) > size {
		size = partSize(port)
		total = (len(d.Payload) + size - 1) / size
	}
	out := make([]submission, 0, total)
	for i := range total {
		t := tpdu.TPDU{Direction: tpdu.MO, FirstOctet: tpdu.FirstOctet(0).WithMTI(tpdu.MtSubmit), DA: to, DCS: tpdu.Dcs8BitData}
		if d.WantReport {
			t.FirstOctet |= tpdu.FoSRR
		}
		if !d.Expires.IsZero() {
			var vp tpdu.ValidityPeriod
			vp.SetRelative(validity(d.Expires.Sub(now)))
			t.SetVP(vp)
		}
		t.SetUDH(header(port, ref, i+1, total))
		t.UD = d.Payload[i*size : min((i+1)*size, len(d.Payload))]
		b, err := t.MarshalBinary()
		if err != nil {
			return nil, err
		}
		text, err := (&pdumode.PDU{TPDU: b}).MarshalHexString() // without a service centre: the modem's own
		if err != nil {
			return nil, err
		}
		out = append(out, submission{length: len(b), pdu: strings.ToUpper(text)})
	}
	return out, nil
}

func header(port uint16, ref uint8, seq, total int) tpdu.UserDataHeader {
	var udh tpdu.UserDataHeader
	if port != 0 {
		data := binary.BigEndian.AppendUint16(nil, port)
		udh = append(udh, tpdu.InformationElement{ID: iePorts16, Data: binary.BigEndian.AppendUint16(data, port)})
	}
	if total > 1 {
		udh = append(udh, tpdu.InformationElement{ID: ieConcat8, Data: []byte{ref, byte(total), byte(seq)}})
	}
	return udh
}

// validity returns a period that the encoder keeps exactly: it rounds 5 to 10 minutes up, and a message is not to be delivered later than
// asked. The least that TP-VP can say is five minutes (3GPP TS 23.040 §9.2.3.12.1).
func validity(d time.Duration) time.Duration {
	if d < 10*time.Minute {
		return 0
	}
	return d
}
