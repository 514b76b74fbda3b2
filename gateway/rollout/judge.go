package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/rollout/verdict"
	"github.com/godwit-gateway/godwit/scheduler/presence"
)

// stranger is the version, as the verdict numbers them, of devices of other products.
const stranger = otherVersion - 1

// rule is by which presence knows the attrition of a device, and the verdict its product. After a reload there may be rules that a verdict does not
// know: devices of theirs count among those of no group.
func (m *Machine) rule(at Place) uint16 {
	if m.config.Programme == nil {
		return 0
	}
	return uint16(m.config.Programme(at)) //nolint:gosec // a schedule has at most 200 rules
}

// Learn says from what rollouts that start from now on find out what silence is usual. Those that run are held against what was usual when they started.
func (m *Machine) Learn(model *presence.Model, c presence.Config) {
	m.config.Model, m.config.Presence = model, c
}

// newJudge makes what a rollout is judged by. Its groups are the versions that its devices come from, and the rules by which they are scheduled.
func (m *Machine) newJudge(now time.Time, id ID, groups []verdict.Group) (*verdict.Judge, error) {
	if m.config.Model == nil {
		return nil, fmt.Errorf("rollout %d: nothing is known of silence: %w", id, ErrConfig)
	}
	if len(groups) == 0 {
		groups = []verdict.Group{{}}
	}
	c := verdict.Config{Links: m.config.Presence.Links, Bursts: m.config.Presence.Bursts, Groups: groups}
	j, err := verdict.New(now.Unix(), c, m.config.Model)
	if err != nil {
		return nil, fmt.Errorf("rollout %d: %w: %w", id, ErrConfig, err)
	}
	return j, nil
}

// stratum is what a device is compared with. One that is not in the rollout counts by what it runs now.
func (m *Machine) stratum(r *rollout, d *device, at Place, f *Facts, link int) verdict.Stratum {
	s := verdict.Stratum{Link: uint8(link)} //nolint:gosec // links are few
	s.Product = m.rule(at)
	switch {
	case d != nil:
		s.From = uint16(d.from)
	case f.Product != r.Spec.Product:
		s.From = stranger
	default:
		s.From = otherVersion
		if i := slices.Index(r.Versions, f.Version); i >= 0 {
			s.From = uint16(i) //nolint:gosec // at most versionsMax
		}
	}
	return s
}

// mapLinks finds the links, by place, in a verdict that was brought back: since it was made links may have been added, removed or put in another order.
func (m *Machine) mapLinks(r *rollout) {
	r.links = make([]int, len(m.config.Presence.Links))
	for at, l := range m.config.Presence.Links {
		r.links[at] = slices.IndexFunc(r.judge.Links(), func(k presence.Link) bool { return k.Name == l.Name })
	}
}

// link is the place of a link in the verdict, -1 if that does not know it: what is usual over it was not found out.
func (r *rollout) link(at int) int {
	switch {
	case r.links != nil && at >= 0 && at < len(r.links):
		return r.links[at]
	case r.links == nil && at >= 0 && at < len(r.judge.Links()):
		return at
	default:
		return -1
	}
}

// lacks reports whether a link of the verdict is not there any more. Nothing is heard over it, and that is no evidence.
func (r *rollout) lacks(link int) bool { return r.links != nil && !slices.Contains(r.links, link) }

func (m *Machine) judgeContact(now time.Time, r *rollout, d *device, at Place, link int) {
	if link = r.link(link); link < 0 {
		return
	}
	r.judge.Contact(now.Unix(), uint32(at), m.stratum(r, d, at, &m.facts, link), seconds(m.facts.Interval))
	m.dirty.judge(r.ID)
}

// installTime is how long a device is taken to be away to boot other software, in seconds.
const installTime = 600

// judgeStart tells the verdict that a device has the update: it has the image, and the next that is heard of it comes from what it boots. What is
// heard while it fetches it comes from the old software still.
func (m *Machine) judgeStart(now time.Time, r *rollout, d *device) {
	if r.judge == nil || d.is(flagJudged) || d.ran.known > 0 {
		return
	}
	switch d.standing {
	case Downloaded, Verified, Installing, Rebooting:
		d.set(flagJudged, true)
		r.judge.Start(now.Unix(), uint32(d.place), m.programme(r, d.place), installTime)
		m.dirty.judge(r.ID)
	default:
	}
}

