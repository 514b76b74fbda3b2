package rollout

import (
	"bytes"
	"cmp"
	"math"
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// device is where a device stands in a rollout.
type device struct {
	number   uint32
	place    Place
	wave     int8 // from 1; 0: alone, held
	standing Standing
	reason   Reason // of Refused
	code     uint8  // of the last step
	round    uint8  // the try in which it is to be offered the release, from 1
	tries    uint8  // offers of this round that were sent
	from     uint8  // version at the start
	soak     uint8  // contacts since it runs the release
	flags    uint8

	since    uint32 // of the standing
	offered  uint32 // first, in any round
	sent     uint32 // last, in this round
	waits    uint32 // by the rollout's clock: since when something is expected of it
	heard    uint32
	interval uint32 // of its contacts, seconds, as was known when it was heard
	soaked   uint32 // the last contact that counted for the soak was then
	settled  uint32 // known to be confirmed since

	floor mark  // the newest frame before this round
	ran   mark  // the first frame of the release
	runs  mark  // the newest one
	back  mark  // the first frame with another version after that
	other mark  // the newest frame with another version
	wrong Order // the newest frame with the right version of a wrong build

	steps []step
	gaps  []gap
}

// Flags of a device.
const (
	flagOpen       uint8 = 1 << iota // its wave is open
	flagGivenUp                      // it did not call or answer for as long as the deadline has
	flagSuperseded                   // a newer rollout took it
	flagMoved                        // it runs something else by now, which is not this rollout's business
	flagTaken                        // it acknowledged the offer
	flagJudged                       // the verdict was told that it has the update
	flagEnded                        // the verdict was told how that ended
	flagLost                         // the network gave its first offer up
)

// mark is a frame that said something.
type mark struct {
	order Order
	at    uint32 // sent
	known uint32 // received; 0: there was none
	built bool   // it told the build
}

// gap is a time in which a device was overdue.
type gap struct{ from, to uint32 }

// gapsMax bounds what is remembered of a device's silence.
const gapsMax = 16

func (a Order) compare(b Order) int {
	return cmp.Or(cmp.Compare(a.Epoch, b.Epoch), cmp.Compare(a.Counter, b.Counter))
}

func (d *device) is(flag uint8) bool { return d.flags&flag != 0 }

func (d *device) set(flag uint8, on bool) {
	d.flags &^= flag
	if on {
		d.flags |= flag
	}
}

// done reports whether nothing more is expected of the device.
func (d *device) done() bool { return d.standing.settled() || d.is(flagGivenUp) }

// follows reports whether frames of the device still change something after the rollout has ended.
func (d *device) follows() bool {
	return d.standing == Offered || d.standing == Deferred || d.standing == Soaking || d.standing.underway()
}

// slack is how far two clocks, or two tellings of one moment, may be apart.
const slack = 5 * 60

// derive finds where a device stands from what is known of it.
func (d *device) derive(soak int) Standing {
	s, last := d.story()
	switch {
	case d.ran.known > 0 && d.outside():
		return Outside
	case d.ran.known > 0 && d.back.known > 0:
		return RolledBack
	case d.ran.known > 0 && (s == RolledBack || s == Failed) && last.at > d.runs.at+slack:
		return s
	case d.ran.known > 0 && int(d.soak) >= soak:
		return Confirmed
	case d.ran.known > 0:
		return Soaking
	case d.is(flagSuperseded) && (!s.underway() || d.is(flagGivenUp)): // one that takes up the older offer nevertheless is busy
		return Superseded
	case d.wave == held:
		return HeldOut
	case s != 0:
		return s
	case d.sent == 0 && d.is(flagOpen) && d.reason != NoReason:
		return Refused
	case d.is(flagGivenUp):
		return Expired
	case d.sent > 0:
		return Offered
	case !d.is(flagOpen):
		return Waiting
	default:
		return Eligible
	}
}

// outside reports whether a device ran the release before it was offered it. Networks may be wrong by hours about when a frame was sent.
func (d *device) outside() bool {
	return d.offered == 0 || d.ran.known < d.offered || d.ran.at < d.offered && d.offered-d.ran.at > 24*3600
}

// story is where a device stands by what it said of its steps in this round, and the step that says so; 0 if it said nothing.
func (d *device) story() (Standing, step) {
	last := latest(d.steps, d.round, math.MaxUint32, math.MaxUint32)
	if last.known == 0 {
		return 0, last
	}
	if s, ok := standingOf[last.step]; ok {
		return s, last
	}
	return Rebooting, last // a step of a later version, or one that it must not say itself: it claims to be done, which is seen when it is heard
}

var standingOf = map[codec.UpdateStep]Standing{
	codec.StepOffered: Offered, codec.StepAccepted: Accepted, codec.StepDeclined: Declined, codec.StepDeferred: Deferred, codec.StepDownloading: Downloading,
	codec.StepDownloaded: Downloaded, codec.StepVerified: Verified, codec.StepInstalling: Installing, codec.StepRebooting: Rebooting,
	codec.StepRolledBack: RolledBack, codec.StepFailed: Failed,
}

// settle puts a device where it stands now, and tells what changed. Frames tell of many rollouts what is known: what changes nothing is not written.
func (m *Machine) settle(now time.Time, r *rollout, d *device, change func(*device)) {
	was := d.standing
	m.before = d.append(m.before[:0])
	r.count(d, -1)
	change(d)
	d.standing = d.derive(r.Spec.Soak)
	if d.standing != was {
		d.since = stamp(now)
	}
	if d.standing == Confirmed && d.settled == 0 {
		d.settled = stamp(now)
	}
	r.count(d, 1)
	if m.after = d.append(m.after[:0]); !bytes.Equal(m.before, m.after) {
		m.dirty.device(r.ID, d.number)
	}
	if d.standing == was {
		return
	}
	m.judgeOutcome(now, r, d)
	a := Action{Place: d.place, Time: now, Code: d.code, From: r.from(d)}
	switch d.standing {
	case Confirmed:
		a.Kind, a.DeviceTime = ActConfirmed, unstamp(d.ran.at)
	case Failed:
		a.Kind = ActFailed
	case RolledBack:
		a.Kind, a.Earliest, a.DeviceTime = ActRolledBack, d.earliest(), d.latest()
	default:
		return
	}
	m.tell(r, a)
}

// earliest and latest are between which times a device that was rolled back left the release; zero: not known.
func (d *device) earliest() time.Time { return unstamp(d.runs.at) }

func (d *device) latest() time.Time {
	if _, last := d.story(); d.back.known == 0 {
		return unstamp(last.at)
	}
	return unstamp(d.back.at)
}

// from is the version that a device came from, "" if that is not told apart.
func (r *rollout) from(d *device) string {
	if int(d.from) < len(r.Versions) {
		return r.Versions[d.from]
	}
	return ""
}
