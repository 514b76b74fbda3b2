package rollout

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/gateway/rollout/verdict"
)

// begin opens the first wave of a rollout that was prepared.
func (m *Machine) begin(now time.Time, r *rollout, by Actor) {
	r.Started = now.UTC()
	r.Resting, r.Rested = time.Time{}, 0
	m.dirty.judge(r.ID)
	if r.Spec.Safe {
		m.alone(now, r)
	}
	m.watch()
	m.openWave(now, r, by)
}

// alone picks the device that goes first: of those that wait, and may have the release, the one with the lowest lot; one that was heard lately if there
// is any.
func (m *Machine) alone(now time.Time, r *rollout) {
	var best *device
	lot, heard := math.Inf(1), false
	for i := range r.devices {
		d := &r.devices[i]
		l := Lot(r.ID, d.number)
		if d.standing != Waiting || best != nil && heard && l >= lot {
			continue
		}
		m.config.Fleet.Facts(d.place, &m.facts)
		if reason, _ := m.admits(m.release(r), &m.facts, now); reason != NoReason {
			continue
		}
		here := !m.facts.Last.IsZero() && !overdue(now, &m.facts)
		if best == nil || here && !heard || here == heard && l < lot {
			best, lot, heard = d, l, here
		}
	}
	if best == nil {
		return
	}
	m.settle(now, r, best, func(d *device) { d.wave = 0 })
	r.Alone = best.number
	m.dirty.head(r.ID)
}

// another has another device go first, if the one that was to will not.
func (m *Machine) another(now time.Time, r *rollout) {
	if d := r.find(r.Alone); d != nil && !d.standing.left() && !d.is(flagGivenUp) {
		return
	}
	was := r.Alone
	if m.alone(now, r); r.Alone != was {
		d := r.find(r.Alone)
		m.invite(now, r, d)
		r.judge.Assign(now.Unix(), []verdict.Place{uint32(d.place)})
	}
}

// late reports whether a device is overdue at a time.
func late(now, heard, interval uint32) bool {
	return uint64(now) > uint64(heard)+uint64(patience(interval))
}

// openWave opens the next wave: its devices may be offered the release.
func (m *Machine) openWave(now time.Time, r *rollout, by Actor) {
	wave := r.opened() + 1
	o := opening{At: now.UTC(), Clock: r.clock(now), By: by.Name}
	if wave > r.first() {
		o.Gates = m.gates(now, r, wave)
	}
	r.Opened = append(r.Opened, o)
	m.dirty.head(r.ID)
	r.inviting, r.invited = true, 0
	m.inviteSome(now, r)
	devices := 0
	for _, n := range r.total(wave, wave) {
		devices += n
	}
	why := fmt.Sprintf("%d devices", devices)
	r.note(now, by, "wave.open", fmt.Sprintf("wave %d: %s", wave, why))
	m.tell(r, Action{Kind: ActWave, Time: now, Wave: wave, Reason: why, Actor: by})
}

// invitesAtOnce is for how many devices a wave opens while frames wait.
const invitesAtOnce = 512

// inviteSome opens waves for the next devices that are in one which has been opened. A large wave opens by and by, in the order of numbers, and Poll goes on
// with it: what a device does has no say in when it leaves the controls. After a restart it is looked through all devices again for those that are left.
func (m *Machine) inviteSome(now time.Time, r *rollout) {
	var places []verdict.Place
	for range looksPerPoll {
		if r.invited >= len(r.devices) {
			r.inviting = false
			break
		}
		d := &r.devices[r.invited]
		r.invited++
		if d.wave == held || int(d.wave) > r.opened() || d.is(flagOpen) {
			continue
		}
		m.invite(now, r, d)
		if places = append(places, uint32(d.place)); len(places) == invitesAtOnce {
			break
		}
	}
	if len(places) > 0 {
		r.judge.Assign(now.Unix(), places)
		m.dirty.judge(r.ID)
	}
}

// invite opens a device's wave for it.
func (m *Machine) invite(now time.Time, r *rollout, d *device) {
	rel := m.release(r)
	m.config.Fleet.Facts(d.place, &m.facts)
	reason, _ := m.admits(rel, &m.facts, now)
	m.settle(now, r, d, func(d *device) {
		d.set(flagOpen, true)
		d.reason, d.waits = reason, r.clock(now)
	})
	if reason == NoReason {
		m.supersede(now, r, d.number)
	}
}

