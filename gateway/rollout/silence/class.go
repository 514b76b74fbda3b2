package silence

// A Class is what a silence is put down to.
type Class uint8

// Classes.
const (
	NotDue   Class  = iota // it owes no contact yet
	Late                   // it missed contacts as living devices do
	Outage                 // its link or region is out
	Contract               // its card or contract is
	Battery                // its battery ran out
	Update                 // an update did it
	Retired                // it was taken out
	Unknown                // it is dead for a reason that nothing points at, or nothing is known of it
	Classes  = iota        // how many there are
)

var classes = [Classes]struct{ people, label string }{
	{"not due", "not_due"},
	{"late", "late"},
	{"link or region outage", "outage"},
	{"SIM or contract", "contract"},
	{"battery trend", "battery"},
	{"suspected update", "update"},
	{"retired", "retired"},
	{"unknown", "unknown"},
}

// String is the class as people read it.
func (c Class) String() string { return classes[min(c, Unknown)].people }

// Label is the class as metrics, events and filters name it.
func (c Class) Label() string { return classes[min(c, Unknown)].label }
