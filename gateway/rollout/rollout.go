package rollout

import (
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/gateway/rollout/verdict"
)

// head is what is kept of a rollout besides its devices.
type head struct {
	ID        ID        `json:"id"`
	Spec      Spec      `json:"spec"`
	State     State     `json:"state"`
	By        string    `json:"by"`
	Submitter string    `json:"submitter,omitempty"`
	Approver  string    `json:"approver,omitempty"`
	Created   time.Time `json:"created"`
	Started   time.Time `json:"started,omitzero"`
	Ended     time.Time `json:"ended,omitzero"`
	Reason    string    `json:"reason,omitempty"` // of the state

	Resting time.Time     `json:"resting,omitzero"` // since when no time passes for it
	Rested  time.Duration `json:"rested"`           // before that

	Numbers  []uint32  `json:"numbers"`           // of offers: of each try
	Opened   []opening `json:"opened"`            // waves, in their order
	Alone    uint32    `json:"alone,omitempty"`   // number of the device that goes first
	Settled  uint32    `json:"settled,omitempty"` // by the clock: nothing more is expected of any device since; 0: something is
	Versions []string  `json:"versions"`          // that devices ran at the start, as the verdict numbers them
	Warned   bool      `json:"warned"`            // by the verdict, as last told
	Silence  bool      `json:"silence"`           // more than usual, as last told
	Held     []string  `json:"held,omitempty"`    // versions whose devices are offered nothing: the verdict halted them alone
	Notes    []Note    `json:"notes"`             // what was done to it

	Final  string  `json:"final,omitempty"` // the verdict, once the rollout has ended
	Silent int     `json:"silent"`          // silences of devices with the update until then, and how many would have been
	Usual  float64 `json:"usual"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`

	Survival []SurvivalPoint `json:"survival,omitempty"`
}

// opening is the moment a wave opened.
type opening struct {
	At    time.Time `json:"at"`
	Clock uint32    `json:"clock"` // of the rollout
	By    string    `json:"by"`
	Gates []Gate    `json:"gates,omitempty"`
}

// A Note is something that was done to a rollout.
type Note struct {
	Time   time.Time `json:"time"`
	Actor  Actor     `json:"actor"`
	What   string    `json:"what"` // as in Authorisation, or "wave.open"
	Remark string    `json:"remark,omitempty"`
}

// notesMax bounds what is remembered of a rollout; the chain of audit has all of it.
const notesMax = 200

// rollout is a rollout and its devices.
type rollout struct {
	head
	devices []device // by number
	counts  map[int8]*[Outside + 1]int
	tried   int // devices that were sent an offer
	busy    int // devices whose frames are still counted
	pending int // devices of open waves of which something is expected
	judge   *verdict.Judge
	links   []int // by place: the link in the verdict, -1 if it has none; nil: the same
	cursor  int   // of the look at deadlines
	invited int   // of inviteSome
	freeing freeing
	telling *Look[string] // the line of an event that is being found
	fixed   bool          // the part of the verdict that does not change was written

	inviting bool // a wave has been opened, and may not be open for all of its devices
}

func (h *head) note(now time.Time, by Actor, what, remark string) {
	if len(h.Notes) >= notesMax {
		h.Notes = slices.Delete(h.Notes, 1, 2) // who created it stays
	}
	h.Notes = append(h.Notes, Note{now.UTC(), by, what, remark})
}

// enter changes the state. Time passes for a rollout only while it is running: nobody is given up because it rested.
func (h *head) enter(now time.Time, s State) {
	h.State = s
	switch {
	case s == Running && !h.Resting.IsZero():
		h.Rested += now.Sub(h.Resting)
		h.Resting = time.Time{}
	case s != Running && h.Resting.IsZero():
		h.Resting = now.UTC()
	}
}

