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
	ReasonVersion         // another release must be installed first
	ReasonNewer           // it runs something newer
	ReasonProduct         // it is of another product by now
	ReasonInactive        // it is pending, retired or rejected
	ReasonOver            // the manifest is not valid any more
)

// settled reports whether nothing more is expected.
func (s Standing) settled() bool {
	switch s {
	case HeldOut, Declined, Confirmed, RolledBack, Failed, Expired, Superseded, Outside:
		return true
	default:
		return false
	}
}

// reported reports whether the update came to an end by which it can be judged.
func (s Standing) reported() bool {
	switch s {
	case Soaking, Confirmed, RolledBack, Failed:
		return true
	default:
		return false
	}
}

// left reports whether the device does not count among those that could report: it was not asked, did not want to, or is not heard.
func (s Standing) left() bool {
	switch s {
	case HeldOut, Refused, Declined, Expired, Superseded, Outside:
		return true
	default:
		return false
	}
}

// underway reports whether the device is busy with the update, as far as is known.
func (s Standing) underway() bool {
	switch s {
	case Accepted, Downloading, Downloaded, Verified, Installing, Rebooting:
		return true
	default:
		return false
	}
}
