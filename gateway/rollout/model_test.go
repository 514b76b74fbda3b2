package rollout_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/rollout"
)

// dumb is what is known of a device, as lists of all that was ever told, from which its standing is reckoned anew each time.
type dumb struct {
	open    bool
	round   int
	sent    bool
	offered bool
	floor   uint64 // of orders
	reports []dumbReport
	steps   []dumbStep
	taken   bool
}

type dumbReport struct {
	order uint64
	runs  bool
	at    time.Time
}

type dumbStep struct {
	round int
	step  codec.UpdateStep
	code  uint8
	at    time.Time
}

func (d *dumb) clone() *dumb {
	c := *d
	c.reports, c.steps = slices.Clone(d.reports), slices.Clone(d.steps)
	return &c
}

// story is the newest step of the current try.
func (d *dumb) story() (s dumbStep, ok bool) {
	for _, x := range d.steps {
		if x.round == d.round && (!ok || x.at.After(s.at)) {
			s, ok = x, true
		}
	}
	return s, ok
}

var dumbStandings = map[codec.UpdateStep]rollout.Standing{
	codec.StepOffered: rollout.Offered, codec.StepAccepted: rollout.Accepted, codec.StepDeclined: rollout.Declined, codec.StepDeferred: rollout.Deferred,
	codec.StepDownloading: rollout.Downloading, codec.StepDownloaded: rollout.Downloaded, codec.StepVerified: rollout.Verified,
	codec.StepInstalling: rollout.Installing, codec.StepRebooting: rollout.Rebooting, codec.StepConfirmed: rollout.Rebooting,
	codec.StepRolledBack: rollout.RolledBack, codec.StepFailed: rollout.Failed,
}

func (d *dumb) standing() rollout.Standing {
	list := slices.DeleteFunc(slices.Clone(d.reports), func(r dumbReport) bool { return r.order <= d.floor })
	slices.SortFunc(list, func(a, b dumbReport) int { return int(a.order) - int(b.order) })
	s, told := d.story()
	var last time.Time // the newest frame of the release
	for _, r := range list {
		if r.runs {
			last = r.at
		}
	}
	if !last.IsZero() {
		switch {
		case !list[len(list)-1].runs:
			return rollout.RolledBack
		case told && (s.step == codec.StepRolledBack || s.step == codec.StepFailed) && s.at.After(last):
			return dumbStandings[s.step]
		default:
			return rollout.Soaking
		}
	}
	switch {
	case told:
		return dumbStandings[s.step]
	case d.sent:
		return rollout.Offered
	case d.open:
		return rollout.Eligible
	default:
		return rollout.Waiting
	}
}

// script is a device's own story: what it did, whether or not anybody was told.
type script struct {
	number  uint32 // of the offer that it works on
	round   int
	journal []dumbStep
	counter uint64
	frames  []dumbReport // reports that were sent, and may arrive at any time and often
}

