package codec_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// packedCase is a vector of a delta or a batch.
type packedCase struct {
	name, spec, comment string
	tm                  *codec.Template
	ref                 time.Time
	base                []string // header and plaintext, oldest first
	header              byte
	input               []byte
	expect              string   // "" for ok
	results             []string // instead of those of the table: the state, then statuses
}

func (m *maker) packed(c *packedCase) {
	m.t.Helper()
	h := []string{
		"template: " + hex.EncodeToString(c.tm.Canonical()), "reference: " + c.ref.UTC().Format(time.RFC3339), fmt.Sprintf("header: %02x", c.header),
	}
	if len(c.base) > 0 {
		h = append(h, "base: "+strings.Join(c.base, " "))
	}
	operation := "delta"
	if c.header>>6 == 2 {
		operation = "batch"
	}
	expect := "ok"
	if c.expect != "" {
		expect = c.expect
	} else {
		want := c.results
		if want == nil {
			want = results[operation+"-"+c.name]
		}
		if len(want) < 2 {
			m.t.Fatalf("no results of %s", c.name)
		}
		for _, s := range want[1:] {
			h = append(h, "status: "+s)
		}
		h = append(h, "state: "+want[0])
	}
	m.add(operation+"-"+c.name, c.spec, expect, c.comment, operation, c.input, h...)
}

// frameOf is a link of a chain of bases.
func frameOf(header byte, plaintext []byte) string { return fmt.Sprintf("%02x:%x", header, plaintext) }

// deltaOf is a link that is one counter behind the one before it.
func deltaOf(decisions string) string { return frameOf(0x01, refPacked(decisions).bytes()) }

// times writes a decision out so many times.
func times(n int, decision string) string { return strings.Repeat(decision+" ", n) }

