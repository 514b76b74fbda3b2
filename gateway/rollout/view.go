package rollout

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/rollout/silence"
)

// get is one rollout.
func (m *Machine) get(id ID) (*rollout, error) {
	r := m.rollouts[id]
	if r == nil {
		return nil, fmt.Errorf("rollout %d: %w", id, ErrUnknown)
	}
	return r, nil
}

// List is all rollouts, the newest first.
func (m *Machine) List() []Summary {
	list := make([]Summary, 0, len(m.ids))
	for _, id := range slices.Backward(m.ids) {
		list = append(list, m.rollouts[id].summary())
	}
	return list
}

// Get is one rollout.
func (m *Machine) Get(id ID) (Summary, error) {
	r, err := m.get(id)
	if err != nil {
		return Summary{}, err
	}
	return r.summary(), nil
}

func (r *rollout) summary() Summary {
	s := Summary{
		ID: r.ID, Spec: r.Spec, State: r.State, By: r.By, Approver: r.Approver, Created: r.Created, Started: r.Started, Ended: r.Ended, Reason: r.Reason,
		Devices: r.size(), Standings: standings(r.total(held, r.last())), Attempted: r.tried, Retries: len(r.Numbers) - 1,
		Alone: r.Alone, Held: slices.Clone(r.Held), Warned: r.Warned, Notes: slices.Clone(r.Notes),
	}
	if len(r.Opened) > 0 {
		s.Wave = r.opened()
	}
	if r.Settled > 0 && r.State == Running {
		s.Until = unstamp(r.Settled).Add(r.Rested + r.Spec.Watch)
	}
	return s
}

// standings are counts that are not 0.
func standings(n [Outside + 1]int) map[Standing]int {
	out := make(map[Standing]int)
	for s, k := range n {
		if k > 0 {
			out[Standing(s)] = k
		}
	}
	return out
}

// Waves are the waves of a rollout, with their gates.
func (m *Machine) Waves(now time.Time, id ID) ([]WaveView, error) {
	r, err := m.get(id)
	if err != nil {
		return nil, err
	}
	var list []WaveView
	for wave := r.first(); wave <= r.last(); wave++ {
		n := r.total(wave, wave)
		w := WaveView{Wave: wave, Standings: standings(n), Gates: []Gate{}}
		if wave > 0 {
			w.Share = r.Spec.Waves[wave-1].Share
		}
		for _, k := range n {
			w.Devices += k
		}
		switch {
		case len(r.Opened) > wave-r.first():
			o := &r.Opened[wave-r.first()]
			w.Opened, w.By = o.At, o.By
			w.Gates = append(w.Gates, o.Gates...)
			w.Reason = "open: " + opener(o)
		case !r.active():
			w.Reason = "the rollout is " + r.State.String()
		case len(r.Opened) == wave-r.first():
			w.Gates = m.gates(now, r, wave)
			w.Reason = closedBy(w.Gates)
		default:
			w.Reason = fmt.Sprintf("wave %d is not open", wave-1)
		}
		list = append(list, w)
	}
	return list, nil
}

func opener(o *opening) string {
	switch {
	case o.By == ByMachine:
		return "all gates were open"
	case len(o.Gates) == 0:
		return o.By + " started the rollout"
	default:
		return o.By + " opened it"
	}
}

// closedBy says which gates hold a wave back.
func closedBy(gates []Gate) string {
	why := ""
	for _, g := range gates {
		if g.Open {
			continue
		}
		if why != "" {
			why += "; "
		}
		why += fmt.Sprintf("%s: %s, wanted is %s", g.Name, g.Have, g.Want)
	}
	if why == "" {
		return "it opens now"
	}
	return "closed: " + why
}

// Devices are the devices of a rollout that keep accepts, by number; keep is called without a history.
func (m *Machine) Devices(now time.Time, id ID, keep func(*DeviceView) bool) ([]DeviceView, error) {
	list, _, _, err := m.Page(now, id, 0, math.MaxInt, math.MaxInt, keep)
	return list, err
}