// burstKept is how many contacts of a programme the tables of presence have.
const burstKept = 15

// programme is the place of a device's programme after its boot in the tables of a verdict, -1 if they do not have it: the verdict keeps those of its
// start, and the rules by which devices are scheduled may be others by now.
func (m *Machine) programme(r *rollout, at Place) int {
	if m.config.Programme == nil || m.config.Burst == nil {
		return -1
	}
	var f Facts
	if m.config.Fleet.Facts(at, &f); f.Hushed {
		return -1
	}
	i, said := m.config.Programme(at), m.config.Burst(at)
	said = said[:min(len(said), burstKept)]
	judged := r.judge.Burst(i)
	if len(said) != len(judged) {
		return -1
	}
	for k, minutes := range said {
		if judged[k] != uint32(minutes)*60 {
			return -1
		}
	}
	return i
}

// judgeOutcome tells the verdict how an update ended.
func (m *Machine) judgeOutcome(now time.Time, r *rollout, d *device) {
	if r.judge == nil || d.is(flagEnded) {
		return
	}
	if !d.is(flagJudged) {
		if d.standing != Failed && d.standing != RolledBack {
			return
		}
		d.set(flagJudged, true) // it says so before it was known to have the update
		r.judge.Start(now.Unix(), uint32(d.place), -1, 0)
	}
	switch d.standing {
	case Confirmed:
		r.judge.Report(now.Unix(), uint32(d.place), false)
	case Failed, RolledBack:
		r.judge.Report(now.Unix(), uint32(d.place), true)
	default:
		return
	}
	d.set(flagEnded, true)
	m.dirty.judge(r.ID)
}

// listens tells a verdict whether devices are heard: links are out until what was said while the gateway was away has come. Outages of single links it
// sees by itself, among the devices that did not get the update: by all of them a bad update would be taken for one.
func (m *Machine) listens(now time.Time, r *rollout) {
	if r.judge == nil {
		return
	}
	for link := range r.judge.Links() {
		r.judge.Veto(now.Unix(), uint8(link), now.Before(m.back) || r.lacks(link))
	}
	m.dirty.judge(r.ID)
}

// Times of a gateway that was away: how long makes a difference, and how long what was said meanwhile may still come.
const (
	awayLeast = 10 * time.Minute
	awayAfter = time.Hour
)

// returned takes what nobody listened to for no evidence. Where links were out as it ended, nobody knows any more for how long they are to be.
func (m *Machine) returned(now time.Time) {
	for _, r := range m.live {
		if r.judge == nil {
			continue
		}
		if r.judge.Absent(now.Unix(), int64(awayLeast/time.Second)) || r.judge.Vetoed() {
			m.back = now.Add(awayAfter)
			m.dirty.judge(r.ID)
		}
		for link := range r.judge.Links() {
			if r.lacks(link) {
				r.judge.Veto(now.Unix(), uint8(link), true)
				m.dirty.judge(r.ID)
			}
		}
	}
}

// weigh does what the evidence asks for. more: it should be called again at once.
func (m *Machine) weigh(now time.Time, r *rollout) (more bool) {
	r.judge.Poll(now.Unix())
	m.dirty.judge(r.ID)
	v := r.judge.Verdict()
	more = m.excess(now, r, &v)
	if r.State == Halted {
		return more
	}
	if v.Action == verdict.Halt {
		m.halt(now, r, strings.Join(r.reasons(&v), "; "))
		return more
	}
	if m.holdGroups(now, r, &v) {
		v = r.judge.Verdict()
	}
	if warned := v.Action == verdict.Warn; warned != r.Warned {
		why := strings.Join(r.reasons(&v), "; ")
		if r.Warned = warned; !warned {
			why = "the verdict warns no more"
		}
		m.dirty.head(r.ID)
		m.tell(r, Action{Kind: ActWarned, Time: now, Reason: why, Actor: machine, Warned: warned})
	}
	return more
}

