package silence_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/gateway/rollout/silence"
	"github.com/godwit-gateway/godwit/scheduler/presence"
)

// missed is a standing of a device that speaks once a day and was last heard so many days ago.
func missed(days int, tail, dead float64) presence.Standing {
	now := int64(start + 100*day)
	return presence.Standing{
		Class: presence.Late, Missed: days - 1, Dead: dead, Tail: tail, Hazard: 0.01, Last: now - int64(days)*day, Expected: now, Closes: now + hour, Interval: day, Link: "sms",
	}
}

// levels is a battery that was at a level now and has fallen so much a day, for twenty days.
func levels(last int64, level, fall float64) (out []silence.Level) {
	for i := range int64(20) {
		noise := []float64{0.3, -0.4, 0.1, 0.2, -0.2}[i%5]
		out = append(out, silence.Level{At: last - (19-i)*day, Value: level + fall*float64(19-i) + noise})
	}
	return out
}

func TestJudge(t *testing.T) {
	const now = start + 100*day
	quiet := func(st presence.Standing, change func(q *silence.Quiet)) silence.Quiet {
		q := silence.Quiet{Now: now, Heard: true, Standing: st}
		if change != nil {
			change(&q)
		}
		return q
	}
	soon, late, long := missed(1, 1, 1e-4), missed(3, 0.02, 0.005), missed(8, 1e-5, 0.99)
	outage := missed(3, 1, 0.001)
	outage.Covered, outage.Outage = 2, 0.9
	for _, tt := range []struct {
		name  string
		q     silence.Quiet
		class silence.Class
		least float64
		says  string
	}{
		{"nothing missed", quiet(soon, nil), silence.NotDue, 0.99, "the next contact is expected"},
		{"a few contacts", quiet(late, nil), silence.Late, 0.95, "2 contacts missed since"},
		{"many contacts", quiet(long, nil), silence.Unknown, 0.85, "7 contacts missed since"},
		{"taken out", quiet(long, func(q *silence.Quiet) { q.Retired = true }), silence.Retired, 1, "taken out of service"},
		{"never heard", quiet(long, func(q *silence.Quiet) { q.Heard = false }), silence.Unknown, 1, "never heard"},
		{"no interval", quiet(presence.Standing{Last: now - day}, nil), silence.Unknown, 1, "is not known"},
		{"its link is out", quiet(outage, nil), silence.Outage, 0.85, "2 of the contacts fall into an outage"},
		{"somebody says that its region is out", quiet(late, func(q *silence.Quiet) {
			q.Outages = []silence.Disturbance{{Where: "region 17", Since: now - 60*hour, Probability: 0.97}}
		}), silence.Outage, 0.9, "region 17 is out since"},
		{"an outage that was over before it owed anything", quiet(late, func(q *silence.Quiet) {
			q.Outages = []silence.Disturbance{{Where: "region 17", Since: now - 90*hour, Until: now - 60*hour, Probability: 0.97}}
		}), silence.Late, 0.95, "2 contacts missed since"},
		{"an outage long ago", quiet(long, func(q *silence.Quiet) {
			q.Outages = []silence.Disturbance{{Where: "region 17", Since: now - 7*day, Until: now - 6*day, Probability: 0.9}}
		}), silence.Unknown, 0.6, "region 17 was out from"},
		{"its network refuses it for good", quiet(late, func(q *silence.Quiet) { q.Card = silence.Card{Refused: 2, Code: "CMS 1: unassigned number"} }), silence.Contract, 0.7, "refused 2 of its downlinks for good (CMS 1"},
		{"refused in an outage", quiet(outage, func(q *silence.Quiet) { q.Card = silence.Card{Refused: 2} }), silence.Contract, 0.9, "fall into an outage"},
		{"refused, and dead for long", quiet(long, func(q *silence.Quiet) { q.Card = silence.Card{Refused: 1} }), silence.Contract, 0.6, "refused 1 of its downlinks"},
		{"all of its operator are silent", quiet(late, func(q *silence.Quiet) {
			q.Card = silence.Card{Operator: "+4670", Peers: 40, Silent: 38, Others: 200, Quiet: 6}
		}), silence.Contract, 0.9, "38 of 40 other devices of +4670 are silent too, of the others on the link 6 of 200"},
		{"as many of all operators are silent", quiet(late, func(q *silence.Quiet) {
			q.Card = silence.Card{Operator: "+4670", Peers: 40, Silent: 6, Others: 200, Quiet: 30}
		}), silence.Late, 0.9, "2 contacts missed since"},
		{"its battery ran out", quiet(long, func(q *silence.Quiet) {
			q.Power = silence.Power{Levels: levels(q.Standing.Last, 6, 1), Empty: 5, Full: 100, Unit: "%"}
		}), silence.Battery, 0.9, "fell by 1 % a day to 5.8 %"},
		{"its battery is full", quiet(long, func(q *silence.Quiet) {
			q.Power = silence.Power{Levels: levels(q.Standing.Last, 90, 0.01), Empty: 5, Full: 100, Unit: "%"}
		}), silence.Unknown, 0.85, "does not explain it"},
		{"it installed, and a verdict says that many are harmed", quiet(late, func(q *silence.Quiet) {
			q.Update = silence.Installation{Rollout: "7", Version: "2.0.0", Step: "installing", Since: q.Standing.Last, Judged: true, Suspect: 0.93}
		}), silence.Update, 0.9, "rollout 7 to 2.0.0: last at \"installing\""},
		{"it installed, and no verdict is there", quiet(long, func(q *silence.Quiet) {
			q.Update = silence.Installation{Rollout: "7", Step: "installing", Since: q.Standing.Last}
		}), silence.Update, 0.8, "last at \"installing\""},
		{"it ran the software for weeks", quiet(long, func(q *silence.Quiet) {
			q.Update = silence.Installation{Rollout: "7", Step: "confirmed", Since: q.Standing.Last - 20*day}
		}), silence.Unknown, 0.85, ""},
		{"a verdict that acquits", quiet(long, func(q *silence.Quiet) {
			q.Update = silence.Installation{Rollout: "7", Step: "installing", Since: q.Standing.Last, Judged: true, Suspect: 0.01}
		}), silence.Unknown, 0.85, ""},
		{"it was only offered", quiet(long, func(q *silence.Quiet) { q.Update = silence.Installation{Rollout: "7"} }), silence.Unknown, 0.85, ""},
		{"suspected, but its region is out", quiet(outage, func(q *silence.Quiet) {
			q.Update = silence.Installation{Rollout: "7", Step: "installing", Since: q.Standing.Last, Judged: true, Suspect: 0.5}
		}), silence.Outage, 0.85, "fall into an outage"},
		{"the network delivered something since", quiet(long, func(q *silence.Quiet) { q.Card.Delivered = now - hour }), silence.Unknown, 0, "it is on, and its card is good"},
	} {
		f := silence.Judge(&tt.q)
		if f.Class != tt.class || f.Probability < tt.least || !strings.Contains(strings.Join(f.Evidence, "\n"), tt.says) {
			t.Errorf("%s: %s with %.3f, want %s with %.2f and %q\n%v\n%s", tt.name, f.Class, f.Probability, tt.class, tt.least, tt.says, f.Shares, strings.Join(f.Evidence, "\n"))
		}
	}
	// It comes back: whatever was thought of it is over.
	q := quiet(soon, func(q *silence.Quiet) {
		q.Update = silence.Installation{Rollout: "7", Step: "confirmed", Since: now - day, Judged: true, Suspect: 0.9}
		q.Power = silence.Power{Levels: levels(now, 6, 1), Empty: 5, Full: 100}
	})
	if f := silence.Judge(&q); f.Class != silence.NotDue {
		t.Errorf("a device that was heard is taken for %s", f.Class)
	}
}

