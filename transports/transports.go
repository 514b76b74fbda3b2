package transports

import (
	"context"
	"log/slog"
	"time"
)

// A Bearer is a kind of network.
type Bearer string

// The bearers that drivers exist for.
const (
	SMS Bearer = "sms"
	UDP Bearer = "udp"
	SBD Bearer = "sbd" // Iridium Short Burst Data
	IDP Bearer = "idp" // ORBCOMM IsatData Pro and OGx
)

// An Address is a device's name on one bearer: an MSISDN on SMS ("+" and the E.164 digits), a source host and port on UDP, the IMEI of the modem on
// SBD (15 digits), the mobile ID of the terminal on IDP (15 characters, as 01234567SKYABCD).
type Address struct {
	Bearer Bearer
	ID     string
}

// String returns bearer and id, as in "sms:+491700000001". It shows the whole id; logs go through LogValue.
func (a Address) String() string { return string(a.Bearer) + ":" + a.ID }

// LogValue masks all but the last four characters of the id: numbers of people are personal data.
func (a Address) LogValue() slog.Value {
	id := a.ID
	if n := len(id) - 4; n > 0 {
		id = "…" + id[n:]
	}
	return slog.StringValue(string(a.Bearer) + ":" + id)
}

// Content says what kind of bytes an uplink's payload holds.
type Content uint8

// Kinds of content. Only ContentData is read as frames; the others are kept as they came.
const (
	ContentData Content = iota // 8-bit data, for the codec
	ContentText                // text in UTF-8, as from an SMS in the GSM 7-bit or UCS-2 alphabet
	ContentRaw                 // a unit of the network that the driver could not parse, byte for byte
)

// A Part places a payload within a concatenated message (3GPP TS 23.040 §9.2.3.24.1). The zero value means that the payload is whole.
type Part struct {
	Ref     uint16 // the sender's reference, the same in all parts
	RefBits uint8  // 8 or 16; 0 in a whole payload
	Total   uint8  // number of parts, 1..255
	Seq     uint8  // 1..Total
}

// Whole reports whether the payload is not a part of a larger message.
func (p Part) Whole() bool { return p.RefBits == 0 }

// A Window is a chance to answer on the exchange that an uplink came in on. The driver holds the peer behind ID until Until.
// The zero value means that there is none.
type Window struct {
	ID    uint64
	Until time.Time
}

// A Position is where the network believes a sender to be. The zero value means that it does not say.
type Position struct {
	Known     bool
	Latitude  int32 // millionths of a degree, north positive
	Longitude int32 // millionths of a degree, east positive
	Radius    int64 // metres around it that the network is sure of
}

// An Uplink is one mobile-originated payload as the network handed it over. From is what the network or the packet claims; who
// really sent it is settled by the seal of the frame inside, or by the link where its configuration says that it authenticates.
type Uplink struct {
	Transport  string    // name of the configured transport, as in logs and metrics
	From       Address   // empty ID: the network named no sender
	Ref        string    // the network's own id, "" if none
	SentAt     time.Time // the network's time stamp, zero if it gave none
	ReceivedAt time.Time
	Window     Window
	Port       uint16 // destination port within the bearer (SMS application port), 0 if none
	Content    Content
	Part       Part
	Position   Position
	Missing    int    // messages of the sender that the network numbered just before this one and that never came; 0 where it numbers none
	Payload    []byte // belongs to the caller of the sink and is valid until Uplinks returns
}

// A Settlement is how an uplink ended. The zero value says that it has not.
type Settlement uint8

// Settlements. Stored, Duplicate and Quarantined are confirmed to the network; Rejected is confirmed too where leaving it would
// block the line (a SIM slot, a head-of-line queue).
const (
	Unsettled   Settlement = iota
	Stored                 // new, and synced to disk
	Duplicate              // what it says has been on disk before
	Quarantined            // not understood, kept on disk for people
	Rejected               // counted and not stored
)

// String names the settlement as metrics do.
func (s Settlement) String() string {
	switch s {
	case Unsettled:
		return "unsettled"
	case Stored:
		return "stored"
	case Duplicate:
		return "duplicate"
	case Quarantined:
		return "quarantined"
	case Rejected:
		return "rejected"
	default:
		return "invalid"
	}
}

// A Verdict is what the sink decided about one uplink. Reply, if not empty, is for the device and goes out at once on the exchange
// that the uplink came in on. The sink appends it to Reply[:0], so a driver that keeps its verdicts from one call to the next pays
// no allocation for replies.
type Verdict struct {
	Settlement Settlement
	Reply      []byte
}

