package scheduler

// A Send is how a new interval goes to a device.
type Send uint8

// The ways of sending.
const (
	SendNone      Send = iota // the device keeps what it runs
	SendPiggyback             // within the ack that goes anyway
	SendOwn                   // in a downlink of its own
)

// An Occasion is when a decision is asked for.
type Occasion struct {
	Now    Secs
	Ack    int // bytes of a downlink that goes to the device anyway, which may carry the policy; 0: none
	Policy int // bytes of a policy message; 0 is PolicyBytes
}

// PolicyBytes is the size of a sealed downlink that says an interval.
const PolicyBytes = 24

// A Decision is what one device is to do.
type Decision struct {
	Interval Secs // that the device is to run
	Code     Code // the same as it is said on the wire
	Via      int  // place in Device.Links; -1: the device has no link
	Link     int  // place in Fleet.Links; -1: none
	Send     Send
	Due      Secs // when the device is expected next: by what it runs now, since it learns of anything else only then; 0: unknown
}