// drawn is any state of knowledge.
func drawn(t *rapid.T) silence.Quiet {
	share := rapid.Float64Range(0, 1)
	when := rapid.Int64Range(start, start+400*day)
	few := rapid.IntRange(0, 300)
	n := few.Draw(t, "missed")
	q := silence.Quiet{
		Now: when.Draw(t, "now"), Heard: rapid.IntRange(0, 9).Draw(t, "heard") > 0, Retired: rapid.IntRange(0, 9).Draw(t, "retired") == 0,
		Standing: presence.Standing{
			Missed: n, Covered: rapid.IntRange(0, n).Draw(t, "covered"), Dead: share.Draw(t, "dead"), Outage: share.Draw(t, "outage"), Tail: share.Draw(t, "tail"),
			Last: when.Draw(t, "last"), Interval: rapid.Uint32Range(0, 40*day).Draw(t, "interval"), Expected: presence.Never,
		},
		Power: silence.Power{Empty: share.Draw(t, "empty"), Full: share.Draw(t, "full")},
		Card: silence.Card{
			Refused: few.Draw(t, "refused"), Delivered: when.Draw(t, "delivered"), Peers: few.Draw(t, "peers"), Silent: few.Draw(t, "silent"), Others: few.Draw(t, "others"), Quiet: few.Draw(t, "quiet"),
		},
		Update: silence.Installation{
			Rollout: rapid.SampledFrom([]string{"", "7"}).Draw(t, "rollout"), Step: rapid.SampledFrom([]string{"", "installing", "confirmed", "declined", "12"}).Draw(t, "step"),
			Since: when.Draw(t, "since"), Judged: rapid.Bool().Draw(t, "judged"), Suspect: share.Draw(t, "suspect"),
		},
	}
	for range rapid.IntRange(0, 3).Draw(t, "outages") {
		q.Outages = append(q.Outages, silence.Disturbance{Where: "here", Since: when.Draw(t, "since"), Until: when.Draw(t, "until"), Probability: share.Draw(t, "p")})
	}
	for range rapid.IntRange(0, 30).Draw(t, "levels") {
		q.Power.Levels = append(q.Power.Levels, silence.Level{At: when.Draw(t, "at"), Value: rapid.Float64Range(-10, 200).Draw(t, "value")})
	}
	return q
}

