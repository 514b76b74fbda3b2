package transporttest

import (
	"context"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// Devices is the number of devices that a harness has.
const Devices = 4

// A Harness is a driver that is not running yet, and the network's side of its line. Its methods are called from several goroutines.
// What it opened it closes in t.Cleanup of the test that it was opened for.
type Harness interface {
	// Transport returns the driver, the same at each call.
	Transport() transports.Transport

	// Address is what the driver is expected to put into Uplink.From for a device, 0 <= device < Devices.
	Address(device int) transports.Address

	// Inject has a device hand payload to the network and returns the network's name for that unit, for use with the methods below.
	// It does not wait for the driver. The payload belongs to the caller and is overwritten after the call.
	Inject(tb testing.TB, device int, payload []byte) (id string)

	// Confirmed waits until the driver has told the network that the unit is received, or until ctx is done: with a ctx that is
	// done it only looks. On a bearer without confirmations of its own the reply of the sink (see Sink.Reply) is the confirmation.
	Confirmed(ctx context.Context, id string) bool

	// Redeliver makes the network, or the device where the network has no memory, offer again a unit that was not confirmed. It does
	// nothing where the driver comes back for it by itself. It is called only if the bearer redelivers.
	Redeliver(tb testing.TB, id string)
}

// A Sender is a harness whose driver can send to a device at any time.
type Sender interface {
	// Target is the address of a device that downlinks are sent to.
	Target() transports.Address

	// Sent waits for the next downlink that has reached the target; false once ctx is done.
	Sent(ctx context.Context) ([]byte, bool)
}

// An Answerer is a harness whose driver answers on the exchange that an uplink came in on.
type Answerer interface {
	// Answered waits for the next payload that came back to the device on the exchange of a unit; false once ctx is done.
	Answered(ctx context.Context, id string) ([]byte, bool)
}

// A Reporter is a harness whose network reports on downlinks.
type Reporter interface {
	// Report has the network report on the downlink that the receipt's reference names.
	Report(tb testing.TB, ref string, state transports.ReportState)
}

// A Cutter is a harness whose line can be lost.
type Cutter interface {
	// Cut loses the line: the running driver's Run is to return an error.
	Cut(tb testing.TB)

	// Mend repairs the line, so that the next Run finds it up. What was not confirmed is in the network still.
	Mend(tb testing.TB)
}

// A Refuser is a harness whose network can refuse a downlink or keep silent about it.
type Refuser interface {
	// Refuse has the network answer the next downlink with an error.
	Refuse(tb testing.TB)

	// Mute has the network take the next downlink without an answer, so that the driver cannot know; false if that cannot be had.
	Mute(tb testing.TB) bool
}

// Capabilities say what the bearer does. The zero value is a bearer that delivers once and has no windows.
type Capabilities struct {
	Redelivers       bool          // what is not confirmed comes again
	ConfirmsRejected bool          // Rejected is confirmed, since leaving it would block the line
	InOrder          bool          // what is not settled holds up all that came after it
	Windows          bool          // uplinks carry a reply window that Send takes; the harness must be an Answerer
	Grace            time.Duration // how long Run may take to return, 0: five seconds
}

// grace returns the time that Run may take to stop.
func (c Capabilities) grace() time.Duration {
	if c.Grace > 0 {
		return c.Grace
	}
	return 5 * time.Second
}
