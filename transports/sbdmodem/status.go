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

// moStatuses are the ways in which a session can end, beside success (0 to 4): the network did not take the MO message.
var moStatuses = map[int]struct {
	refused bool // it never will
	text    string
}{
	10: {false, "the network did not finish in time"},
	11: {false, "the network's queue for our messages is full"},
	12: {true, "the message has too many segments"},
	13: {false, "the network did not finish"},
	14: {true, "a segment has a size that is not allowed"},
	15: {true, "access is denied: the transceiver has no active subscription, perhaps"},
	16: {true, "the transceiver is locked (+CULK)"},
	17: {false, "the network does not answer"},
	18: {false, "the radio was lost"},
	19: {false, "the link failed"},
	32: {false, "no network, or no signal"},
	33: {false, "the antenna has a fault"},
	34: {false, "the radio is off (*R)"},
	35: {false, "the transceiver is busy"},
	36: {false, "three minutes must pass since the last registration"},
	37: {false, "the service is disabled for a while"},
	38: {false, "the network asks to wait (+SBDLOE)"},
	64: {false, "a band violation"},
	65: {false, "a hardware fault (PLL lock)"},
}

// statusError is why a session failed.
func statusError(status int) error {
	if s, known := moStatuses[status]; known {
		return fmt.Errorf("MO status %d: %s", status, s.text)
	}
	return fmt.Errorf("MO status %d is a failure that is not known", status)
}

// refusal is what a Send ends with whose message the network will never take; nil if a later session may do better.
func refusal(status int) error {
	if !moStatuses[status].refused {
		return nil
	}
	return &transports.SendError{Outcome: transports.Refused, Code: status, Err: statusError(status)}
}

var (
	errWindow  = errors.New("satellites have no windows")
	errAddress = errors.New("want an IMEI of 15 digits")
	errPeer    = errors.New("the link goes to another modem (peer)")
	errEmpty   = errors.New("no payload")
	errPrefix  = errors.New(`a payload that begins with "RB" the web service of a RockBLOCK takes for an order to itself`)
	errBusy    = errors.New("the transceiver is busy with other things")
	errWaits   = errors.New("a message waits in the transceiver that the sink does not take: no session may start")
	errMomsn   = errors.New("the outcome of the session was lost, and the transceiver's count of sessions fits neither")
	errLost    = errors.New("the outcome of the session was lost with the line")
)