// Probabilities sum to one whatever is known, the class is the largest, the same is said again, and each finding has its reasons.
func TestJudgeProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := drawn(t)
		f, sum := silence.Judge(&q), 0.0
		for _, p := range f.Shares {
			if !(p >= 0 && p <= 1) || p > f.Probability {
				t.Fatalf("%+v", f)
			}
			sum += p
		}
		again := silence.Judge(&q)
		switch {
		case math.Abs(sum-1) > 1e-9:
			t.Fatalf("they sum to %v", sum)
		case f.Shares[f.Class] != f.Probability || len(f.Evidence) == 0:
			t.Fatalf("%+v", f)
		case again.Shares != f.Shares || !slices.Equal(again.Evidence, f.Evidence):
			t.Fatal("it says something else the second time")
		}
		if q.Update.Rollout != "" && q.Update.Judged {
			q.Update.Suspect = min(1, q.Update.Suspect+0.2)
			if more := silence.Judge(&q); more.Shares[silence.Update] < f.Shares[silence.Update]-1e-9 {
				t.Fatalf("more suspicion gives it %v after %v", more.Shares[silence.Update], f.Shares[silence.Update])
			}
		}
	})
}

func TestClassNames(t *testing.T) {
	people, labels := make(map[string]bool), make(map[string]bool)
	for c := range silence.Class(silence.Classes) {
		if people[c.String()] || labels[c.Label()] || c.Label() == "" {
			t.Errorf("%d is %q and %q: as another class, or nothing", c, c, c.Label())
		}
		people[c.String()], labels[c.Label()] = true, true
	}
	if silence.Class(200).String() != "unknown" {
		t.Error(silence.Class(200).String())
	}
}

func BenchmarkJudge(b *testing.B) {
	q := silence.Quiet{Now: start + 100*day, Heard: true, Standing: missed(5, 1e-3, 0.3), Power: silence.Power{Levels: levels(start+95*day, 60, 1), Empty: 5, Full: 100}}
	b.ReportAllocs()
	for b.Loop() {
		if silence.Judge(&q).Class == silence.NotDue {
			b.Fatal("not due")
		}
	}
}
