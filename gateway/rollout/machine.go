package rollout

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/gateway/rollout/silence"
	"github.com/godwit-gateway/godwit/scheduler/presence"
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
	ErrRow       = errors.New("rollout row")
	ErrConfig    = errors.New("rollouts cannot be judged")
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
	Interval   time.Duration // between its contacts, at most; 0: unknown
	Hushed     bool          // there are hours in which it may say nothing: it owes none of the programme after its boot
	Last       time.Time     // when it was heard last; zero: never
	Active     bool          // neither pending, rejected nor retired
}

// A Fleet is what a machine asks of devices. It is asked in the middle of calls, so it must answer from memory and call nothing back.
type Fleet interface {
	Len() int // places are below it
	Facts(at Place, f *Facts)
	Find(number uint32) (Place, bool)
	Quiet(now time.Time, at Place, q *silence.Quiet) // all but Update; what q holds may be used again
}

// Config is what a machine is made of.
type Config struct {
	Links []string // names, by place
	Fleet Fleet
	Store Store // where devices of rollouts that have ended are read back from; nil: they stay in memory

	Gap    time.Duration // between frames that are two contacts, for the soak; 0 is a minute
	Repeat time.Duration // of an offer that is not answered: after so long, doubled for each further one; 0 is an hour

	// What silence is judged by: the tables of links and programmes, in the same order as Links and as Programme names them, and what was learned.
	// scheduler/core has both.
	Presence  presence.Config
	Model     *presence.Model
	Programme func(at Place) int      // of contacts after the boot, in Presence.Bursts; nil: none
	Burst     func(at Place) []uint16 // the same as an offer has it, minutes; nil: the caller puts it in
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
	Boot   bool      // it says that the device has started: that alone is no sign that the software works
	At     time.Time // when it was sent, as far as the network or the device says; zero: now
}

// A Software is what an authentic frame says of the software that its device runs.
type Software struct {
	Version string // "": it does not say
	Build   string // hex, whole or its first 4 bytes or more; "": it does not say
	Was     string // what was known of its version before; "": nothing
	Order   Order
	Newest  bool      // as in Contact
	At      time.Time // likewise
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
	config   Config
	releases map[releaseKey]*Release
	ordered  []releaseKey // by product, sequence
	rollouts map[ID]*rollout
	ids      []ID // ascending
	numbers  uint32
	reserved []uint32       // of offers that are none of a rollout's
	byNumber map[uint32]try // of offers
	dirty    dirty
	drains   uint32 // how many there were
	failed   error
	actions  []Action
	back     time.Time  // until then what was said while the gateway was away may still come
	live     []*rollout // that frames of devices may change, ascending
	starting []*Starting
	ripe     []ripe    // soaks that may be over
	now      time.Time // of the last call
	facts    Facts     // scratch
	silent   silence.Quiet

	before, after []byte // scratch: a device's row
}

// try is which try of which rollout an offer is of.
type try struct {
	id ID
	at int // from 1
}

// New makes a machine that knows no release. Load comes next.
func New(c Config) *Machine {
	return &Machine{config: c, releases: make(map[releaseKey]*Release), rollouts: make(map[ID]*rollout), byNumber: make(map[uint32]try)}
}

// put makes a rollout known.
func (m *Machine) put(r *rollout) {
	m.rollouts[r.ID] = r
	m.ids = append(m.ids, r.ID)
	for i, n := range r.Numbers {
		m.byNumber[n] = try{r.ID, i + 1}
		m.numbers = max(m.numbers, n)
	}
}

// tell notes an action, with what is the same for all of a rollout.
func (m *Machine) tell(r *rollout, a Action) {
	a.Rollout, a.Name, a.Product, a.Version = r.ID, r.Spec.Name, r.Spec.Product, r.Spec.Version
	m.actions = append(m.actions, a)
}

// ripe is a device whose soak is over, unless what else came with the frame says otherwise.
type ripe struct {
	r      *rollout
	number uint32
}

// ripen settles soaks once all that a frame says was told.
func (m *Machine) ripen() {
	for _, x := range m.ripe {
		if d := x.r.find(x.number); d != nil {
			m.settle(m.now, x.r, d, func(*device) {})
		}
	}
	m.ripe = m.ripe[:0]
}

// Actions hands over what is to be told since the last call. The slice is used again.
func (m *Machine) Actions() []Action {
	m.ripen()
	list := m.actions
	m.actions = m.actions[:0]
	return list
}

// numbersGap is what the numbers of offers are a multiple of where it is not known which were used.
const numbersGap = 1 << 16

// forgotten is why rollouts rest after that.
const forgotten = "the store is that of a backup: what people or evidence decided since is not known"

// Forgot is told that the machine was brought back from an older copy. A rollout that ran then may have been halted or stopped since: nobody but people
// knows, so it rests until they resume it. Rollouts and retries may have been made since as well, so numbers go on from a multiple of a wide gap, for devices
// know offers by them. The caller keeps Numbers, and gives them to Raise after each Load.
func (m *Machine) Forgot(now time.Time) {
	m.now = now
	for _, id := range m.ids {
		r := m.rollouts[id]
		if r.State != Running {
			continue
		}
		a := &Authorisation{Time: now, Actor: machine, What: "rollout.pause", Subject: r.subject(), Remark: forgotten, Detail: r.line()}
		r.enter(now, Paused)
		r.Reason = forgotten
		r.note(now, machine, a.What, forgotten)
		m.dirty.head(id)
		m.tell(r, Action{Kind: ActPaused, Time: now, Reason: forgotten, Actor: machine, Audit: a})
	}
	m.numbers = (m.numbers/numbersGap + 1) * numbersGap
}

// Numbers is the last number of an offer that was used, or may have been.
func (m *Machine) Numbers() uint32 { return m.numbers }

// Raise has the numbers of offers go on from one, unless they are beyond it.
func (m *Machine) Raise(number uint32) { m.numbers = max(m.numbers, number) }

// reservedMost bounds the numbers that are reserved, and reservedAhead how far they may be beyond those of rollouts, so that a gap as wide as numbersGap
// leaves them behind.
const (
	reservedMost  = 4096
	reservedAhead = numbersGap / 2
)

// Reserve keeps a number of offers from being a rollout's. It reports whether that is new, for the caller keeps Reserved.
func (m *Machine) Reserve(number uint32) (added bool, err error) {
	switch _, taken := m.byNumber[number]; {
	case taken:
		return false, fmt.Errorf("offers with the number %d are a rollout's: %w", number, ErrExists)
	case number == 0 || number > m.numbers && number-m.numbers > reservedAhead:
		return false, fmt.Errorf("offers with the number %d: want 1 to %d: %w", number, uint64(m.numbers)+reservedAhead, ErrInvalid)
	case slices.Contains(m.reserved, number):
		return false, nil
	case len(m.reserved) >= reservedMost:
		return false, fmt.Errorf("offers with the number %d: %d numbers are reserved, use one of them again: %w", number, reservedMost, ErrInvalid)
	}
	m.reserved = append(m.reserved, number)
	return true, nil
}

// Reserved are the numbers that Reserve was called with. The caller keeps them, and gives them to Reserve after each Load, before anything is numbered.
func (m *Machine) Reserved() []uint32 { return m.reserved }

// Of is the rollout that an offer's number belongs to, by which devices tell of their steps: a retry has a number of its own.
func (m *Machine) Of(number uint32) (ID, bool) {
	t, ok := m.byNumber[number]
	return t.id, ok
}
