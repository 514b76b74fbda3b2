package smsmodem

import (
	"strconv"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// A sentMessage is a downlink that the network took and may report on.
type sentMessage struct {
	ref       string // of its receipt
	to        transports.Address
	at        time.Time // when the modem said so
	parts     int
	delivered [partsMax]bool
}

// A sentPart is one of its parts.
type sentPart struct {
	message *sentMessage
	part    int
}

// sent finds downlinks by TP-MR, which counts to 255 and starts over: a later message takes the place of an earlier one.
type sent [256]sentPart

func (s *sent) put(m *sentMessage, references []int) {
	for i, mr := range references {
		s[byte(mr)] = sentPart{message: m, part: i}
	}
}

// find returns the downlink that a report is on, nil if it is not known, as after a restart.
func (s *sent) find(mr byte, to string) (*sentMessage, int) {
	p := s[mr]
	if p.message == nil || !sameNumber(p.message.to.ID, to) {
		return nil, 0
	}
	return p.message, p.part
}

// joinReferences makes a receipt's reference of those of the parts.
func joinReferences(references []int) string {
	text := make([]string, len(references))
	for i, mr := range references {
		text[i] = strconv.Itoa(mr)
	}
	return strings.Join(text, "+")
}

// stateOf reads TP-ST (3GPP TS 23.040 §9.2.3.15). Values that are reserved say nothing for good.
func stateOf(status byte) transports.ReportState {
	switch {
	case status <= 0x1F:
		return transports.ReportDelivered
	case status >= 0x40 && status <= 0x7F: // 0x60 and up: temporary, but the service centre has given up
		return transports.ReportFailed
	default:
		return transports.ReportPending
	}
}

// report hands one status report to the sink. Of a downlink in several parts only the last part delivered makes it delivered.
func (s *session) report(r received) error {
	s.t.counts.reports.Add(1)
	out := transports.Report{
		Transport: s.t.cfg.Name, To: transports.Address{Bearer: transports.SMS, ID: r.from}, Ref: strconv.Itoa(int(r.mr)),
		At: r.at, ReceivedAt: s.t.cfg.Now(), State: stateOf(r.status), Code: int(r.status),
	}
	s.t.mu.Lock()
	m, part := s.t.sent.find(r.mr, r.from)
	complete := true
	var wait time.Duration
	if m != nil {
		out.To, out.Ref = m.to, m.ref
		wait = s.t.timing.settle - time.Since(m.at)
		if out.State == transports.ReportDelivered {
			m.delivered[part] = true
		}
		for i := range m.parts {
			complete = complete && m.delivered[i]
		}
	}
	s.t.mu.Unlock()
	if out.State == transports.ReportDelivered && !complete {
		out.State = transports.ReportPending
	}
	if wait > 0 { // whoever sent it may not have filed the receipt yet
		if err := s.line.Pause(s.inHand, wait); err != nil {
			return err
		}
	}
	return s.sink.Report(s.inHand, out)
}
