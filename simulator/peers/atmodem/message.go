package atmodem

import "time"

// A Message is what someone in the network sends to the modem's number. It has either a Payload or a Text.
type Message struct {
	ID       uint64    // comes back in OnSettled; of no other use
	From     string    // number of the sender, or a name of up to 11 letters
	Payload  []byte    // 8-bit data
	Text     string    // in the GSM alphabet if that has all its letters, else in UCS-2
	DestPort uint16    // application port that Payload is for; 0: none
	SentAt   time.Time // stamped on it by the service centre; zero: now
}

// An Outcome is how the way of a Message ended.
type Outcome uint8

// How the way of a Message can end.
const (
	OutcomeDeleted Outcome = iota // all its parts were deleted by +CMGD, or acknowledged if the modem hands messages over without storing them
	OutcomeExpired                // the service centre gave up
	OutcomeLost                   // a part was lost, as a fault asked for
)

// String implements fmt.Stringer.
func (o Outcome) String() string {
	switch o {
	case OutcomeDeleted:
		return "deleted"
	case OutcomeExpired:
		return "expired"
	case OutcomeLost:
		return "lost"
	}
	return "unknown"
}

// A Submit is a message that was sent through the modem. Its parts are joined.
type Submit struct {
	To         string
	Payload    []byte // 8-bit data; for text the user data as it was
	Text       string // if it was text
	DestPort   uint16 // 0: none
	Ref        byte   // TP-MR, as +CMGS told it; of the last part
	Refs       []byte // of all parts in their order
	WantReport bool
	At         time.Time
}

// A Report is what the service centre says later of a message that was sent.
type Report struct {
	Status byte          // TP-ST, 3GPP TS 23.040 §9.2.3.15: below 0x20 delivered, below 0x40 still trying, else failed
	After  time.Duration // 0: a second
	Never  bool          // it says nothing
}

// Stats counts what happened so far.
type Stats struct {
	Commands      uint64 // command lines executed
	Errors        uint64 // of them those that ended with an error
	Delivered     uint64 // parts stored or handed over by the modem
	Deleted       uint64 // parts deleted
	Full          uint64 // attempts of the service centre for which there was no room
	Expired       uint64 // parts that it gave up
	PartsLost     uint64 // parts lost by a fault
	URCs          uint64 // unsolicited lines sent
	Submits       uint64 // parts sent with +CMGS
	Reports       uint64 // status reports delivered to the modem
	Plugs         uint64 // times that it was plugged in
	Boots         uint64 // times that it started
	FaultsDone    uint64 // commands to which something was done
	InputDropped  uint64 // bytes that came faster than commands could be executed
	OutputDropped uint64 // bytes that nobody read
	Waiting       int    // parts at the service centre now
	Stored        int    // messages in all storages now
	Plugged       bool   // now
}
