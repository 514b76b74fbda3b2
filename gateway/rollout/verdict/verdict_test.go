package verdict_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/gateway/rollout/verdict"
	"github.com/godwit-gateway/godwit/scheduler/presence"
)

const (
	minute = 60
	hour   = 3600
	day    = 24 * hour
	start  = 1_700_000_100 // a multiple of five minutes
)

var links = []presence.Link{{Name: "cell", Grace: 2 * minute, Jitter: 50}, {Name: "sbd", Grace: 10 * minute, Jitter: 50}}

func config(groups int) verdict.Config {
	c := verdict.Config{Links: links, Bursts: []presence.Burst{{10 * minute, hour, 4 * hour, 12 * hour}}}
	for g := range groups {
		c.Groups = append(c.Groups, verdict.Group{Product: uint16(g)})
	}
	return c
}

// model is one that has seen devices miss a contact in fifty, two in a row in 250, three in 1000.
func model(t testing.TB) *presence.Model {
	t.Helper()
	m, err := presence.New(presence.Config{Links: links, Bursts: config(1).Bursts, Products: 4})
	if err != nil {
		t.Fatal(err)
	}
	missed := func(i int) int64 {
		switch {
		case i%1000 == 0:
			return 3
		case i%250 == 0:
			return 2
		case i%50 == 0:
			return 1
		default:
			return 0
		}
	}
	burst := config(1).Bursts[0]
	for l := range links {
		for _, every := range []uint32{hour, day} {
			for i := range 4000 {
				d := presence.NewDevice(start-day, presence.Policy{Interval: every, Link: uint8(l)}, 0, 0)
				m.Contact(&d, start-day+(missed(i)+1)*int64(every))
				d = presence.NewDevice(start-day, presence.Policy{Interval: day, Link: uint8(l)}, 0, 0)
				d.Burst(0, 0)
				m.Contact(&d, start-day+int64(burst[missed(i)]))
			}
		}
	}
	return m
}

func judge(t testing.TB, groups int) *verdict.Judge {
	t.Helper()
	j, err := verdict.New(start, config(groups), model(t))
	if err != nil {
		t.Fatal(err)
	}
	return j
}

var cell = verdict.Stratum{}

// update gives devices the update at a time.
func update(j *verdict.Judge, at int64, s verdict.Stratum, interval uint32, places ...verdict.Place) {
	j.Assign(at, places)
	for _, p := range places {
		j.Contact(at, p, s, interval)
		j.Start(at, p, 0, 0)
	}
}

func places(from, to verdict.Place) (all []verdict.Place) {
	for p := from; p < to; p++ {
		all = append(all, p)
	}
	return all
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-6*math.Abs(want)) {
		t.Errorf("%s is %.10g, want %.10g", what, got, want)
	}
}

// burst is the evidence of n devices that were heard and of one that is silent with a chance of c among the living; 1: there is none.
func burst(n int, c float64) float64 {
	sum := 0.0
	for _, q := range shareGrid {
		sum += math.Pow(1-q, float64(n)) * (q + (1-q)*c) / c
	}
	return sum / float64(len(shareGrid))
}

