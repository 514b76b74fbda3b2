package scheduler

// A Law is how a policy finds intervals.
type Law uint8

// The laws.
const (
	LawPrice Law = iota // the square-root law: as often as the device's staleness is worth what its contacts cost
	LawFixed            // Policy.Every, whatever it costs
	LawClass            // Policy.Class: an interval for each link
	LawBands            // Policy.Bands: an interval for each band of the battery
)

var lawNames = [...]string{LawPrice: "price", LawFixed: "fixed", LawClass: "class", LawBands: "bands"}

// String is the law's name in configuration.
func (l Law) String() string {
	if int(l) < len(lawNames) {
		return lawNames[l]
	}
	return "unknown"
}

// ParseLaw reads a name that String writes; "" is LawPrice.
func ParseLaw(s string) (Law, bool) {
	for i, name := range lawNames {
		if name == s || s == "" {
			return Law(i), true
		}
	}
	return 0, false
}

// A Policy is what people decide about the intervals of some devices. The zero Policy is the square-root law between 15 minutes and 7 days.
type Policy struct {
	Name     string
	Law      Law
	Tail     uint8    // 1: the mean age counts; 2: its square, so that long ages weigh more; up to MaxTail; 0 is 1. Only LawPrice
	Min, Max Secs     // limits of the interval; 0: DefaultMin, DefaultMax
	Stale    Secs     // service level: knowledge is never older than this ...
	Miss     float64  // ... but with this probability, by loss; 0 is 0.01
	Every    Secs     // LawFixed; and what is left over by LawClass and LawBands
	Class    []Secs   // LawClass: by place of the link in Fleet.Links; 0: Every
	Bands    []Band   // LawBands: ascending
	Horizon  Secs     // how long a new interval is expected to be right; 0: DefaultHorizon
	Burst    []uint16 // minutes after the boot of an update at which a device reports besides its interval; nil: see Burst
}

// A Band is an interval for batteries below a level, as Notecard's voltage-variable intervals are.
type Band struct {
	Below uint8 // percent
	Every Secs
}

// What a policy leaves open.
const (
	DefaultMin     Secs = 15 * 60
	DefaultMax     Secs = 7 * 24 * 3600
	DefaultHorizon Secs = 8 * 24 * 3600
	DefaultMiss         = 0.01
	MaxTail             = 4
)