// Whatever comes, in whatever order, however often, and wherever the process ends: each device stands where a dumb reckoning from all that was told puts
// it. What was told and not committed is as if it had not been told.
func TestAgainstModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		const n = 4
		w := newWorld(t, n)
		s := w.spec()
		s.Soak, s.Deadline = 100, 1000
		id := w.start(s)
		models, committed := make([]*dumb, n), make([]*dumb, n)
		scripts := make([]*script, n)
		for i := range n {
			models[i], scripts[i] = &dumb{open: true, round: 1}, &script{}
			committed[i] = models[i].clone()
		}
		round := map[uint32]int{uint32(id): 1}
		rounds, committedRounds := 1, 1
		check := func(what string) {
			for i := range n {
				if got, want := w.standing(id, i).Standing, models[i].standing(); got != want {
					rt.Fatalf("after %s device %d is %s, want %s: %+v", what, i, got, want, models[i])
				}
			}
		}
		for range rapid.IntRange(1, 60).Draw(rt, "moves") {
			w.now = w.now.Add(20 * time.Minute) // steps are told apart by their times
			i := rapid.IntRange(0, n-1).Draw(rt, "device")
			d, x := models[i], scripts[i]
			what := rapid.SampledFrom([]string{"offer", "step", "log", "report", "arrive", "lost", "taken", "retry", "commit", "crash", "poll"}).Draw(rt, "what")
			switch what {
			case "offer":
				w.m.Heard(w.now, rollout.Place(i), rollout.Contact{Newest: true, Order: rollout.Order{Counter: x.counter}})
				if number := w.offer(i); number != 0 {
					d.sent, d.offered = true, true
					x.number, x.round = number, round[number]
				}
			case "lost":
				w.m.Undelivered(w.now, rollout.Place(i), x.number)
				if _, told := d.story(); !told && x.round == d.round && d.offered && !d.taken {
					d.sent = false
				}
			case "taken":
				w.m.Delivered(w.now, rollout.Place(i), x.number)
				if x.round == d.round && d.offered {
					d.taken, d.sent = true, true // that it was lost does not count any more
				}
			case "step":
				if x.number != 0 {
					step := codec.UpdateStep(rapid.IntRange(0, int(codec.StepFailed)).Draw(rt, "step"))
					x.journal = append(x.journal, dumbStep{x.round, step, uint8(rapid.IntRange(0, 1).Draw(rt, "code")), w.now})
				}
			case "log":
				of := rapid.IntRange(1, rounds).Draw(rt, "round")
				var l codec.StepLog
				for number, r := range round {
					if r == of {
						l.Rollout = number
					}
				}
				for _, s := range x.journal {
					if s.round == of && len(l.Steps) < codec.StepsMax && rapid.Bool().Draw(rt, "in") {
						l.Steps = append(l.Steps, did(s.step, s.code, w.now.Sub(s.at)))
						if d.offered && !slices.Contains(d.steps, s) {
							d.steps = append(d.steps, s)
							if s.round == d.round {
								d.taken = true
							}
						}
					}
				}
				w.m.Steps(w.now, w.now, rollout.Place(i), &l)
			case "report":
				x.counter++
				x.frames = append(x.frames, dumbReport{x.counter, rapid.Bool().Draw(rt, "runs"), w.now})
			case "arrive":
				if len(x.frames) == 0 || !d.offered {
					break
				}
				r := x.frames[rapid.IntRange(0, len(x.frames)-1).Draw(rt, "frame")]
				version := map[bool]string{true: "2.0", false: "1.0"}[r.runs]
				w.m.Reported(w.now, rollout.Place(i), rollout.Software{Version: version, Build: buildOf(version), Was: "1.0", Order: rollout.Order{Counter: r.order}, At: r.at})
				d.reports = append(d.reports, r)
			case "retry":
				st := d.standing()
				again := st == rollout.Failed || st == rollout.Declined || st == rollout.Deferred || st == rollout.RolledBack
				_, _, err := w.m.Retry(w.now, author, id, []uint32{uint32(100 + i)}, "")
				if (err == nil) != again {
					rt.Fatalf("retry of a device that is %s: %v", st, err)
				}
				if again {
					rounds++
					sum, _ := w.m.Get(id)
					if sum.Retries != rounds-1 {
						rt.Fatalf("%d retries, want %d", sum.Retries, rounds-1)
					}
					for number := uint32(1); ; number++ {
						if _, ok := w.m.Of(number); !ok {
							round[number-1] = rounds
							break
						}
					}
					d.round, d.sent, d.taken = rounds, false, false
					for _, r := range d.reports {
						d.floor = max(d.floor, r.order)
					}
				}
			case "commit":
				w.commit()
				committedRounds = rounds
				for k := range n {
					committed[k] = models[k].clone()
				}
			case "crash":
				w.restart()
				rounds = committedRounds
				for number, r := range round {
					if r > rounds {
						delete(round, number)
					}
				}
				for k := range n {
					models[k] = committed[k].clone()
					if y := scripts[k]; round[y.number] == 0 { // of an offer that was never written down the device did not hear
						y.number, y.journal = 0, slices.DeleteFunc(y.journal, func(s dumbStep) bool { return s.round > rounds })
					}
				}
			case "poll":
				w.m.Poll(w.now)
			}
			check(what)
		}
		w.commit()
		before := len(w.told)
		for i, x := range scripts { // all of it once more changes nothing
			for _, s := range models[i].steps {
				for number, r := range round {
					if r == s.round {
						w.m.Steps(w.now, w.now, rollout.Place(i), &codec.StepLog{Rollout: number, Steps: []codec.StepEntry{did(s.step, s.code, w.now.Sub(s.at))}})
					}
				}
			}
			for _, r := range models[i].reports {
				version := map[bool]string{true: "2.0", false: "1.0"}[r.runs]
				w.m.Reported(w.now, rollout.Place(i), rollout.Software{Version: version, Build: buildOf(version), Was: "1.0", Order: rollout.Order{Counter: r.order}, At: r.at})
			}
			_ = x
		}
		check("a replay")
		if w.commit(); len(w.told) != before {
			rt.Fatalf("a replay told %+v", w.told[before:])
		}
	})
}