// clock is the time that has passed for the rollout, in seconds since 1970 less what it rested.
func (h *head) clock(now time.Time) uint32 {
	if !h.Resting.IsZero() {
		now = h.Resting
	}
	return stamp(now.Add(-h.Rested))
}

// active reports whether the rollout has begun and not ended.
func (h *head) active() bool { return h.State == Running || h.State == Paused || h.State == Halted }

// first is the number of the first wave, last that of the last one, and opened that of the last one that is open.
func (h *head) first() int {
	if h.Spec.Safe {
		return 0
	}
	return 1
}

func (h *head) last() int   { return len(h.Spec.Waves) }
func (h *head) opened() int { return h.first() + len(h.Opened) - 1 }

// find is a device of the rollout that is in memory, or nil.
func (r *rollout) find(number uint32) *device {
	i, ok := slices.BinarySearchFunc(r.devices, number, compareNumber)
	if ok {
		return &r.devices[i]
	}
	if x := r.freeing.aside[number]; x != nil {
		return &x.device
	}
	return nil
}

func compareNumber(d device, number uint32) int { return int(int64(d.number) - int64(number)) }

// member is a device that a rollout is about; ok is false for any other.
func (r *rollout) member(now time.Time, at Place, f *Facts) (d device, ok bool) {
	if f.Version == r.Spec.Version || !r.Spec.matches(f) {
		return d, false
	}
	d = device{
		number: f.Number, place: at, wave: r.Spec.wave(Lot(r.ID, f.Number)), round: uint8(len(r.Numbers)), from: r.version(f.Version), //nolint:gosec // few
		since: stamp(now), standing: Waiting, heard: stampOf(f.Last), interval: seconds(f.Interval),
	}
	if d.wave == held {
		d.standing = HeldOut
	}
	return d, true
}

// version is the number of a version that a device came from; 255 for those beyond what the verdict tells apart.
func (r *rollout) version(v string) uint8 {
	if i := slices.Index(r.Versions, v); i >= 0 {
		return uint8(i) //nolint:gosec // at most versionsMax
	}
	if len(r.Versions) == versionsMax || r.judge != nil {
		return otherVersion
	}
	r.Versions = append(r.Versions, v)
	return uint8(len(r.Versions)) - 1 //nolint:gosec // as above
}

const (
	versionsMax  = 16
	otherVersion = 255 // of devices of the same product that are beyond versionsMax
)

// count moves a device in or out of the counts.
func (r *rollout) count(d *device, by int) {
	if r.counts == nil {
		r.counts = make(map[int8]*[Outside + 1]int)
	}
	c := r.counts[d.wave]
	if c == nil {
		c = new([Outside + 1]int)
		r.counts[d.wave] = c
	}
	c[d.standing] += by
	if d.offered > 0 {
		r.tried += by
	}
	if d.follows() {
		r.busy += by
	}
	if d.is(flagOpen) && !d.done() {
		r.pending += by
	}
}

// total sums the counts of waves, from one to another.
func (r *rollout) total(from, to int) (sum [Outside + 1]int) {
	for w := from; w <= to; w++ {
		if c := r.counts[int8(w)]; c != nil { //nolint:gosec // -1 to wavesMax
			for i, n := range c {
				sum[i] += n
			}
		}
	}
	return sum
}

// size is how many devices the rollout has, in memory or not.
func (r *rollout) size() (n int) {
	for _, k := range r.total(held, r.last()) {
		n += k
	}
	return n
}

// stamp is a moment in seconds since 1970, within what a device's record holds.
func stamp(t time.Time) uint32 { return uint32(min(max(t.Unix(), 0), 1<<32-1)) }

// stampOf is stamp, but 0 for no time.
func stampOf(t time.Time) uint32 {
	if t.IsZero() {
		return 0
	}
	return stamp(t)
}

func unstamp(s uint32) time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(int64(s), 0).UTC()
}

func seconds(d time.Duration) uint32 { return uint32(min(max(d/time.Second, 0), 1<<32-1)) }