// coded is the template of the vectors about predictors: an interval, classes of several orders.
func coded(tb testing.TB) *codec.Template {
	tb.Helper()
	t, err := codec.NewTemplate(codec.Timing{Interval: 600, Coding: codec.Coding{Order: 2, Spread: 3}}, []codec.Field{
		{ID: 1, Name: "level", Unit: "mm", Scale: codec.Decimal{Coef: 1}, Width: 12},
		{ID: 2, Name: "uptime", Unit: "s", Scale: codec.Decimal{Coef: 60}, Width: 16, Predictor: codec.PredictElapsed},
		{ID: 3, Name: "tide", Unit: "cm", Scale: codec.Decimal{Coef: 1}, Offset: -200, Width: 10, Predictor: codec.PredictTrend, Coding: codec.Coding{Order: 1, Spread: 1}},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// trained has a model in which each decision has an index of its own: 16 and its offset.
func trained(tb testing.TB) *codec.Template {
	tb.Helper()
	own := make([]byte, codec.ModelLen)
	for i := range own {
		own[i] = byte(16 + i)
	}
	t, err := codec.NewTemplate(codec.Timing{Unit: codec.Minutes, Interval: 10, Coding: codec.Coding{Order: 1, Spread: 2, Model: own}}, []codec.Field{
		{ID: 1, Name: "level", Scale: codec.Decimal{Coef: 1}, Width: 16, Coding: codec.Coding{Order: 3, Spread: 2, Model: own}},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// joined has fields that move along with the one before, and one that is counted from zero.
func joined(tb testing.TB) *codec.Template {
	tb.Helper()
	t, err := codec.NewTemplate(codec.Timing{Interval: 600}, []codec.Field{
		{ID: 1, Name: "level", Unit: "mm", Scale: codec.Decimal{Coef: 1}, Width: 12},
		{ID: 2, Name: "twin", Unit: "mm", Scale: codec.Decimal{Coef: 1}, Width: 12, Predictor: codec.PredictAlong},
		{ID: 3, Name: "door", Scale: codec.Decimal{Coef: 1}, Width: 6, Predictor: codec.PredictZero},
		{ID: 4, Name: "warmth", Scale: codec.Decimal{Coef: 1}, Width: 8, Predictor: codec.PredictAlong},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// elapsed counts in steps of 7 ms.
func elapsed(tb testing.TB) *codec.Template {
	tb.Helper()
	t, err := codec.NewTemplate(codec.Timing{}, []codec.Field{
		{ID: 1, Name: "run", Unit: "s", Scale: codec.Decimal{Coef: 7, Exp: -3}, Width: 30, Predictor: codec.PredictElapsed, Coding: codec.Coding{Order: 4, Spread: 4}},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

func (m *maker) deltas() {
	for _, c := range slices.Concat(m.plainDeltas(), m.timeDeltas(), m.codedDeltas(), m.joinedDeltas(), m.groupDeltas(), m.wideDeltas(), m.refusedDeltas(), m.batches(), m.refusedBatches()) {
		m.packed(&c)
	}
}

// Of the template of one field in minutes: a keyframe 20 minutes ago, one status after it that told the interval, and what stays as it is.
const (
	still     = "55/0 37/0 "                                                     // measured and as predicted, after no move
	told      = "55/0 37/1 32/0 35/1 35/1 36/1 36/0 33/0 2:2 | 55/0 37/0 | 56/0" // 10 minutes of which nothing was known: class 3, of 8 to 15 the third
	unchanged = still + "| " + still + "| 56/0"
)

func plainBase(level int64) string {
	return frameOf(0x40, bitString(bitTime(16, testReference().Unix()/60-20), u(12, level), "0"))
}

// level makes a delta of the plain template whose clock is as expected, on a chain that knows the interval.
func (m *maker) level(name, comment, decisions string, before ...string) packedCase {
	m.t.Helper()
	return packedCase{
		name: name, spec: "F-133", comment: comment, tm: plainTemplate(m.t), ref: testReference(), header: 0x01,
		base:  append([]string{plainBase(7), deltaOf(told)}, before...),
		input: refPacked(decisions).bytes(),
	}
}

func (m *maker) plainDeltas() []packedCase {
	up := still + "| 55/0 37/1 32/0 35/0 | 56/0"
	up3 := still + "| 55/0 37/1 32/0 35/1 35/0 33/1 | 56/0" // class 1 are 2 and 3
	never := frameOf(0x40, bitString(bitTime(16, testReference().Unix()/60-20), u(12, 4095), "0"))
	receipt := m.level("rare-policy", "a receipt of a policy", unchanged[:len(unchanged)-1]+"1 6:1 1:0 1:0 1:1 8:1")
	receipt.spec = "F-036 F-133"
	cases := []packedCase{
		m.level("nothing-new", "a status as expected has no bytes", unchanged),
		m.level("step-up", "a step up", up),
		m.level("step-down", "a step down", still+"| 55/0 37/1 32/1 35/0 | 56/0"),
		m.level("small-move", "after a move of one step: activity 1, upwards", still+"| 55/0 30/1 32/0 33/0 | 56/0", deltaOf(up)),
		m.level("middling-move", "after a move of three steps: activity 2", still+"| 55/0 26/1 32/1 31/0 | 56/0", deltaOf(up3)),
		m.level("large-move", "after a move of more than a hundred steps: activity 3, downwards", still+"| 55/0 24/1 32/0 29/1 29/1 30/0 33/0 1:1 | 56/0",
			deltaOf(still+"| 55/0 37/1 32/0 "+times(2, "35/1")+times(2, "36/1")+times(2, "37/1")+times(2, "38/1")+"38/0 33/0 7:5 | 56/0"),
			deltaOf(still+"| 55/0 24/1 32/1 29/1 29/1 30/1 30/1 31/1 31/1 32/0 33/1 5:5 | 56/0")),
		m.level("no-move", "after a move it stays: the move is 0 again", still+"| 55/0 30/0 | 56/0", deltaOf(up)),
		m.level("saturated", "a jump to the highest code: class 11", still+"| 55/0 37/1 32/0 "+times(2, "35/1")+times(2, "36/1")+times(2, "37/1")+times(5, "38/1")+"38/0 33/1 10:1015 | 56/0"),
		m.level("lowest", "down to 0", still+"| 55/0 37/1 32/1 35/1 35/1 36/0 33/1 1:1 | 56/0"),
		m.level("not-measured", "a field that was measured is not", still+"| 55/1 | 56/0"),
		m.level("not-measured-again", "and again is not", still+"| 44/0 | 56/0", deltaOf(up), deltaOf(still+"| 55/1 | 56/0")),
		m.level("measured-again", "it is measured again and counted from its last value, in the activity of its last move", still+"| 44/1 30/1 32/1 33/0 | 56/0", deltaOf(up), deltaOf(still+"| 55/1 | 56/0")),
		m.level("rare-zeros", "a rare block of zeros", unchanged[:len(unchanged)-1]+"1 6:0 1:0 1:0 1:0"),
		m.level("rare-index", "a release of the table", unchanged[:len(unchanged)-1]+"1 6:5 1:0 1:0 1:0"),
		m.level("rare-boot", "a restart", unchanged[:len(unchanged)-1]+"1 6:62 1:1 1:0 1:0"),
		m.level("rare-build", "a build that is in no table", unchanged[:len(unchanged)-1]+"1 6:63 32:3735928559 1:0 1:0 1:0"),
		m.level("rare-step", "a step of an update", unchanged[:len(unchanged)-1]+"1 6:1 1:0 1:1 4:3 8:200 1:0"),
		m.level("rare-all", "a rare block with all that it may have", unchanged[:len(unchanged)-1]+"1 6:63 32:4294967295 1:1 1:1 4:15 8:255 1:1 8:255"),
		receipt,
	}
	first := m.level("never-measured", "a field that was never measured has all its bits", unchanged)
	first.base, first.input = []string{never}, refPacked("55/0 37/1 32/0 35/1 35/1 36/1 36/0 33/0 2:2 | 44/1 12:100 | 56/0").bytes()
	none := m.level("never-measured-yet", "a field that was never measured stays so", unchanged)
	none.base, none.input = []string{never}, refPacked("55/0 37/1 32/0 35/1 35/1 36/1 36/0 33/0 2:2 | 44/0 | 56/0").bytes()
	measured := m.level("measured-first", "after its first value a field has not moved", unchanged)
	measured.base = []string{never, deltaOf("55/0 37/1 32/0 35/1 35/1 36/1 36/0 33/0 2:2 | 44/1 12:100 | 56/0")}
	measured.input = refPacked(still + "| 55/0 37/1 32/1 35/0 | 56/0").bytes()
	return append(cases, first, none, measured)
}

func (m *maker) timeDeltas() []packedCase {
	field := "| 55/0 37/0 | 56/0"
	unsure := "55/1 " + field
	// A residual of ten after activity 0: class 3.
	ten := "55/0 37/1 32/0 35/1 35/1 36/1 36/0 33/0 2:2 "
	cases := []packedCase{
		m.level("time-late", "two minutes late", "55/0 37/1 32/0 35/1 35/0 33/0 "+field),
		m.level("time-early", "three minutes early", "55/0 37/1 32/1 35/1 35/0 33/1 "+field),
		m.level("time-after-late", "after two minutes late: activity 2, upwards; now two early", "55/0 26/1 32/1 31/1 31/0 33/0 "+field,
			deltaOf("55/0 37/1 32/0 35/1 35/0 33/0 "+field)),
		m.level("time-gap", "one status was lost: the interval stays", ten+field),
		m.level("time-after-gap", "early after a gap: activity 3, upwards", "55/0 24/1 32/1 29/1 29/1 30/0 33/0 1:0 "+field, deltaOf(ten+field)),
		m.level("time-gap-over", "on time after a gap: it is forgotten", "55/0 24/0 "+field, deltaOf(ten+field)),
		m.level("time-new-interval", "the same step twice is the interval", "55/0 24/1 32/0 29/1 29/1 30/1 30/0 33/0 2:2 "+field, deltaOf(ten+field)),
		m.level("time-new-interval-used", "a learned interval is expected", "55/0 24/0 "+field,
			deltaOf(ten+field), deltaOf("55/0 24/1 32/0 29/1 29/1 30/1 30/0 33/0 2:2 "+field)),
		m.level("time-same", "two statuses of one minute teach no interval", "55/0 37/1 32/1 35/1 35/1 36/1 36/0 33/0 2:2 "+field),
		m.level("time-backwards", "the clock was set back by an hour", "55/0 37/1 32/1 "+times(2, "35/1")+times(2, "36/1")+times(2, "37/1")+"38/0 33/0 5:6 "+field),
		m.level("clock-lost", "the clock is lost: time goes on as expected", unsure),
		m.level("clock-lost-still", "it stays lost, which is turned again: a time is known", unsure, deltaOf(unsure)),
		m.level("clock-found", "it is found: counted from where time went", "55/0 37/1 32/0 35/0 "+field, deltaOf(unsure), deltaOf(unsure)),
		m.level("time-earliest", "a quarter of the window early", "55/0 37/1 32/1 "+times(2, "35/1")+times(2, "36/1")+times(2, "37/1")+times(8, "38/1")+"38/0 33/0 13:0 "+field),
		m.level("time-latest", "as late as can be", "55/0 37/1 32/0 "+times(2, "35/1")+times(2, "36/1")+times(2, "37/1")+times(9, "38/1")+"38/0 33/0 14:16383 "+field),
	}
	unknown := frameOf(0x40, bitString("0", u(12, 7), "0"))
	now := fmt.Sprintf("44/1 16:%d ", testReference().Unix()/60&0xffff)
	for _, c := range []struct{ name, comment, decisions string }{
		{"clock-never", "a clock that was never sure", "44/0 "},
		{"clock-first", "its first time has all its bits", now},
	} {
		p := m.level(c.name, c.comment, unchanged)
		p.base, p.input = []string{unknown}, refPacked(c.decisions+field).bytes()
		cases = append(cases, p)
	}
	first := m.level("interval-first", "without an interval the first step is it", told)
	first.base = first.base[:1]
	cases = append(cases, first)
	for _, c := range []struct {
		name, comment string
		header        byte
		explicit      []byte
		decisions     string
	}{
		{"distance-2", "the base is two counters before: twice the interval is expected", 2, nil, still},
		{"distance-6", "the furthest base without a byte; 65 minutes are 10 a status, rounded down", 6, nil, "55/0 37/1 32/0 35/1 35/1 36/0 33/0 1:1 "},
		{"distance-6-learns", "71 minutes are 11 a status", 6, nil, "55/0 37/1 32/0 35/1 35/1 36/1 36/0 33/0 2:3 "},
		{
			"distance-6-backwards", "five minutes before the base: a step of 0, rounded towards zero", 6, nil,
			"55/0 37/1 32/1 " + times(2, "35/1") + times(2, "36/1") + times(2, "37/1") + "38/0 33/0 5:1 ",
		},
		{"distance-7", "a byte says how far the base is", 7, []byte{7}, still},
		{"distance-32", "the furthest base", 7, []byte{32}, still},
		{"distance-32-moved", "the furthest base and a time that is late", 7, []byte{32}, "55/0 37/1 32/0 35/0 "},
	} {
		p := m.level(c.name, c.comment, c.decisions+field)
		p.spec, p.header, p.input, p.ref = "F-130 F-133", c.header, append(c.explicit, p.input...), testReference().Add(6*time.Hour)
		cases = append(cases, p)
	}
	wrap := m.level("time-wrap", "the time begins anew at 0", unchanged)
	start := int64(451*65536 - 15) // minutes
	wrap.ref = time.Unix((start+25)*60, 0)
	wrap.base = []string{frameOf(0x40, bitString(bitTime(16, start), u(12, 7), "0")), deltaOf(told)}
	return append(cases, wrap)
}

// codedBase is a keyframe of the template with predictors, ten minutes ago.
func codedBase(level, uptime, tide int64) string {
	return frameOf(0x40, bitString(bitTime(20, testReference().Unix()-600), u(12, level), u(16, uptime), u(10, tide), "0"))
}

func (m *maker) codedDeltas() []packedCase {
	one := func(name, comment string, base []string, decisions string) packedCase {
		return packedCase{
			name: name, spec: "F-133", comment: comment, tm: coded(m.t), ref: testReference().Add(time.Hour), header: 0x01, base: base,
			input: refPacked(decisions).bytes(),
		}
	}
	base := []string{codedBase(100, 500, 300)}
	rising := deltaOf(still + "|" + still + "|" + still + "| 55/0 37/1 32/0 35/1 35/0 33/1 1:0 | 56/0") // of order 1, class 1 are 3 to 6: 5
	cases := []packedCase{
		one("elapsed", "the interval of the template is expected, and a time that runs with it", base, still+"|"+still+"|"+still+"|"+still+"| 56/0"),
		one("elapsed-late", "a time that runs by ten and a half minutes, rounded down", base, "55/0 37/1 32/0 35/1 35/1 36/1 36/0 33/0 4:1 |"+still+"|"+still+"|"+still+"| 56/0"),
		one("elapsed-reboot", "a restart: it begins anew", base,
			still+"|"+still+"| 55/0 37/1 32/1 "+times(2, "35/1")+times(2, "36/1")+times(2, "37/1")+times(2, "38/1")+"38/0 33/1 7:124 |"+still+"| 56/1 6:0 1:1 1:0"),
		one("elapsed-backwards", "the clock went back by half a minute: a minute less, rounded down", base,
			"55/0 37/1 32/1 "+times(2, "35/1")+times(2, "36/1")+times(2, "37/1")+times(1, "38/1")+"38/0 33/0 8:121 |"+still+"|"+still+"|"+still+"| 56/0"),
		one("elapsed-unsure", "without a clock what is expected has passed", base, "55/1 |"+still+"|"+still+"|"+still+"| 56/0"),
		one("trend", "what rose by five is expected to rise by five", append(base, rising), still+"|"+still+"|"+still+"| 55/0 26/0 | 56/0"),
		one("trend-ends", "a trend that ends: the residual of -5 has class 1 of order 1", append(base, rising), still+"|"+still+"|"+still+"| 55/0 26/1 32/1 31/1 31/0 33/1 1:0 | 56/0"),
		one("trend-top", "a trend ends at the highest value", []string{codedBase(100, 500, 1015), rising}, still+"|"+still+"|"+still+"| 55/0 26/0 | 56/0"),
		one("trend-below", "a trend ends at the lowest value; less is moved than the trend says", []string{codedBase(100, 500, 7), deltaOf(still + "|" + still + "|" + still +
			"| 55/0 37/1 32/1 35/1 35/0 33/1 1:0 | 56/0")}, still+"|"+still+"|"+still+"| 55/0 26/0 | 56/0"),
		one("elapsed-top", "an elapsed time ends at the highest value", []string{codedBase(100, 65530, 300)}, still+"|"+still+"|"+still+"|"+still+"| 56/0"),
	}
	unsure := frameOf(0x40, bitString("0", u(12, 100), u(16, 500), u(10, 300), "0"))
	distant := one("elapsed-never", "without any clock the interval has passed, three times for a base of three counters", []string{unsure}, "44/0 |"+still+"|"+still+"|"+still+"| 56/0")
	distant.header = 3
	cases = append(cases, distant,
		one("elapsed-first", "with the first time nothing has passed; the interval stays", []string{unsure},
			fmt.Sprintf("44/1 20:%d |", testReference().Unix()&(1<<20-1))+still+"|"+still+"|"+still+"| 56/0"))
	fine := packedCase{
		name: "elapsed-fine", spec: "F-133", comment: "steps of 7 ms: 60 s are 8571", tm: elapsed(m.t), ref: testReference(), header: 0x01,
		base:  []string{frameOf(0x40, bitString(bitTime(20, testReference().Unix()-60), u(30, 1000), "0"))},
		input: refPacked("55/0 37/1 32/0 " + times(2, "35/1") + times(2, "36/1") + "37/1 37/0 33/1 4:12 |" + still + "| 56/0").bytes(),
	}
	cases = append(cases, fine)
	own := packedCase{
		spec: "F-133", tm: trained(m.t), ref: testReference().Add(time.Hour), header: 0x01,
		base: []string{frameOf(0x40, bitString(bitTime(16, testReference().Unix()/60-10), u(16, 1000), "0"))},
	}
	for _, c := range []struct{ name, comment, decisions string }{
		{"model", "each decision has its index: turned 16, moved 18, minus 22", "16/0 18/1 22/0 25/0 1:1 | 16/0 18/1 22/1 25/1 26/0 57/1 3:2 | 56/0"},
		{"model-classes", "more 25 to 32 and half 57 to 62; higher classes have the last of them", "16/0 18/0 | 16/0 18/1 22/0 " +
			"25/1 26/1 27/1 28/1 29/1 30/1 31/1 32/1 32/1 32/0 62/1 11:1234 | 56/0"},
		{"model-half", "class 6 has half 62", "16/0 18/0 | 16/0 18/1 22/1 25/1 26/1 27/1 28/1 29/1 30/1 31/0 62/0 8:9 | 56/0"},
		{"model-not", "not measured", "16/1 | 16/1 | 56/0"},
	} {
		p := own
		p.name, p.comment, p.input = c.name, c.comment, refPacked(c.decisions).bytes()
		cases = append(cases, p)
	}
	after := own
	after.name, after.comment = "model-after", "after moves: time late by 2 of a spread of 4, the field down by 19 of 4 and 16: activity 1 and 3"
	after.base = append(after.base, deltaOf("16/0 18/1 22/0 25/0 1:1 | 16/0 18/1 22/1 25/1 26/0 57/1 3:2 | 56/0"))
	after.input = refPacked("16/0 19/1 24/1 33/0 1:0 | 16/0 21/1 23/0 49/1 50/0 57/0 3:7 | 56/0").bytes()
	middling := own
	middling.name, middling.comment = "model-middling", "after a move of 14: activity 2, upwards; after not measured the first context is another"
	middling.base = append(middling.base, deltaOf("16/1 | 16/0 18/1 22/0 25/1 26/0 57/0 3:5 | 56/0"), deltaOf("16/0 18/0 | 16/1 | 56/0"))
	middling.input = refPacked("16/0 18/0 | 17/1 20/1 24/1 41/1 42/1 43/0 58/0 4:15 | 56/0").bytes()
	return append(cases, after, middling)
}

func (m *maker) joinedDeltas() []packedCase {
	base := func(level, twin, door int64) string {
		return frameOf(0x40, bitString(bitTime(20, testReference().Unix()-600), u(12, level), u(12, twin), u(6, door), u(8, 50), "0"))
	}
	four := "| 55/0 37/1 32/0 35/1 35/1 36/0 33/0 1:0 |" // of order 0, class 2 are 4 to 7
	opened := deltaOf(still + "|" + still + "|" + still + four + still + "| 56/0")
	cases := []packedCase{}
	for _, c := range []struct {
		name, comment, decisions string
		base                     []string
	}{
		{
			"along", "a field that moved by what the one before it did; one that is at zero, and so is what moves along with it",
			still + "| 55/0 37/1 32/0 35/1 35/0 33/1 |" + still + "|" + still + "|" + still + "| 56/0",
			[]string{base(100, 120, 0)},
		},
		{"along-less", "it moved by one less", still + "| 55/0 37/1 32/0 35/1 35/0 33/1 | 55/0 37/1 32/1 35/0 |" + still + "|" + still + "| 56/0", []string{base(100, 120, 0)}},
		{
			"along-none", "the field before was not measured: it is expected to stay, after a move of one", still + "| 55/1 | 55/0 30/0 |" + still + "|" + still + "| 56/0",
			[]string{base(100, 120, 0), deltaOf(still + "| 55/0 37/1 32/0 35/0 |" + still + "|" + still + "|" + still + "| 56/0")},
		},
		{"along-lowest", "the field before fell by a hundred: it ends at the lowest value", still + "| 55/0 37/1 32/1 " + times(2, "35/1") + times(2, "36/1") + times(2, "37/1") +
			"38/0 33/1 5:4 |" + still + "|" + still + "|" + still + "| 56/0", []string{base(100, 5, 0)}},
		{
			"zero", "four, counted from zero although it was two; what moves along with it rises by four", still + "|" + still + "|" + still + four + still + "| 56/0",
			[]string{base(100, 120, 2)},
		},
		{
			"zero-again", "four again, after a move of four: activity 2, upwards", still + "|" + still + "|" + still + "| 55/0 26/1 32/0 31/1 31/1 32/0 33/0 1:0 | 55/0 26/0 | 56/0",
			[]string{base(100, 120, 2), opened},
		},
		{"zero-over", "then zero, which is no move: what moved along is expected to stay, and falls by four", still + "|" + still + "|" + still + "| 55/0 26/0 | 55/0 26/1 32/1 31/1 31/1 32/0 33/0 1:0 | 56/0", []string{base(100, 120, 2), opened}},
	} {
		cases = append(cases, packedCase{
			name: c.name, spec: "F-133", comment: c.comment, tm: joined(m.t), ref: testReference().Add(time.Hour), header: 0x01, base: c.base,
			input: refPacked(c.decisions).bytes(),
		})
	}
	return cases
}

// buoyBase is a keyframe of the buoy, with its groups or without.
func buoyBase(groups string, fields ...string) string {
	return frameOf(0x40, bitString(append([]string{bitTime(20, testReference().Unix()-3600), groups}, append(fields, "0")...)...))
}

func (m *maker) groupDeltas() []packedCase {
	one := func(name, comment string, base []string, decisions string) packedCase {
		return packedCase{
			name: name, spec: "F-133", comment: comment, tm: buoy(m.t), ref: testReference().Add(2 * time.Hour), header: 0x01, base: base,
			input: refPacked(decisions).bytes(),
		}
	}
	all := buoyBase("11", u(8, 121), u(7, 47), u(25, 13_712_345), u(26, 17_150_000), "11", "1", u(9, 25))
	none := buoyBase("00", u(8, 121), u(7, 47), "0")
	two := still + still
	// An hour of which nothing was known: 3600 is class 11, 2048 to 4095.
	hour := "55/0 37/1 32/0 " + times(2, "35/1") + times(2, "36/1") + times(2, "37/1") + times(5, "38/1") + "38/0 33/1 10:528 "
	gone := deltaOf(hour + "| 47/1 47/1 |" + two + "| 55/0 37/0 | 56/0")
	return []packedCase{
		one("groups-stay", "groups that were present are, absent ones are not", []string{all}, hour+"| 47/0 47/0 |"+two+two+still+still+"| 56/0"),
		one("groups-absent", "groups that were absent are", []string{none}, hour+"| 47/0 47/0 |"+two+"44/0 | 56/0"),
		one("group-appears", "a group appears; its fields were never measured", []string{none}, hour+"| 47/1 47/0 |"+two+"| 44/1 25:13712345 44/1 26:17150000 | 44/0 | 56/0"),
		one("group-of-one", "a group appears with one field of two", []string{none}, hour+"| 47/1 47/0 |"+two+"| 44/1 25:13712345 44/0 | 44/0 | 56/0"),
		one("groups-vanish", "groups vanish", []string{all}, hour+"| 47/1 47/1 |"+two+"| 55/0 37/0 | 56/0"),
		one("group-again", "a group is back: its fields are counted from their last values", []string{all, gone},
			"55/0 37/1 32/1 35/0 | 47/1 47/0 |"+two+"| 44/1 37/0 44/1 37/1 32/0 35/0 | 55/0 37/0 | 56/0"),
		one("optional-appears", "an optional field of one bit appears", []string{none}, hour+"| 47/0 47/0 |"+two+"44/1 1:1 | 56/0"),
		one("optional-vanishes", "an optional field vanishes, and the group of another with it", []string{all}, hour+"| 47/0 47/1 |"+two+two+"55/1 | 56/0"),
		one("optional-highest", "the highest code of an optional field is a value", []string{all}, hour+"| 47/0 47/0 |"+two+two+"55/0 37/0 | 55/0 37/1 32/0 "+
			times(2, "35/1")+times(2, "36/1")+times(2, "37/1")+times(1, "38/1")+"38/1 38/0 33/1 7:102 | 56/0"),
	}
}

func (m *maker) wideDeltas() []packedCase {
	base := []string{frameOf(0x40, bitString("0", "00000000", "0", "0"))}
	high := frameOf(0x40, bitString("0", "00000000", "1", u(40, 1<<40-1), "0"))
	groups := func(bits string) string {
		var b strings.Builder
		for _, c := range bits {
			b.WriteString("47/" + string(c) + " ")
		}
		return b.String()
	}
	one := func(name, comment string, base []string, decisions string) packedCase {
		return packedCase{
			name: name, spec: "F-133", comment: comment, tm: wideTemplate(m.t), ref: testReference(), header: 0x01, base: base,
			input: refPacked(decisions).bytes(),
		}
	}
	return []packedCase{
		one("wide", "40 bits, and groups of which some have no field", base, "44/0 |"+groups("01000001")+"| 44/1 40:1099511627774 | 44/1 2:3 | 44/1 40:1099511627775 | 56/0"),
		one("wide-down", "from the highest to the lowest of 40 bits, of order 15: class 25", []string{high}, "44/0 |"+groups("00000000")+
			"| 55/0 37/1 32/1 "+times(2, "35/1")+times(2, "36/1")+times(2, "37/1")+times(18, "38/1")+"38/1 38/0 33/0 39:32766 | 56/0"),
		one("carry", "a carry runs through two bytes that went out", base, "44/0 |"+groups("01000001")+
			"| 44/1 40:468279760892 | 44/1 2:3 | 44/1 40:1099510758792 | 56/1 6:63 32:4294967295 1:1 1:1 4:15 8:255"),
	}
}

// refused makes a case of what is to be refused.
func refused(c packedCase, name, spec, comment string, header byte, input []byte) packedCase {
	c.name, c.spec, c.comment, c.header, c.input, c.expect = name, spec, comment, header, input, "malformed"
	return c
}

func (m *maker) refusedDeltas() []packedCase {
	good := m.level("", "", unchanged)
	bad := func(name, comment string, header byte, input []byte) packedCase {
		return refused(good, name, "F-130", comment, header, input)
	}
	not := func(name, comment string, input []byte) packedCase {
		return refused(good, name, "F-133", comment, 1, input)
	}
	other := func(decisions string, length uint, k int64) []byte {
		b, ok := refPacked(decisions).number(length, k)
		if !ok {
			m.t.Fatalf("no number of %d bytes for %s", length, decisions)
		}
		return b
	}
	field := "| 55/0 37/0 | 56/0"
	up := still + "| 55/0 37/1 32/0 35/0 | 56/0"
	cut := bad("distance-cut", "no byte for the distance", 7, nil)
	cut.expect = "truncated"
	cases := []packedCase{
		bad("base-0", "a delta without a base", 0, []byte{0x80}),
		bad("distance-0", "a distance of 0", 7, []byte{0, 0x80}),
		bad("distance-6-in-a-byte", "a distance of 6 that a byte says", 7, []byte{6, 0x80}),
		bad("distance-33", "a distance of 33", 7, []byte{33, 0x80}),
		bad("distance-255", "a distance of 255", 7, []byte{255}),
		cut,
		bad("distance-zero-behind", "a zero byte behind the distance", 7, []byte{7, 0}),
		not("only-zero", "nothing new as one byte", []byte{0}),
		not("zero-behind", "a zero byte at the end", append(refPacked(up).bytes(), 0)),
		not("longer", "longer than needed: nothing new as a small number", []byte{0, 1}),
		not("longer-by-two", "longer than needed, within the interval", other(up, uint(len(refPacked(up).bytes()))+2, 1)),
		not("not-smallest", "as short as can be, but not the smallest", other(up, uint(len(refPacked(up).bytes())), 1)),
		not("beyond", "a number beyond the first interval", []byte{255, 255, 255, 255}),
		not("beyond-long", "and bytes behind it", []byte{255, 255, 255, 255, 255}),
		not("above-top", "a residual that leads above the highest value: 4095", refPacked(still+"| 55/0 37/1 32/0 "+times(2, "35/1")+times(2, "36/1")+times(2, "37/1")+times(5, "38/1")+
			"38/0 33/1 10:1016 | 56/0").bytes()),
		not("below-zero", "a residual that leads below the lowest value", refPacked(still+"| 55/0 37/1 32/1 "+times(2, "35/1")+times(1, "36/1")+"36/0 33/0 2:0 | 56/0").bytes()),
		not("time-too-early", "a residual of more than a quarter of the window", refPacked("55/0 37/1 32/1 "+times(2, "35/1")+times(2, "36/1")+times(2, "37/1")+times(8, "38/1")+
			"38/0 33/0 13:1"+field).bytes()),
		not("time-too-late", "a residual of three quarters of the window", refPacked("55/0 37/1 32/0 "+times(2, "35/1")+times(2, "36/1")+times(2, "37/1")+times(9, "38/1")+
			"38/0 33/1 14:0"+field).bytes()),
		not("class-46", "a residual of class 46", refPacked(still+"| 55/0 37/1 32/0 "+times(2, "35/1")+times(2, "36/1")+times(2, "37/1")+times(40, "38/1")).bytes()),
		not("class-45", "a class that may be, and a value that may not", refPacked(still+"| 55/0 37/1 32/0 "+times(2, "35/1")+times(2, "36/1")+times(2, "37/1")+times(39, "38/1")+
			"38/0 33/0 44:0 | 56/0").bytes()),
	}
	never := not("all-ones", "all ones of a field that was never measured", refPacked("55/0 37/1 32/0 35/1 35/1 36/1 36/0 33/0 2:2 | 44/1 12:4095 | 56/0").bytes())
	never.base = []string{frameOf(0x40, bitString(bitTime(16, testReference().Unix()/60-20), u(12, 4095), "0"))}
	empty := m.groupDeltas()[1]
	hour := "55/0 37/1 32/0 " + times(2, "35/1") + times(2, "36/1") + times(2, "37/1") + times(5, "38/1") + "38/0 33/1 10:528 "
	cases = append(cases, never,
		refused(empty, "empty-group", "F-133", "a group appears and its fields were not measured", 1, refPacked(hour+"| 47/1 47/0 |"+still+still+"44/0 44/0 | 44/0 | 56/0").bytes()),
		refused(empty, "empty-optional-group", "F-133", "a group appears and its optional field is not there", 1, refPacked(hour+"| 47/0 47/1 |"+still+still+"44/0 | 44/0 | 56/0").bytes()))
	wide := m.wideDeltas()[0]
	return append(cases, refused(wide, "group-without-field", "F-133", "a group appears of which the template has no field", 1,
		refPacked("44/0 | 47/1 "+times(7, "47/0")+"| 44/0 | 56/0").bytes()))
}

func (m *maker) batches() []packedCase {
	one := func(name, comment string, tm *codec.Template, base []string, header byte, explicit []byte, count int, decisions string) packedCase {
		input := append(append(slices.Clone(explicit), byte(count-2)), refPacked(decisions).bytes()...)
		if input[len(input)-1] == 0 { // nothing but the count
			input = input[:len(input)-1]
		}
		return packedCase{
			name: name, spec: "F-134", comment: comment, tm: tm, ref: testReference().Add(time.Hour), header: header, base: base, input: input,
		}
	}
	plain, chain := plainTemplate(m.t), []string{plainBase(7), deltaOf(told)}
	first := fmt.Sprintf("44/1 16:%d | 44/1 12:7 | 56/0 ", (testReference().Unix()/60-20)&0xffff)
	up := still + "| 55/0 37/1 32/0 35/0 | 56/0 "
	after := still + "| 55/0 30/0 | 56/0 "
	long := one("257", "as many statuses as may be", plain, chain, 0x81, nil, 257, strings.Repeat(unchanged+" ", 257))
	long.ref = testReference().Add(48 * time.Hour)
	hourly := "44/1 12:100 | 44/1 16:500 | 44/1 10:300 | 56/0 "
	long.results = []string{"time=50800 step=10 once=0 jitter=0 groups=- level=7/0"}
	for i := range 257 {
		long.results = append(long.results, fmt.Sprintf("time=%s level=7", testReference().Add(time.Duration(i)*10*time.Minute).Format(time.RFC3339)))
	}
	return []packedCase{
		one("no-base", "two statuses without a base: the first has all its bits, the second tells the interval", plain, nil, 0x80, nil, 2, first+told),
		one("no-base-three", "three without a base: the third is as expected", plain, nil, 0x80, nil, 3, first+told+" "+unchanged),
		one("no-base-unsure", "two of which nothing is known: no bytes at all", plain, nil, 0x80, nil, 2, times(2, "44/0 44/0 56/0")),
		one("no-base-interval", "the interval of the template is known without a base", coded(m.t), nil, 0x80, nil, 2,
			fmt.Sprintf("44/1 20:%d | ", (testReference().Unix()-600)&(1<<20-1))+hourly+still+"|"+still+"|"+still+"|"+still+"| 56/0"),
		one("no-base-given", "a state that is given anyway is of no matter", plain, chain, 0x80, nil, 2, first+told),
		one("base", "two statuses against a base", plain, chain, 0x81, nil, 2, up+after),
		one("nothing-new", "two statuses with nothing new: the count of 0 is cut, too", plain, chain, 0x81, nil, 2, unchanged+" "+unchanged),
		one("three-nothing-new", "three with nothing new: the count alone", plain, chain, 0x81, nil, 3, unchanged+" "+unchanged+" "+unchanged),
		one("distance-6", "a base six counters before: one interval has passed", plain, chain, 0x86, nil, 2, up+after),
		one("distance-7", "a byte says how far the base is", plain, chain, 0x87, []byte{7}, 2, up+after),
		one("distance-32-nothing-new", "the furthest base, nothing new", plain, chain, 0x87, []byte{32}, 2, unchanged+" "+unchanged),
		one("rare-in-between", "a rare block within a batch", plain, chain, 0x81, nil, 3, unchanged[:len(unchanged)-1]+"1 6:7 1:1 1:0 1:0 "+up+after),
		one("clock-lost", "the clock is lost for a status", plain, chain, 0x81, nil, 3, unchanged+" 55/1 | 55/0 37/0 | 56/0 "+unchanged),
		long,
	}
}

func (m *maker) refusedBatches() []packedCase {
	good := m.batches()[5]
	bad := func(name, comment string, header byte, input []byte) packedCase {
		return refused(good, name, "F-134", comment, header, input)
	}
	up := still + "| 55/0 37/1 32/0 35/0 | 56/0 "
	code := refPacked(up + "55/0 37/0 | 55/0 30/0 | 56/0").bytes()
	cut := bad("distance-cut", "no byte for the distance", 0x87, nil)
	cut.expect = "truncated"
	return []packedCase{
		bad("distance-0", "a distance of 0", 0x87, append([]byte{0, 0}, code...)),
		bad("distance-6-in-a-byte", "a distance of 6 that a byte says", 0x87, append([]byte{6, 0}, code...)),
		bad("distance-33", "a distance of 33", 0x87, append([]byte{33, 0}, code...)),
		cut,
		bad("only-zero", "the count of two statuses with nothing new", 0x81, []byte{0}),
		bad("count-zero-behind", "a zero byte behind a count", 0x81, []byte{1, 0}),
		bad("distance-zero-behind", "a count of 0 behind a distance", 0x87, []byte{7, 0}),
		bad("zero-behind", "a zero byte at the end", 0x81, append(append([]byte{0}, code...), 0)),
		bad("longer", "longer than needed", 0x81, append(append([]byte{0}, code...), 1)),
		bad("second-bad", "the second status is out of range", 0x81, append([]byte{0}, refPacked(unchanged+" "+still+"| 55/0 37/1 32/1 "+times(2, "35/1")+"36/1 36/0 33/0 2:0 | 56/0").bytes()...)),
		bad("beyond", "a number beyond the first interval", 0x81, []byte{0, 255, 255, 255, 255}),
	}
}

// packed decodes the chain of bases, then the input.
func (v *vector) packed(t testing.TB, input []byte) error {
	t.Helper()
	_, _, err := v.unpack(t, input)
	return err
}

// unpack returns what the input says and the state after it; written again it is the input.
func (v *vector) unpack(t testing.TB, input []byte) ([]codec.Status, *codec.State, error) {
	t.Helper()
	tm, state, ref := v.base(t)
	var before codec.State
	before.CopyFrom(state)
	h := codec.Header(v.hex(t, "header")[0])
	statuses, err := decodePacked(tm, state, h, input, ref)
	if err != nil {
		return nil, nil, err
	}
	distance, _, err := codec.DeltaBase(h, input)
	if err != nil {
		return nil, nil, err
	}
	var again []byte
	if h.Kind() == codec.KindBatch {
		again, _, err = tm.AppendBatch(nil, h.Slot(), distance, &before, statuses)
	} else {
		again, _, err = tm.AppendDelta(nil, h.Slot(), distance, &before, &statuses[0])
	}
	if err != nil || hex.EncodeToString(again) != hex.EncodeToString(input) {
		return nil, nil, fmt.Errorf("encodes anew as %x: %w", again, errors.Join(err, errVector))
	}
	if a, b := codec.StateText(tm, &before), codec.StateText(tm, state); a != b {
		return nil, nil, fmt.Errorf("a device has the state %s, the gateway %s: %w", a, b, errVector)
	}
	return statuses, state, nil
}

var errVector = errors.New("not what the vector says")

// checkPacked compares the results with those of the file.
func (v *vector) checkPacked(t testing.TB) error {
	t.Helper()
	statuses, state, err := v.unpack(t, v.input)
	if err != nil {
		return err
	}
	tm, err := codec.ParseTemplate(v.hex(t, "template"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range statuses {
		got = append(got, describe(tm, &statuses[i]))
	}
	if text := codec.StateText(tm, state); !slices.Equal(got, v.every("status")) || text != v.get("state") {
		return fmt.Errorf("%w: status %q, state %s", errVector, got, text)
	}
	return nil
}

func decodePacked(tm *codec.Template, s *codec.State, h codec.Header, b []byte, ref time.Time) ([]codec.Status, error) {
	switch h.Kind() {
	case codec.KindKeyframe:
		st := make([]codec.Status, 1)
		err := tm.DecodeKeyframe(&st[0], h, b, ref)
		if err == nil {
			s.SetKeyframe(tm, &st[0])
		}
		return st, err
	case codec.KindBatch:
		return tm.DecodeBatch(nil, s, h, b, ref)
	default:
		st := make([]codec.Status, 1)
		return st, tm.DecodeDelta(&st[0], s, h, b, ref)
	}
}

// base is the state after the chain of bases.
func (v *vector) base(t testing.TB) (*codec.Template, *codec.State, time.Time) {
	t.Helper()
	tm, err := codec.ParseTemplate(v.hex(t, "template"))
	if err != nil {
		t.Fatal(err)
	}
	ref, err := time.Parse(time.RFC3339, v.get("reference"))
	if err != nil {
		t.Fatal(err)
	}
	var s codec.State
	for _, link := range strings.Fields(v.get("base")) {
		b, err := hex.DecodeString(strings.Replace(link, ":", "", 1))
		if err != nil || len(b) == 0 {
			t.Fatalf("%s: base %s: %v", v.name, link, err)
		}
		if _, err := decodePacked(tm, &s, codec.Header(b[0]), b[1:], ref); err != nil {
			t.Fatalf("%s: base %s: %v", v.name, link, err)
		}
	}
	return tm, &s, ref
}

// F-133, F-134: every truncation and every flipped bit of every vector of a delta or batch is refused, or is the one encoding of other statuses.
func TestDamagedPackedVectors(t *testing.T) {
	refused, other := 0, 0
	for _, v := range readVectors(t) {
		if op := v.get("operation"); op != "delta" && op != "batch" {
			continue
		}
		try := func(b []byte) {
			switch _, _, err := v.unpack(t, b); {
			case errors.Is(err, errVector):
				t.Errorf("%s: %x: %v", v.name, b, err)
			case err != nil:
				refused++
			default:
				other++
			}
		}
		for k := range v.input {
			try(v.input[:k])
			try(append(slices.Clone(v.input[:k]), 0))
			try(append(slices.Clone(v.input), byte(k)))
		}
		for bit := range 8 * len(v.input) {
			b := slices.Clone(v.input)
			b[bit/8] ^= 0x80 >> (bit % 8)
			try(b)
		}
	}
	t.Logf("%d refused, %d are other statuses", refused, other)
}