// gates are the conditions under which a wave that is not the first one opens.
func (m *Machine) gates(now time.Time, r *rollout, wave int) []Gate {
	before := wave - 1
	rule, this := &r.Spec.Waves[max(before, 1)-1], &r.Spec.Waves[wave-1]
	open := time.Duration(int64(r.clock(now))-int64(r.Opened[before-r.first()].Clock)) * time.Second
	gates := []Gate{
		m.stateGate(r),
		{Name: "time", Open: open >= rule.Least, Have: open.Truncate(time.Minute).String(), Want: rule.Least.String()},
		m.verdictGate(r, this),
	}
	if before == 0 {
		gates = append(gates, r.aloneGate())
	} else {
		gates = append(gates, r.reportedGate(before, rule.Reported))
	}
	if this.ByHand {
		gates = append(gates, Gate{Name: "hand", Have: "nobody opened it", Want: "advance"})
	}
	return gates
}

// stateGate asks that the rollout runs, and offers its release.
func (m *Machine) stateGate(r *rollout) Gate {
	g := Gate{Name: "state", Open: r.State == Running, Have: r.State.String(), Want: Running.String()}
	if !m.release(r).Withdrawn.IsZero() {
		g.Open, g.Have = false, "the release is withdrawn"
	}
	return g
}

// aloneGate asks that the device which goes first came through.
func (r *rollout) aloneGate() Gate {
	n := r.total(0, 0)
	g := Gate{Name: "alone", Have: "nobody goes first", Want: "confirmed"}
	if d := r.find(r.Alone); d != nil {
		g.Have = fmt.Sprintf("device %d is %s", d.number, d.standing)
	}
	g.Open = n[Confirmed] > 0 && n[Failed]+n[RolledBack] == 0
	return g
}

// reportedGate asks that enough devices of a wave have come to an end. Who is not heard or declined is neither: the share is of the others. Yet a few
// that are left do not speak for all: of those that were asked at all, half as many must have reported. And somebody must run the release by now.
// Devices of a version that is held are left out, unless they are busy: they are asked no more.
func (r *rollout) reportedGate(wave int, share float64) Gate {
	n, so := r.unheld(wave, wave), r.unheld(0, wave)
	all, reported := 0, 0
	for s, k := range n {
		if st := Standing(s); !st.left() {
			all += k
			if st.reported() {
				reported += k
			}
		}
	}
	asked, run := all+n[Expired]+n[Declined], so[Soaking]+so[Confirmed]
	g := Gate{
		Name: "reported", Have: fmt.Sprintf("%d of %d, %d more were given up, %d declined, %d run the release", reported, all, n[Expired], n[Declined], run),
		Want: fmt.Sprintf("%g %%, %g %% with those that were given up or declined, and one that runs it", 100*share, 50*share),
	}
	if asked == 0 { // there was nobody to ask: what is known is of the waves before
		g.Open = so[Confirmed] > 0
		g.Have, g.Want = fmt.Sprintf("nobody to ask, %d confirmed before", so[Confirmed]), "one that is confirmed"
		return g
	}
	g.Open = run > 0 && reported > 0 && float64(reported) >= share*float64(all) && float64(reported) >= share/2*float64(asked)
	return g
}

// unheld is total without devices of versions that are held, but for those that are busy.
func (r *rollout) unheld(from, to int) [Outside + 1]int {
	sum := r.total(from, to)
	if len(r.Held) == 0 {
		return sum
	}
	for i := range r.devices {
		if d := &r.devices[i]; int(d.wave) >= from && int(d.wave) <= to && r.barred(d) {
			sum[d.standing]--
		}
	}
	return sum
}

// barred reports whether nothing more comes of a device because its version is held.
func (r *rollout) barred(d *device) bool {
	return slices.Contains(r.Held, r.from(d)) && !d.standing.underway()
}

// verdictGate asks for what the evidence says.
func (m *Machine) verdictGate(r *rollout, w *Wave) Gate {
	g := Gate{Name: "verdict", Have: "none", Want: "no warning, and no harm where enough devices have it"}
	if w.Proof {
		g.Want = "promote"
	}
	if r.judge == nil {
		return g
	}
	v := r.judge.Verdict()
	g.Have = r.verdictLine(&v)
	g.Open = !v.Hold && (v.Action == verdict.Promote || !w.Proof)
	return g
}

// verdictLine is a verdict in a sentence.
func (r *rollout) verdictLine(v *verdict.Verdict) string {
	line := fmt.Sprintf("%s, evidence %.2f", v.Action, v.Average)
	for _, reason := range r.reasons(v) {
		line += "; " + reason
	}
	return line
}

// passed reports whether all gates are open.
func passed(gates []Gate) bool {
	return !slices.ContainsFunc(gates, func(g Gate) bool { return !g.Open })
}