// Device is where a device stands in each rollout that has it, the newest first.
func (m *Machine) Device(now time.Time, at Place) []DeviceView {
	var f Facts
	m.config.Fleet.Facts(at, &f)
	number := f.Number
	list := []DeviceView{}
	for _, id := range slices.Backward(m.ids) {
		r := m.rollouts[id]
		if d := m.device(r, number); d != nil {
			v := m.view(now, r, d, &f)
			m.detail(now, r, d, &v)
			list = append(list, v)
		}
	}
	return list
}

// detail adds the history of a device, and what its silence is put down to.
func (m *Machine) detail(now time.Time, r *rollout, d *device, v *DeviceView) {
	v.History = history(d)
	m.explain(now, r, d, v, silence.Judge)
}

// view is where a device stands, without its history and what its silence is put down to. f is scratch.
func (m *Machine) view(now time.Time, r *rollout, d *device, f *Facts) DeviceView {
	m.config.Fleet.Facts(d.place, f)
	v := DeviceView{
		Rollout: r.ID, Number: d.number, Name: f.Name, Customer: f.Customer, Wave: int(d.wave), Standing: d.standing, Refusal: d.reason, Code: d.code,
		Since: unstamp(d.since), Offered: unstamp(d.offered), Ran: unstamp(d.ran.at), Confirmed: unstamp(d.settled), Soak: int(d.soak), Last: f.Last,
		From: r.from(d), Version: f.Version, Tries: int(d.tries), GivenUp: d.is(flagGivenUp), History: []HistoryStep{},
	}
	if !f.Last.IsZero() {
		v.Missed = missed(now, f)
	}
	if d.standing == RolledBack {
		v.Earliest, v.Latest = d.earliest(), d.latest()
	}
	if d.standing == Deferred {
		_, last := d.story()
		v.Deferred = unstamp(max(last.known, d.sent)).Add(deferFor)
	}
	if d.judged() {
		v.Suspect = r.suspect(d)
	}
	if s, ok := d.stepOf(); ok {
		v.Step = s.String()
	}
	v.Reason = m.why(now, r, d, f)
	return v
}

func (d *device) judged() bool { return d.is(flagJudged) && !d.is(flagEnded) }

// missed is how many contacts a device should have made since it was heard.
func missed(now time.Time, f *Facts) int {
	every := f.Interval
	if every <= 0 {
		every = intervalDefault * time.Second
	}
	return int(max(0, now.Sub(f.Last)-600*time.Second) / every)
}

// overdue reports whether more than a contact of a device is missing.
func overdue(now time.Time, f *Facts) bool {
	return !f.Last.IsZero() && late(stamp(now), stamp(f.Last), seconds(f.Interval))
}

// why says what there is to say of where a device stands.
func (m *Machine) why(now time.Time, r *rollout, d *device, f *Facts) string {
	switch d.standing {
	case Refused:
		_, text := m.admits(m.release(r), f, now)
		if text == "" {
			text = d.reason.String() + ", as it was when it was looked at; it is looked at again when it calls"
		}
		return text
	case Declined:
		if d.code == codec.CodeSuccess { // the step is done, and that is all that is said
			return ""
		}
		return CodeText(d.code)
	case Failed, RolledBack:
		return CodeText(d.code)
	case Eligible:
		return m.waitsFor(now, r, d)
	case Rebooting:
		if d.wrong != (Order{}) {
			return "it says that it runs this version, of another build"
		}
	case Expired:
		return fmt.Sprintf("nothing came of %d contacts that it should have made", r.Spec.Deadline)
	default:
	}
	if d.is(flagGivenUp) && d.standing != Superseded {
		return fmt.Sprintf("given up: nothing came of %d contacts that it should have made", r.Spec.Deadline)
	}
	return ""
}

// waitsFor says why a device was not offered the release yet.
func (m *Machine) waitsFor(now time.Time, r *rollout, d *device) string {
	switch {
	case r.State != Running:
		return "the rollout is " + r.State.String()
	case !m.release(r).Withdrawn.IsZero():
		return "the release is withdrawn"
	case slices.Contains(r.Held, r.from(d)):
		return "the verdict is against devices that come from " + r.from(d)
	case !r.Spec.open(now):
		return "no window is open"
	case len(r.Spec.Links) > 0:
		return "it waits for its next contact over one of " + strings.Join(r.Spec.Links, ", ")
	default:
		return "it waits for its next contact"
	}
}