// TestBurst follows the evidence of a burst by hand.
func TestBurst(t *testing.T) {
	j, m := judge(t, 1), model(t)
	update(j, start, cell, day, places(0, 21)...)
	for p := range verdict.Place(20) {
		j.Contact(start+10*minute, p, cell, day)
	}
	e, _ := j.Evidence()
	near(t, "evidence after 20 were heard", e[verdict.Burst], burst(20, 1))
	lam := 3 * m.Attrition(0) / (30.4375 * day) // three times the deaths that are usual
	usual := func(k int) float64 { return m.BurstProbability(0, k) }
	alive, gap := 2*usual(1), float64(12*minute+1)
	dead := lam * gap
	j.Poll(start + 20*minute)
	e, _ = j.Evidence()
	near(t, "evidence after the first check", e[verdict.Burst], burst(20, alive+dead))
	dead += lam * alive * 50 * minute
	alive *= min(1.2*usual(2)/usual(1), 0.95)
	j.Poll(start + 70*minute)
	e, _ = j.Evidence()
	near(t, "evidence after the second check", e[verdict.Burst], burst(20, alive+dead))
	s, ok := j.Suspect(20)
	if !ok || s.Missed != 2 || s.Late || s.Last != start || s.Started != start || s.Update <= 0.5 || s.Update >= 1 {
		t.Errorf("suspicion %+v, %t", s, ok)
	}
	near(t, "attribution", s.Update, s.Harm/(s.Harm+(1-s.Harm)*s.Usual))
	j.Contact(start+80*minute, 20, cell, day)
	e, _ = j.Evidence()
	near(t, "evidence after all were heard", e[verdict.Burst], burst(21, 1))
	if _, ok := j.Suspect(20); ok {
		t.Error("a device that was heard is suspected")
	}
}

// TestNull adds up what all that can become of one device does to the evidence, if it is alive and misses contacts with the chances that were learned:
// the mean is not above 1.
func TestNull(t *testing.T) {
	m := model(t)
	at := []int64{0, 10 * minute, hour, 4 * hour, 12 * hour, day, 2 * day}
	mean := [verdict.Components]float64{}
	for heard := range len(at) + 1 { // in contact number heard; len(at): never
		j := judge(t, 1)
		update(j, start, cell, day, 0)
		p := m.BurstProbability(0, heard-1)
		switch {
		case heard == 0:
			continue
		case heard < len(at):
			p -= m.BurstProbability(0, heard)
			j.Contact(start+at[heard], 0, cell, day)
		default:
			j.Poll(start + 2*day + 4*hour)
		}
		e, _ := j.Evidence()
		mean[verdict.Burst] += p * e[verdict.Burst]
	}
	if e := mean[verdict.Burst]; e > 1 || e < 0.9 {
		t.Errorf("mean evidence of a burst without harm: %g, want at most 1, and not much less", e)
	}
}

// TestPairedNull adds up all numbers of silent devices, with a common probability, among three with the update and three without.
func TestPairedNull(t *testing.T) {
	choose := []float64{1, 3, 3, 1}
	found := [4][4]float64{}
	for d1 := range 4 {
		for d0 := range 4 {
			j := judge(t, 1)
			update(j, start, cell, hour, 0, 1, 2)
			for p := range verdict.Place(3) {
				j.Contact(start, 3+p, cell, hour)
			}
			for k := int64(1); k < 30; k++ {
				for p := d1; p < 3; p++ {
					j.Contact(start+k*hour, verdict.Place(p), cell, hour)
				}
				for p := d0; p < 3; p++ {
					j.Contact(start+k*hour, verdict.Place(3+p), cell, hour)
				}
			}
			j.Poll(start + 30*hour)
			v := j.Verdict()
			if v.Groups[0].Events != d1 {
				t.Fatalf("%d events, want %d", v.Groups[0].Events, d1)
			}
			found[d1][d0] = v.Evidence[verdict.Paired]
		}
	}
	for _, p := range []float64{0.01, 0.1, 0.5, 0.9} {
		mean := 0.0
		for d1 := range 4 {
			for d0 := range 4 {
				mean += choose[d1] * choose[d0] * math.Pow(p, float64(d1+d0)) * math.Pow(1-p, float64(6-d1-d0)) * found[d1][d0]
			}
		}
		if mean > 1+1e-9 || mean < 0.2 {
			t.Errorf("mean evidence without harm, if %g are silent: %g, want at most 1", p, mean)
		}
	}
	if found[3][0] < 2*found[0][0] || found[0][3] > found[0][0] {
		t.Errorf("evidence of three silent devices with the update %g, without it %g, of none %g", found[3][0], found[0][3], found[0][0])
	}
}

