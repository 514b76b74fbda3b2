package scheduler

// Secs is a number of seconds: a length of time, or a moment counted from 1970.
type Secs int64

// Hours is the length in hours, the unit in which prices are computed.
func (s Secs) Hours() float64 { return float64(s) * (1.0 / 3600) }

// A Link is one way to the gateway as planning sees it. A fleet has few of them; devices name them by their place in Fleet.Links.
type Link struct {
	Name           string
	Up, Down       Rate    // what a status and a downlink cost
	Deliver        float64 // the probability that one attempt arrives, for devices of which nothing is known yet; in (0, 1]
	Energy         float64 // millijoules that one attempt takes
	MinGap, MaxGap Secs    // what modem and subscription allow between two contacts; 0: no limit
	Retries        uint8   // how often a device that knows of a failure tries again within one contact
	Wakeable       bool    // the gateway can reach a device at any time, not only in answer to it
}

// A Via is one link of one device. The zero Via is none.
type Via struct {
	Link    uint8  // place in Fleet.Links, plus 1
	Tries   uint8  // attempts after which the next Via of the device is used in the same contact: a fallback chain; 0: this link alone
	Deliver uint16 // learned probability that an attempt arrives, in 65535ths; 0: the link's
}

// MaxVias is how many links a device may have.
const MaxVias = 4

// NoCover is the delivery probability below which a link counts as being out of reach, if the device has another.
const NoCover = 0.01
