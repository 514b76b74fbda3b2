package rollout

import (
	"errors"
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// Errors that callers branch on.
var (
	ErrInvalid   = errors.New("not a rollout that can be")
	ErrUnknown   = errors.New("unknown")
	ErrExists    = errors.New("exists already")
	ErrState     = errors.New("not possible in the rollout's state")
	ErrForbidden = errors.New("not allowed to this role")
	ErrSameActor = errors.New("nobody approves what the same token created or submitted")
	ErrRemark    = errors.New("a remark is needed")
	ErrInUse     = errors.New("a rollout uses it")
	ErrRow       = errors.New("rollout row")
)

// A Place is where the caller keeps a device: a small dense number, for as long as the process lives.
type Place uint32

// An ID numbers rollouts from 1, in the order in which they were created.
type ID uint32

// Facts are what the caller knows of a device.
type Facts struct {
	Number     uint32
	Name       string
	Product    string
	Customer   string
	Version    string // that it runs; "": it never said
	Build      string // lower-case hex
	Hardware   string
	FreeMemory uint64        // bytes; 0: it never said
	Link       int           // place of the link over which it was heard last
	Interval   time.Duration // between its contacts; 0: unknown
	Last       time.Time     // when it was heard last; zero: never
	Active     bool          // neither pending, rejected nor retired
}

// A Fleet is what a machine asks of devices. It is asked in the middle of calls, so it must answer from memory and call nothing back.
type Fleet interface {
	Len() int // places are below it
	Facts(at Place, f *Facts)
	Find(number uint32) (Place, bool)
}

// Config is what a machine is made of.
type Config struct {
	Links []string // names, by place
	Fleet Fleet
	Burst func(at Place) []uint16 // programme of contacts after the boot, minutes; nil: none
}

// An Order is where a frame stands among those of its device, by its epoch and counter.
type Order struct {
	Epoch   uint32
	Counter uint64
}

// A Contact is an authentic frame that is new.
type Contact struct {
	Link   int // place
	Order  Order
	Newest bool      // nothing newer is known of the device: it speaks now
	At     time.Time // when it was sent, as far as the network or the device says; zero: now
}

// A Software is what an authentic frame says of the software that its device runs.
type Software struct {
	Version string // "": it does not say
	Build   string // hex, whole or its first 4 bytes or more; "": it does not say
	Was     string // what was known of its version before; "": nothing
	Order   Order
	At      time.Time // as in Contact
}

// An Authorisation is something that somebody allowed or forbade, for the chain of audit.
type Authorisation struct {
	Time    time.Time
	Actor   Actor
	What    string // "rollout.approve", "release.withdraw"
	Subject string // "rollout 7", "release buoy 2.4.0"
	Remark  string
	Detail  string // what it was about, in a sentence
}

// A Machine is the state of all rollouts. It is not safe for use by several at once. New makes one.
type Machine struct {
	config Config
}

// New makes a machine that knows no release. Load comes next.
func New(c Config) *Machine { return &Machine{config: c} }

// Register makes a release known.
func (m *Machine) Register(now time.Time, by Actor, r Release) (Authorisation, error) {
	return Authorisation{}, ErrUnknown
}

// Withdraw takes a release back: no rollout of it starts or goes on to offer it.
func (m *Machine) Withdraw(now time.Time, by Actor, product, version, remark string) (Authorisation, error) {
	return Authorisation{}, ErrUnknown
}

// Create makes a rollout, as a draft.
func (m *Machine) Create(now time.Time, by Actor, s Spec) (ID, Authorisation, error) {
	return 0, Authorisation{}, ErrUnknown
}

// Act makes a move. An error changes nothing.
func (m *Machine) Act(now time.Time, by Actor, id ID, move Move, remark string) (Authorisation, error) {
	return Authorisation{}, ErrUnknown
}

// Retry offers the release anew to devices that failed, declined, deferred or were given up; no numbers: to all of them.
func (m *Machine) Retry(now time.Time, by Actor, id ID, numbers []uint32, remark string) (n int, a Authorisation, err error) {
	return 0, Authorisation{}, ErrUnknown
}

// Know is told of a device that is new, or of another product or customer or state than before.
func (m *Machine) Know(now time.Time, at Place) {}

// Heard is told of each authentic frame that is new, before what the frame says.
func (m *Machine) Heard(now time.Time, at Place, c Contact) {}

// Reported is told what a frame says of the software that its device runs.
func (m *Machine) Reported(now time.Time, at Place, s Software) {}

// Steps is told of a step log. made is when the device made it, as StepLog.Made says.
func (m *Machine) Steps(now, made time.Time, at Place, l *codec.StepLog) {}

// Offer is what a device that speaks now over a link is to be offered. It changes nothing, and may be asked again when the message leaves.
func (m *Machine) Offer(now time.Time, at Place, link int) (o codec.Offer, ok bool) { return o, false }

// Offered says that an offer was handed to the network.
func (m *Machine) Offered(now time.Time, at Place, number uint32) {}

// Delivered says that the device acknowledged an offer.
func (m *Machine) Delivered(now time.Time, at Place, number uint32) {}

// Undelivered says that the network gave an offer up.
func (m *Machine) Undelivered(now time.Time, at Place, number uint32) {}

// Poll does what is due by time alone: deadlines, waves, verdicts. more: it should be called again at once.
func (m *Machine) Poll(now time.Time) (more bool) { return false }

// Actions hands over what is to be told since the last call. The slice is used again.
func (m *Machine) Actions() []Action { return nil }

// Rows is where a machine writes what changed: a batch that becomes durable as a whole. Keys lie below one prefix of the store.
type Rows interface {
	PutRollout(key, row []byte)
	DeleteRollout(key []byte)
}

// A Source is where a machine finds what was written, in the order of keys.
type Source interface {
	EachRollout(func(key, row []byte) error) error
}

// Must reports whether something changed that is worth a write of its own.
func (m *Machine) Must() bool { return false }

// Drain writes what changed since the last call.
func (m *Machine) Drain(to Rows) {}

// Load brings back what Drain wrote, once all devices are known.
func (m *Machine) Load(now time.Time, from Source) error { return nil }

// CheckRow reports a row that cannot be read.
func CheckRow(key, row []byte) error { return nil }

// List is all rollouts, the newest first.
func (m *Machine) List() []Summary { return nil }

// Get is one rollout.
func (m *Machine) Get(id ID) (Summary, error) { return Summary{}, ErrUnknown }

// Releases are those that are known, by product and then as versions go.
func (m *Machine) Releases() []Release { return nil }

// Release finds one.
func (m *Machine) Release(product, version string) (Release, error) { return Release{}, ErrUnknown }

// Waves are the waves of a rollout, with their gates.
func (m *Machine) Waves(now time.Time, id ID) ([]WaveView, error) { return nil, ErrUnknown }

// Funnel is how far devices came, by step.
func (m *Machine) Funnel(now time.Time, id ID) ([]FunnelStep, error) { return nil, ErrUnknown }

// Adoption is how devices stood at times from the start on, one step apart and at most 2,000, as far as was known at asOf.
func (m *Machine) Adoption(now time.Time, id ID, asOf time.Time, step time.Duration) ([]AdoptionPoint, error) {
	return nil, ErrUnknown
}

// Devices are the devices of a rollout that keep accepts, by number; keep is not called with a history.
func (m *Machine) Devices(now time.Time, id ID, keep func(*DeviceView) bool) ([]DeviceView, error) {
	return nil, ErrUnknown
}

// Device is where a device stands in each rollout that has it, the newest first.
func (m *Machine) Device(now time.Time, at Place) []DeviceView { return nil }

// Behind is who is behind, by customer.
func (m *Machine) Behind(now time.Time, id ID) ([]Behind, error) { return nil, ErrUnknown }

// Report is what is to be said of a rollout.
func (m *Machine) Report(now time.Time, id ID) (Report, error) { return Report{}, ErrUnknown }

// Plan is what a rollout would be like. cost is what an offer and its answers to a device cost, in millionths of a currency; nil: nothing is known of
// costs.
func (m *Machine) Plan(now time.Time, s Spec, cost func(at Place) (micros int64, currency string)) (Forecast, error) {
	return Forecast{}, ErrUnknown
}
