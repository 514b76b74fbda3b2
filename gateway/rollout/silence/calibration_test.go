package silence_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/gateway/rollout/silence"
	"github.com/godwit-gateway/godwit/scheduler/presence"
)

const (
	hour  = 3600
	day   = 86400
	month = 30.4375 * day
	start = 1_700_000_000 / day * day
)

// unit is a simulated device, with the truth of it.
type unit struct {
	d         presence.Device
	link      int
	cell      uint16
	operator  int
	due       int64
	gone      int64         // it is silent for good from then on
	why       silence.Class // of that
	bad, well int64         // its own outage
	levels    []silence.Level
	level     float64
	fall      float64 // a day
	refused   int
	started   int64 // the update; 0: none
	look      int64 // when presence looks at it next
}

// town is a fleet over two links, in regions and with operators, and what befalls it.
type town struct {
	m      *presence.Model
	random *rand.Rand
	units  []unit
	out    map[uint16]int64 // regions that are out, until when
	rare   map[uint16][2]int64
}

const (
	towns     = 3000
	regions   = 6
	rolledOut = start + 60*day
	cutOff    = start + 90*day // an operator ends its contracts
	harmed    = 0.03
)

func settle(t testing.TB, seed uint64) *town {
	t.Helper()
	m, err := presence.New(presence.Config{
		Links:    []presence.Link{{Name: "net", Grace: 120, Jitter: 50, Wakeable: true}, {Name: "sms", Grace: 600, Jitter: 50, Wakeable: true}},
		Bursts:   []presence.Burst{{600, 3600, 4 * 3600, 12 * 3600}},
		Cells:    regions,
		Products: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &town{m: m, random: rand.New(rand.NewPCG(seed, 3)), out: map[uint16]int64{}, rare: map[uint16][2]int64{}}
	for i := range towns {
		u := unit{link: i % 2, cell: uint16(1 + i%regions), operator: i % 40, level: 90, fall: 0.02}
		interval := []uint32{6 * hour, 12 * hour, day}[w.random.IntN(3)]
		u.d = presence.NewDevice(start, presence.Policy{Interval: interval, Link: uint8(u.link)}, 0, u.cell)
		u.due = start + w.random.Int64N(int64(interval))
		u.gone, u.why = start+int64(w.random.ExpFloat64()*100*month), silence.Unknown
		if at := start + int64(w.random.ExpFloat64()*900*month); at < u.gone {
			u.gone, u.why = at, silence.Contract
		}
		if u.operator == 7 && cutOff < u.gone {
			u.gone, u.why = cutOff, silence.Contract
		}
		if w.random.IntN(25) == 0 {
			u.fall = 0.5 + w.random.Float64()
		}
		u.bad = start + int64(w.random.ExpFloat64()*15*day)
		w.units = append(w.units, u)
	}
	return w
}

// reachable reports whether a contact comes through at a time.
func (w *town) reachable(u *unit, at int64) bool {
	for u.well <= at && u.bad <= at {
		u.well = u.bad + int64(w.random.ExpFloat64()*9*hour)
		if u.well > at {
			break
		}
		u.bad = u.well + int64(w.random.ExpFloat64()*15*day)
	}
	in := u.bad <= at && at < u.well
	if u.well <= at && u.bad <= at {
		u.bad = at + int64(w.random.ExpFloat64()*15*day)
	}
	if until := w.out[u.cell]; at < until && w.random.IntN(10) < 8 {
		return false
	}
	return !in && w.random.Float64() >= 0.03
}

// pass plays a day.
func (w *town) pass(today int64) {
	w.m.Pass(today)
	for c := range uint16(regions) {
		if w.random.IntN(40) == 0 {
			w.out[c+1] = today + int64(12+w.random.IntN(36))*hour
			w.rare[c+1] = [2]int64{today, w.out[c+1]}
		}
	}
	for i := range w.units {
		u := &w.units[i]
		if today == rolledOut && i%2 == 0 && u.gone > today {
			u.started = today + w.random.Int64N(day)
			if w.random.Float64() < harmed {
				u.gone, u.why = u.started, silence.Update
			}
		}
		if u.gone < today && u.why == silence.Contract && w.random.IntN(3) == 0 {
			u.refused++ // somebody tried to tell it something
		}
	}
	for now := today; now < today+day; now += hour {
		for i := range w.units {
			u := &w.units[i]
			if u.due < now+hour {
				w.speak(u)
			}
			if u.look < now+hour {
				w.m.Check(&u.d, now+hour)
				u.look = w.m.Next(&u.d, now+hour)
			}
		}
	}
}

// speak is a contact that a device owes.
func (w *town) speak(u *unit) {
	interval := int64(u.d.InForce().Interval)
	u.level -= u.fall * float64(interval) / day
	if u.level <= 5 && u.due < u.gone {
		u.gone, u.why = u.due, silence.Battery
	}
	if u.due < u.gone && w.reachable(u, u.due) {
		w.m.Contact(&u.d, u.due)
		u.refused, u.look = 0, w.m.Next(&u.d, u.due)
		u.levels = append(u.levels, silence.Level{At: u.due, Value: u.level + w.random.NormFloat64()})
		u.levels = u.levels[max(0, len(u.levels)-silence.LevelsMax):]
	}
	u.due += interval
}

// truth is why a device is silent.
func (w *town) truth(u *unit, now int64) silence.Class {
	if u.gone <= now {
		return u.why
	}
	if o := w.rare[u.cell]; o[1] > u.d.Last() && o[0] < now && now < o[1]+int64(u.d.InForce().Interval) {
		return silence.Outage
	}
	return silence.Late
}

// quiet is what a gateway knows.
func (w *town) quiet(u *unit, now int64, peers map[int][2]int) silence.Quiet {
	q := silence.Quiet{
		Now: now, Heard: true, Standing: w.m.Standing(&u.d, now),
		Power: silence.Power{Levels: u.levels, Empty: 5, Full: 100, Unit: "%"}, Card: silence.Card{Refused: u.refused, Operator: fmt.Sprint(u.operator)},
	}
	own, all := peers[u.operator], peers[-1]
	q.Card.Peers, q.Card.Silent, q.Card.Others, q.Card.Quiet = own[0], own[1], all[0]-own[0], all[1]-own[1]
	if st := &q.Standing; u.started != 0 && u.started <= now {
		q.Update = silence.Installation{Rollout: "1", Version: "2.0.0", Step: "confirmed", Since: u.started}
		if st.Last <= u.started {
			q.Update.Step = "installing"
		}
		if st.Last <= u.started {
			usual := st.Tail / (1 - min(st.Dead, 0.99))
			q.Update.Judged, q.Update.Suspect = true, harmed/(harmed+usual)
		}
	}
	return q
}

// What is claimed is true as often as claimed, and each reason that can be told apart is.
func TestCalibration(t *testing.T) {
	var matrix [silence.Classes][silence.Classes]int // by truth
	var claimed, right, looks [silence.Classes][4]float64
	w := settle(t, 11)
	for today := int64(start); today < start+150*day; today += day {
		w.pass(today)
		now := today + day
		if today < start+30*day || (today/day)%3 != 0 {
			continue
		}
		peers := make(map[int][2]int)
		for i := range w.units {
			u := &w.units[i]
			silent := 0
			if w.m.Standing(&u.d, now).Missed > 1 {
				silent = 1
			}
			for _, k := range []int{u.operator, -1} {
				n := peers[k]
				peers[k] = [2]int{n[0] + 1, n[1] + silent}
			}
		}
		for i := range w.units {
			u := &w.units[i]
			q := w.quiet(u, now, peers)
			if q.Standing.Missed == 0 || u.gone < now-30*day {
				continue // long dead ones would be counted again and again
			}
			f, truth := silence.Judge(&q), w.truth(u, now)
			matrix[truth][f.Class]++
			for c, p := range f.Shares {
				bin := min(int(p*4), 3)
				looks[c][bin]++
				claimed[c][bin] += p
				if silence.Class(c) == truth {
					right[c][bin]++
				}
			}
		}
	}
	var b strings.Builder
	for truth := range matrix {
		fmt.Fprintf(&b, "\n%-24s", silence.Class(truth))
		for c := range matrix[truth] {
			fmt.Fprintf(&b, "%8d", matrix[truth][c])
		}
	}
	for c := range looks {
		fmt.Fprintf(&b, "\n%-24s", silence.Class(c))
		for bin := range looks[c] {
			if n := looks[c][bin]; n > 0 {
				fmt.Fprintf(&b, "  %6.0f: %.2f %.2f", n, claimed[c][bin]/n, right[c][bin]/n)
			}
		}
	}
	t.Log(b.String())
	for c := range looks {
		if n := looks[c][3]; n >= 50 && (right[c][3] < claimed[c][3]-0.1*n || right[c][3] > claimed[c][3]+0.2*n) {
			t.Errorf("%s: of %.0f claims above 0.75, %.2f on average, %.2f were right", silence.Class(c), n, claimed[c][3]/n, right[c][3]/n)
		}
	}
	for _, c := range []silence.Class{silence.Late, silence.Outage, silence.Contract, silence.Battery, silence.Update, silence.Unknown} {
		all := 0
		for _, n := range matrix[c] {
			all += n
		}
		if found := matrix[c][c]; all < 200 || found*10 < all*8 {
			t.Errorf("%s: %d of %d were found", c, found, all)
		}
	}
}