// CodeText is what a result code of a step says: those of LwM2M object 5, and a vendor's from 128 on.
func CodeText(code uint8) string {
	texts := [...]string{
		"started", "done", "not enough flash", "out of memory", "connection lost", "integrity check failed", "unsupported package", "invalid address",
		"update failed", "unsupported protocol", "cancelled", "put off",
	}
	if i := int(code); i < len(texts) {
		return texts[i]
	}
	if code >= 128 {
		return fmt.Sprintf("vendor's code %d", code)
	}
	return fmt.Sprintf("code %d", code)
}

// history is the story of a device, as it says.
func history(d *device) []HistoryStep {
	list := make([]HistoryStep, 0, len(d.steps))
	for _, s := range d.steps {
		list = append(list, HistoryStep{
			Step: s.step.String(), Code: s.code, At: unstamp(s.at), Known: unstamp(s.known), Attempt: int(s.round),
			Within: time.Duration(s.within) * time.Second, AtMost: s.over,
		})
	}
	return list
}

// Funnel is how far devices came, by step, of those that were sent an offer.
func (m *Machine) Funnel(now time.Time, id ID) ([]FunnelStep, error) {
	return whole(m.LookFunnel(now, id))
}

// LookFunnel is Funnel in steps.
func (m *Machine) LookFunnel(now time.Time, id ID) (*Look[[]FunnelStep], error) {
	r, err := m.get(id)
	if err != nil {
		return nil, err
	}
	const last = codec.StepFailed
	list := make([]FunnelStep, last+1)
	ages := make([][]time.Duration, last+1)
	for s := range list {
		list[s] = FunnelStep{Step: codec.UpdateStep(s).String(), Codes: map[uint8]int{}, Devices: []uint32{}}
	}
	visit := func(d *device, f *Facts) {
		if d.offered == 0 {
			return
		}
		here, since, came := d.furthest()
		for s, on := range came {
			if on {
				list[s].Reached++
			}
		}
		x := &list[here]
		x.Here++
		ages[here] = append(ages[here], max(0, now.Sub(unstamp(since)))) // it may have moved on since the look began
		x.Codes[d.code]++
		if overdue(now, f) {
			x.Silent++
			if len(x.Devices) < funnelMax {
				x.Devices = append(x.Devices, d.number)
			}
		}
	}
	return &Look[[]FunnelStep]{m: m, r: r, visit: visit, end: func() []FunnelStep {
		for s := range list {
			list[s].Median = median(ages[s])
		}
		return list
	}}, nil
}

// funnelMax is how many devices a step of a funnel names.
const funnelMax = 100

// furthest is the step at which a device is, since when, and those that it came to. What comes after another step in a good update has it behind itself.
func (d *device) furthest() (here codec.UpdateStep, since uint32, came [codec.StepFailed + 1]bool) {
	here, since = codec.StepOffered, d.offered
	for _, s := range d.steps {
		if s.round == d.round && s.step <= codec.StepFailed && s.step != codec.StepConfirmed {
			came[s.step] = true
		}
	}
	if _, last := d.story(); last.known > 0 {
		here, since = last.step, last.at
	}
	switch {
	case d.standing == RolledBack:
		here, since = codec.StepRolledBack, stamp(d.latest())
	case d.standing == Failed:
		here = codec.StepFailed
	case d.ran.known > 0 && d.standing == Confirmed:
		here, since = codec.StepConfirmed, d.ran.at
	case d.ran.known > 0 || here >= codec.StepConfirmed && here != codec.StepFailed && here != codec.StepRolledBack: // it boots, or says that it is done
		here, since = codec.StepRebooting, max(since, d.ran.at)
	}
	came[here] = true
	if d.ran.known > 0 {
		came[codec.StepRebooting] = true
	}
	good := []codec.UpdateStep{
		codec.StepOffered, codec.StepAccepted, codec.StepDownloading, codec.StepDownloaded, codec.StepVerified, codec.StepInstalling, codec.StepRebooting,
		codec.StepConfirmed,
	}
	behind := false
	for _, s := range slices.Backward(good) {
		behind = behind || came[s]
		came[s] = behind
	}
	came[codec.StepOffered] = true
	return here, since, came
}

// median is the middle of some times; 0 of none.
func median(list []time.Duration) time.Duration {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[len(list)/2]
}
