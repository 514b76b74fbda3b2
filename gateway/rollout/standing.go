package rollout

// A Standing is where a device stands in a rollout.
type Standing uint8

// Standings. Those from Offered to Rebooting are what a device was told, or says of itself; Soaking to RolledBack are what was seen.
const (
	HeldOut  Standing = iota + 1
	Waiting           // for its wave
	Eligible          // it is offered the release at its next contact
	Refused           // before anything was sent, for a Reason
	Offered           // sent; nothing was heard of that
	Accepted          // and so on, as codec.UpdateStep
	Declined          // offered again by Retry only
	Deferred          // offered again after a time
	Downloading
	Downloaded
	Verified
	Installing
	Rebooting
	Soaking    // runs the release, not for long enough
	Confirmed  // runs it
	RolledBack // ran it, and runs something else
	Failed     // said so, with a code
	Expired    // not heard of for as many contacts as the deadline has
	Superseded // a newer rollout took it over
	Outside    // runs the release without having been offered it
)

// A Reason is why a device is refused.
type Reason uint8

// Reasons of a refusal.
const (
	NoReason       Reason = iota
	ReasonMemory          // too little memory is free
	ReasonVersion         // its version is below the minimum, and no bridge
	ReasonProduct         // it is of another product by now, or says so itself
	ReasonInactive        // it is retired or rejected
)