func TestHalt(t *testing.T) {
	j := judge(t, 4)
	harmed := verdict.Stratum{Group: verdict.Group{Product: 1}}
	update(j, start, cell, day, places(0, 100)...)
	update(j, start, harmed, day, places(100, 200)...)
	for p := range verdict.Place(190) {
		s := cell
		if p >= 100 {
			s = harmed
		}
		j.Contact(start+10*minute, p, s, day)
	}
	if v := j.Verdict(); v.Action != verdict.Continue || v.Hold {
		t.Errorf("%s, held: %t, before anything was missed", v.Action, v.Hold)
	}
	j.Poll(start + 13*hour)
	v := j.Verdict()
	if v.Action != verdict.Halt || !v.Hold || v.By != verdict.Burst || v.Halted <= start || v.Halted > start+13*hour || j.Halted() != v.Halted {
		t.Fatalf("verdict %+v", v)
	}
	if g := v.Groups[1]; g.Halted == 0 || g.Started != 100 || g.Resolved != 90 || math.Abs(g.Harm-0.1) > 0.05 {
		t.Errorf("harmed group %+v", g)
	}
	if g := v.Groups[0]; g.Halted != 0 || g.Harm > 0.005 || g.Resolved != 100 {
		t.Errorf("group that was spared %+v", g)
	}
	if all := strings.Join(v.Reasons, "; "); !strings.Contains(all, "100") || !strings.Contains(all, "right after the update") || !strings.Contains(all, "product 1 from version 0: is to be halted by itself") {
		t.Errorf("reasons: %s", all)
	}
	j.Override(start + 13*hour)
	if v := j.Verdict(); v.Action == verdict.Halt || v.Threshold != 200 || v.Overrides != 1 || v.Groups[1].Halted != 0 {
		t.Errorf("after an override %+v", v)
	}
	update(j, start+14*hour, harmed, day, places(200, 210)...)
	j.Poll(start + 40*hour)
	if v := j.Verdict(); v.Action != verdict.Halt {
		t.Errorf("ten more silent devices after an override: %s", v.Action)
	}
}

// TestVeto: what is missed while a link is out is no evidence, whether the caller says so or the controls do.
func TestVeto(t *testing.T) {
	for _, told := range []bool{true, false} {
		j := judge(t, 1)
		every := uint32(2 * hour)
		for p := range verdict.Place(200) {
			j.Contact(start, 1000+p, cell, every)
		}
		if told {
			j.Veto(start, 0, true)
		} else { // the controls owe a contact in two hours that none of them makes
			j.Poll(start + 3*hour)
		}
		update(j, start+3*hour, cell, every, places(0, 20)...)
		j.Poll(start + 3*hour + 70*minute)
		if e, _ := j.Evidence(); e[verdict.Burst] != 1 {
			t.Errorf("told %t: evidence of %g during an outage", told, e[verdict.Burst])
		}
		if s, ok := j.Suspect(0); !ok || s.Usual != 1 || s.Update > 0.1 {
			t.Errorf("told %t: suspicion %+v, %t", told, s, ok)
		}
	}
}

func TestReports(t *testing.T) {
	j := judge(t, 1)
	update(j, start, cell, day, places(0, 50)...)
	for p := range verdict.Place(50) {
		j.Contact(start+10*minute, p, cell, day)
		j.Report(start+10*minute, p, p < 10)
		j.Report(start+10*minute, p, true) // the second word does not count
	}
	j.Report(start+10*minute, 99, true) // it is not known
	want := 0.0
	for _, q := range shareGrid {
		want += math.Pow((0.005+q*0.995)/0.005, 10) * math.Pow(1-q, 40) / 5
	}
	v := j.Verdict()
	near(t, "evidence of 10 failures among 50", v.Evidence[verdict.Failure], want)
	j.Poll(start + hour)
	if v = j.Verdict(); v.Action != verdict.Halt || v.By != verdict.Failure || v.Groups[0].Failed != 10 {
		t.Errorf("verdict %+v", v)
	}
}

