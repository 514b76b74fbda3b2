package sbdmodem

import (
	"errors"
	"fmt"

	"github.com/godwit-gateway/godwit/transports"
)

// statuses of sessions that have a meaning of their own here.
const (
	statusFailed   = 5  // the first one that is no success
	statusTooSoon  = 36 // three minutes must pass since the last registration
	statusNoSignal = 32 // what a session without signal ends with; from here on the network was not reached
)

// A remedy is what helps a message after a session that failed.
type remedy uint8

// Remedies.
const (
	again remedy = iota // another session
	mend                // an operator, at the network or the transceiver: as long as nobody does, no session goes well
	never               // nothing: it is the message
)

// moStatuses are the ways in which a session can end, beside success (0 to 4): the network did not take the MO message.
var moStatuses = map[int]struct {
	helps remedy
	text  string
}{
	10: {again, "the network did not finish in time"},
	11: {again, "the network's queue for our messages is full"},
	12: {never, "the message has too many segments"},
	13: {again, "the network did not finish"},
	14: {never, "a segment has a size that is not allowed"},
	15: {mend, "access is denied: the transceiver has no active subscription, perhaps"},
	16: {mend, "the transceiver is locked (+CULK)"},
	17: {again, "the network does not answer"},
	18: {again, "the radio was lost"},
	19: {again, "the link failed"},
	32: {again, "no network, or no signal"},
	33: {again, "the antenna has a fault"},
	34: {again, "the radio is off (*R)"},
	35: {again, "the transceiver is busy"},
	36: {again, "three minutes must pass since the last registration"},
	37: {again, "the service is disabled for a while"},
	38: {again, "the network asks to wait (+SBDLOE)"},
	64: {again, "a band violation"},
	65: {again, "a hardware fault (PLL lock)"},
}

// statusError is why a session failed.
func statusError(status int) error {
	if s, known := moStatuses[status]; known {
		return fmt.Errorf("MO status %d: %s", status, s.text)
	}
	return fmt.Errorf("MO status %d is a failure that is not known", status)
}

// refusal is what a Send ends with that another session does not help; nil if one may. What an operator can repair within days is not refused for good.
func refusal(status int) error {
	switch moStatuses[status].helps {
	case mend:
		return &transports.SendError{Outcome: transports.NotSent, Slow: true, Code: status, Err: statusError(status)}
	case never:
		return &transports.SendError{Outcome: transports.Refused, Code: status, Err: fmt.Errorf("%w: %w", statusError(status), transports.ErrTooLarge)}
	default:
		return nil
	}
}

var (
	errPeer  = errors.New("the link goes to another modem (peer)")
	errWaits = errors.New("the sink does not take what a session brought, or has cost: no other may start")
	errMomsn = errors.New("the outcome of the session was lost, and the transceiver's count of sessions fits neither")
	errSize  = fmt.Errorf("the transceiver does not take messages of this size: %w", transports.ErrTooLarge)
	errLost  = errors.New("the outcome of the session was lost with the line")
)