// machine is who acts if nobody does.
var machine = Actor{Name: ByMachine, Role: Admin}

// halt stops a rollout by itself.
func (m *Machine) halt(now time.Time, r *rollout, why string) {
	a := &Authorisation{Time: now, Actor: machine, What: "rollout.halt", Subject: r.subject(), Remark: why, Detail: r.line()}
	r.enter(now, Halted)
	r.Reason = why
	r.note(now, machine, a.What, why)
	m.dirty.head(r.ID)
	m.tell(r, Action{Kind: ActHalted, Time: now, Reason: why, Actor: machine, Audit: a})
}

// holdGroups offers nothing any more to devices of a version that the evidence is against alone. It reports whether there is a new one.
func (m *Machine) holdGroups(now time.Time, r *rollout, v *verdict.Verdict) (held bool) {
	for i := range v.Groups {
		g := &v.Groups[i]
		if g.Halted == 0 || int(g.From) >= len(r.Versions) || g.Aside {
			continue
		}
		from := r.Versions[g.From]
		if slices.Contains(r.Held, from) { // before groups were set aside
			m.setAside(now, r, from)
			held = true
			continue
		}
		m.hold(now, r, from)
		held = true
		why := fmt.Sprintf("devices that come from %q are offered nothing more: %d have the update, %d were heard since, %d failed", from, g.Started, g.Resolved, g.Failed)
		a := &Authorisation{Time: now, Actor: machine, What: "rollout.hold", Subject: r.subject(), Remark: why, Detail: r.line()}
		r.note(now, machine, a.What, why)
		m.tell(r, Action{Kind: ActWarned, Time: now, Reason: why, Actor: machine, Warned: true, Audit: a})
	}
	return held
}

// hold has devices of a version be offered nothing more. What becomes of those that have the update does not hold the others back.
func (m *Machine) hold(now time.Time, r *rollout, from string) {
	r.Held = append(r.Held, from)
	m.setAside(now, r, from)
	m.dirty.head(r.ID)
}

func (m *Machine) setAside(now time.Time, r *rollout, from string) {
	for _, g := range r.judge.Groups() {
		if int(g.From) == slices.Index(r.Versions, from) {
			r.judge.SetAside(now.Unix(), g)
		}
	}
	m.dirty.judge(r.ID)
}

// longSilences is how often devices with the update were silent for longer than hardly any living device, and how often they would have been.
func longSilences(v *verdict.Verdict) (silent int, usual, low, high float64) {
	for i := range v.Groups {
		g := &v.Groups[i]
		silent += g.Events
		usual, low, high = usual+g.Expected, low+g.Low, high+g.High
	}
	return silent, usual, low, high
}

// excess tells when more devices are silent than would be, and when they are not any more. unfinished: it is still being found out who they are.
func (m *Machine) excess(now time.Time, r *rollout, v *verdict.Verdict) (unfinished bool) {
	silent, usual, _, high := longSilences(v)
	more := silent > 0 && float64(silent) > high
	if r.Silence && float64(silent) > usual {
		more = true // what is near the bound is not told again and again
	}
	switch {
	case more == r.Silence:
		r.telling = nil
		return false
	case r.telling == nil:
		r.telling = m.lookLine(now, r)
	}
	if r.telling.Some(looksPerLine) {
		return true
	}
	line, _ := r.telling.Result() // it is in memory
	r.Silence = more
	m.dirty.head(r.ID)
	m.tell(r, Action{Kind: ActSilence, Time: now, Reason: line, Warned: more, Actor: machine})
	r.telling = nil
	return false
}

// looksPerLine is looksPerPoll where more is asked of each device.
const looksPerLine = 4096

// suspect is how likely the update silenced a device.
func (r *rollout) suspect(d *device) float64 {
	if r.judge == nil {
		return 0
	}
	s, ok := r.judge.Suspect(uint32(d.place))
	if !ok {
		return 0
	}
	return s.Update
}

// stepOf is the last step that is known of a device in its round.
func (d *device) stepOf() (codec.UpdateStep, bool) {
	_, last := d.story()
	return last.step, last.known > 0
}