// A Sink takes what a transport received. Safe for concurrent use; both methods may block.
type Sink interface {
	// Uplinks blocks until every element of us is settled and writes the verdict on us[i] to out[i]; len(out) must be len(us). What
	// is Stored, Duplicate or Quarantined is on disk when it returns. On an error nothing of the call may be confirmed to the
	// network, so that the network delivers it again. Payloads belong to the caller and are valid until return; the sink copies
	// what it keeps.
	Uplinks(ctx context.Context, us []Uplink, out []Verdict) error

	// Report takes the network's later word on a downlink. Nil means that it is on disk.
	Report(ctx context.Context, r Report) error
}

// A Payer is a sink that also books what a network bills though no payload came or went. See [Book].
type Payer interface {
	// Checked books a mailbox check. Nil means that it is on disk; after an error the driver tells of it again.
	Checked(ctx context.Context, c Check) error
}

// A Check is a session that sent nothing, to look for messages. Networks bill it whether it found one or not.
type Check struct {
	Transport string // name of the configured transport
	At        time.Time
	From      Address // the modem of the device whose session it was; zero: it was the driver's own
	Ref       string  // the network's id of the session, by which one that it tells of again is known; "" if it has none
}

// Book has a sink book a mailbox check, if it is a [Payer].
func Book(ctx context.Context, sink Sink, c Check) error {
	if p, ok := sink.(Payer); ok {
		return p.Checked(ctx, c) //nolint:wrapcheck // it is the sink's word
	}
	return nil
}

// A Downlink is one mobile-terminated payload to hand to the network.
type Downlink struct {
	To         Address
	Window     Window    // if not zero, answer there and nowhere else
	Payload    []byte    // belongs to the caller and is valid until Send returns
	Expires    time.Time // not to be delivered after this; zero: the bearer's own limit
	Ref        uint64    // the caller's id, for logs
	WantReport bool      // ask the network for a delivery report
}

// A Receipt is what the network said when it took a downlink. Ref is what a later Report will name, "" if none will come.
type Receipt struct {
	Ref   string
	At    time.Time
	Parts int // units billed, such as SMS parts; at least 1
}

// A ReportState is the network's word on a downlink's fate.
type ReportState uint8

// States of a downlink in the network.
const (
	ReportPending   ReportState = iota // still trying
	ReportDelivered                    // the network says that the device's radio has it; says nothing of the device's disk
	ReportFailed                       // given up for good
)

// String names the state as events do.
func (s ReportState) String() string {
	switch s {
	case ReportPending:
		return "pending"
	case ReportDelivered:
		return "delivered"
	case ReportFailed:
		return "failed"
	default:
		return "invalid"
	}
}

// A Report is the network's later word on a downlink that it had given a receipt for.
type Report struct {
	Transport  string
	To         Address
	Ref        string    // of the receipt; part references joined by "+"
	At         time.Time // the network's time stamp, zero if it gave none
	ReceivedAt time.Time
	State      ReportState
	Code       int // the network's status, such as TP-ST (3GPP TS 23.040 §9.2.3.15)
}

// Limits are the sizes of a transport, in bytes of payload, and its unit of billing.
type Limits struct {
	UplinkMax   int // largest payload handed to the sink in one piece
	DownlinkMax int // largest payload that Send takes
	PerMessage  int // payload bytes that one billed message holds; 0 if the link bills bytes or nothing
}

// A Transport is a driver for one bearer. Safe for concurrent use.
type Transport interface {
	// Name is the configured name.
	Name() string

	// Bearer is the kind of network.
	Bearer() Bearer

	// Limits are constant for the life of the transport.
	Limits() Limits

	// Run receives until ctx is done, finishes the payload in hand and returns nil. It returns an error when the line is lost, and
	// the caller runs it again after a pause. At most one Run at a time.
	Run(ctx context.Context, sink Sink) error

	// Send hands one payload to the network and returns when the network has answered. A *SendError says what is known of the
	// payload; any other error means MaybeSent. Send does not retry: a repeat costs money and is the caller's decision.
	Send(ctx context.Context, d Downlink) (Receipt, error)
}

// A Line is a transport that knows the state of its line. One whose Run is under way may still look for its modem, or wait for a network.
type Line interface {
	// Up reports whether payloads can come and go.
	Up() bool
}