// TestPromote: two days of living devices speak for the next wave.
func TestPromote(t *testing.T) {
	j := judge(t, 1)
	update(j, start, cell, hour, places(0, 300)...)
	for p := range verdict.Place(300) {
		j.Contact(start+10*minute, p, cell, hour)
	}
	for k := int64(1); k <= 60; k++ {
		for p := range verdict.Place(300) {
			j.Contact(start+k*hour, p, cell, hour)
		}
		v := j.Verdict()
		if k < 48 && (v.Action != verdict.Continue || !v.Hold) || k > 48 && (v.Action != verdict.Promote || v.Hold) {
			t.Fatalf("%s, held: %t, after %d hours: %v", v.Action, v.Hold, k, v.Reasons)
		}
	}
}

// A device that is tried again after a failure is judged as at first: what the second try silences is seen, and what it reports counts.
func TestSecondTry(t *testing.T) {
	j := judge(t, 1)
	for p := range verdict.Place(120) {
		j.Contact(start, p, cell, hour)
	}
	update(j, start, cell, hour, places(0, 60)...)
	for p := range verdict.Place(60) {
		j.Report(start+minute, p, true)
	}
	j.Poll(start + hour)
	if j.Halted() == 0 {
		t.Fatal("60 failures halt nothing")
	}
	j.Override(start + hour)
	for p := range verdict.Place(120) {
		j.Contact(start+hour, p, cell, hour)
	}
	for p := range verdict.Place(60) {
		j.Start(start+hour, p, 0, 0)
	}
	j.Report(start+hour+minute, 0, true)
	if v := j.Verdict(); v.Groups[0].Started != 60 || v.Groups[0].Failed != 61 {
		t.Errorf("%+v", v.Groups[0])
	}
	for k := int64(2); k < 24 && j.Halted() == 0; k++ {
		for p := verdict.Place(60); p < 120; p++ {
			j.Contact(start+k*hour, p, cell, hour)
		}
	}
	if v := j.Verdict(); v.Action != verdict.Halt || v.By == verdict.Failure {
		t.Errorf("all are silent: %s by %s, %v", v.Action, v.By, v.Reasons)
	}
	if s, ok := j.Suspect(1); !ok || s.Update < 0.9 {
		t.Errorf("%+v, %t", s, ok)
	}
}

func TestLeave(t *testing.T) {
	j := judge(t, 1)
	update(j, start, cell, hour, places(0, 30)...)
	for p := range verdict.Place(30) {
		j.Leave(start+minute, p)
	}
	j.Leave(start, 99)
	j.Poll(start + 30*day)
	v := j.Verdict()
	if e := v.Evidence; e[verdict.Burst] != 1 || e[verdict.Historic] != 1 || v.Groups[0].Events != 0 || v.Action != verdict.Continue {
		t.Errorf("devices that left are missed: %+v", v)
	}
	j.Contact(start+30*day, 0, cell, hour)
	j.Start(start+30*day, 0, 0, 0)
	j.Poll(start + 60*day)
	if _, ok := j.Suspect(0); ok {
		t.Error("a device that left is suspected")
	}
}

// TestSameContact: what comes in the contact that delivered the update is no sign of life after it.
func TestSameContact(t *testing.T) {
	j := judge(t, 1)
	update(j, start, cell, day, 0)
	j.Contact(start, 0, cell, day)
	j.Poll(start + 13*hour)
	if v := j.Verdict(); v.Groups[0].Resolved != 0 {
		t.Errorf("%d devices were heard after the update, want none", v.Groups[0].Resolved)
	}
	if s, ok := j.Suspect(0); !ok || s.Missed != 4 {
		t.Errorf("suspicion %+v, %t, want four missed contacts", s, ok)
	}
}

