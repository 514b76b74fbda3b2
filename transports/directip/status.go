package directip

import (
	"fmt"

	"github.com/godwit-gateway/godwit/transports"
)

// An mtStatus is the Iridium gateway's word on an MT message (Developers Guide table 7.1-11): a place in the modem's queue, or what is wrong.
type mtStatus int16

// queueLen is how many messages the network keeps for a modem.
const queueLen = 50

const statusTooLarge mtStatus = -3

// verdict is what a status means for the sender.
type verdict struct {
	outcome transports.Outcome
	slow    bool
	text    string
}

// verdicts of statuses below 0. What an operator can repair at the network within days is not refused for good: the downlink waits, or expires.
var verdicts = map[mtStatus]verdict{
	-1:             {transports.Refused, false, "the IMEI is not valid"},
	-2:             {transports.Refused, false, "the network does not know the IMEI"},
	statusTooLarge: {transports.Refused, false, "the modem takes less"},
	-4:             {transports.Refused, false, "the network expected a payload"},
	-5:             {transports.NotSent, true, "the modem's queue is full"},
	-6:             {transports.NotSent, false, "the network is short of resources"},
	-7:             {transports.Refused, false, "the network calls it a violation of the protocol"},
	-8:             {transports.NotSent, true, "ring alerts to the modem are switched off"},
	-9:             {transports.NotSent, true, "the modem is not attached"},
	-10:            {transports.NotSent, true, "the network does not take messages from our address"},
	-11:            {transports.Refused, false, "the MTMSN is out of range"},
}

// err is nil where the network has the message.
func (s mtStatus) err() error {
	switch v, known := verdicts[s]; {
	case s >= 1 && s <= queueLen:
		return nil
	case known:
		err := fmt.Errorf("MT status: %s", v.text)
		if s == statusTooLarge {
			err = fmt.Errorf("%w: %w", err, transports.ErrTooLarge)
		}
		return &transports.SendError{Outcome: v.outcome, Code: int(s), Slow: v.slow, Err: err}
	case s < 0:
		return &transports.SendError{Outcome: transports.NotSent, Code: int(s), Slow: true, Err: fmt.Errorf("MT status %d is not known", s)}
	default: // 0 is of messages without payload
		return &transports.SendError{Outcome: transports.MaybeSent, Code: int(s), Err: fmt.Errorf("MT status %d says neither yes nor no", s)}
	}
}