func TestConfig(t *testing.T) {
	m := model(t)
	for name, change := range map[string]func(c *verdict.Config){
		"no links":        func(c *verdict.Config) { c.Links = nil },
		"no groups":       func(c *verdict.Config) { c.Groups = nil },
		"a group twice":   func(c *verdict.Config) { c.Groups = append(c.Groups, c.Groups[0]) },
		"alpha":           func(c *verdict.Config) { c.Alpha = 1 },
		"not a number":    func(c *verdict.Config) { c.Beta = math.NaN() },
		"below 0":         func(c *verdict.Config) { c.Failures = -0.1 },
		"a burst goes on": func(c *verdict.Config) { c.Bursts[0] = slices.Repeat([]uint32{1}, 17) },
		"burst unordered": func(c *verdict.Config) { c.Bursts[0] = presence.Burst{hour, minute} },
	} {
		c := config(2)
		change(&c)
		if _, err := verdict.New(start, c, m); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// A group that is set aside decides nothing for the others any more, before and after a restart; an override brings it back.
func TestSetAside(t *testing.T) {
	j := judge(t, 3)
	at := int64(start + 10*day)
	group := func(g int) verdict.Stratum { return verdict.Stratum{Group: verdict.Group{Product: uint16(g)}} }
	for g := range 3 {
		for p := range uint32(60) {
			update(j, at, group(g), hour, uint32(100*g)+p)
		}
	}
	for p := range uint32(60) {
		for g := range 3 {
			place := uint32(100*g) + p
			j.Contact(at+10*minute, place, group(g), hour)
			j.Report(at+10*minute, place, g == 1 && p%2 == 0)
		}
	}
	j.Poll(at + hour)
	before := j.Verdict()
	if before.Groups[1].Halted == 0 || before.Average < 5 {
		t.Fatalf("%+v", before)
	}
	j.SetAside(at+hour, verdict.Group{Product: 9}) // that is none of the rollout's
	j.SetAside(at+hour, group(1).Group)
	for _, x := range []*verdict.Judge{j, restored(t, j)} {
		if v := x.Verdict(); v.Average >= 1 || v.Groups[1].Evidence != before.Groups[1].Evidence || !v.Groups[1].Aside || v.Groups[0].Aside {
			t.Errorf("%+v", v)
		}
		x.Override(at + hour)
		if v := x.Verdict(); v.Groups[1].Aside {
			t.Errorf("%+v", v)
		}
	}
}

// A device whose wave opened before anything was heard of it is no control once it is heard, whatever is written and read back in between: what becomes of
// it until it has the update says nothing of those that were left without.
func TestAssignedBeforeItWasHeard(t *testing.T) {
	play := func(extra int, between func(*verdict.Judge) *verdict.Judge) verdict.Verdict {
		j := judge(t, 1)
		early := places(1000, 1000+verdict.Place(extra))
		j.Assign(start, early)
		j = between(j)
		for _, p := range early { // and then they are silent
			j.Contact(start+hour, p, cell, hour)
		}
		update(j, start+hour, cell, hour, places(0, 30)...)
		for k := int64(1); k < 5*24; k++ {
			for p := range verdict.Place(100) {
				j.Contact(start+k*hour+10*minute, p, cell, hour)
			}
		}
		return j.Verdict()
	}
	same := func(j *verdict.Judge) *verdict.Judge { return j }
	want := play(0, same)
	for name, between := range map[string]func(*verdict.Judge) *verdict.Judge{
		"at once": same, "read back": func(j *verdict.Judge) *verdict.Judge { return restored(t, j) },
	} {
		if got := play(60, between); got.Groups[0] != want.Groups[0] || got.Evidence != want.Evidence {
			t.Errorf("%s: %+v, %v; without them %+v, %v", name, got.Groups[0], got.Evidence, want.Groups[0], want.Evidence)
		}
	}
}
