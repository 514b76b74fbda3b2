package presence_test

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"errors"
	"io"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/scheduler/presence"
)

// region is devices over one link that speak at an interval, some of which are cut off for a while.
type region struct {
	m     *presence.Model
	every int64
	all   []presence.Device
	due   []int64
	cut   int   // of the first ones
	from  int64 // that are cut off from then on
	until int64
	after int64 // how long after it is over the last of them tries again: they have grown tired
	lost  int   // of a hundred contacts, by chance
}

func newRegion(t *testing.T, n, cut int, every, from, length, after int64, lost int) *region {
	t.Helper()
	r := &region{m: model(t), every: every, cut: cut, from: start + from, until: start + from + length, after: after, lost: lost, due: make([]int64, n)}
	for i := range n {
		at := start + int64(i)*every/int64(n)
		r.all = append(r.all, presence.NewDevice(at, presence.Policy{Interval: uint32(every), Link: 1}, 0, 0))
		r.due[i] = at + every
	}
	return r
}

// pass lets the region live up to a time: look is told of each look at a device.
func (r *region) pass(from, to int64, look func(i int, now int64, s presence.Standing)) {
	const step = 10 * minute
	for now := from; now < to; now += step {
		r.m.Pass(now)
		for i := range r.all {
			d := &r.all[i]
			if r.due[i] <= now {
				back := r.until + int64(i)*r.after/int64(r.cut+1)
				if i < r.cut && r.due[i] >= r.from && now < back {
					r.due[i] = min(r.due[i]+r.every, back)
				} else if r.due[i] += r.every; (uint64(i)*7919+uint64(now)*104729)>>3%100 >= uint64(r.lost) {
					r.m.Contact(d, now)
					r.due[i] = now + r.every
				}
			}
			if r.m.Next(d, d.Last()) <= now {
				s := r.m.Check(d, now)
				if look != nil {
					look(i, now, s)
				}
			}
		}
	}
}

// An outage goes on while those that it hit are away, although they owe no first attempt any more, and for two days at most; whoever is cut off by it is
// not presumed dead meanwhile, and who dies in it is afterwards.
func TestOutageGoesOn(t *testing.T) {
	for _, tt := range []struct {
		name             string
		n, cut           int
		every            int64
		length, after    int64
		lost             int
		earliest, latest int64 // hours after its beginning
	}{
		{"short", 200, 70, 3 * hour, 3 * hour, 0, 0, 3, 13},
		{"a day and more", 200, 70, 3 * hour, 30 * hour, 2 * hour, 0, 29, 38},
		{"devices that grow tired", 200, 70, 3 * hour, 30 * hour, 12 * hour, 0, 32, 42},
		{"every quarter of an hour", 100, 50, 15 * minute, 30 * hour, 2 * hour, 0, 29, 34},
		{"amid losses", 200, 100, 3 * hour, 30 * hour, 2 * hour, 5, 29, 40},
		{"for ever", 200, 70, 3 * hour, 400 * day, 0, 0, 48, 50},
	} {
		from := 4 * day
		r := newRegion(t, tt.n, tt.cut, tt.every, int64(from), tt.length, tt.after, tt.lost)
		began, dead := start+int64(from), 0
		r.pass(start, began+45*hour, func(_ int, now int64, s presence.Standing) {
			if s.Class == presence.Presumed && now > began+hour { // until the first dozen missed, nobody knows
				dead++
			}
		})
		for i := range min(tt.cut, 10) { // each contact of theirs since the hour in which it began
			if s := r.m.Standing(&r.all[i], began+45*hour); tt.length > 45*hour && (s.Class != presence.Out || s.Covered != s.Missed || s.Missed < 12) {
				t.Errorf("%s: device %d after 45 h: %s, %d of %d covered", tt.name, i, s.String(), s.Covered, s.Missed)
			}
		}
		r.pass(began+45*hour, began+60*hour, nil)
		o := r.m.Outage(1)
		if since := float64(o.Since-began) / hour; math.Abs(since) > 5 {
			t.Errorf("%s: began %.1f h late", tt.name, since)
		}
		if o.Until < began+tt.earliest*hour || o.Until > began+tt.latest*hour+hour {
			t.Errorf("%s: ended after %.1f h, want %d to %d: %+v", tt.name, float64(o.Until-began)/hour, tt.earliest, tt.latest, o)
		}
		if dead != 0 {
			t.Errorf("%s: %d looks at devices presumed dead", tt.name, dead)
		}
		if s := r.m.Standing(&r.all[0], began+60*hour); tt.length < 30*day && s.Missed > 1 {
			t.Errorf("%s: afterwards %s", tt.name, s.String())
		}
		if s := r.m.Standing(&r.all[0], began+30*day); s.Class != presence.Presumed {
			t.Errorf("%s: nothing is heard for a month: %s", tt.name, s.String())
		}
	}
}

// Who is away in an outage is who missed its first contact in it and was not heard since, whenever somebody looked; a model that is written and read back
// knows the same.
func TestOutageCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, err := presence.New(presence.Config{Links: []presence.Link{{Name: "sms", Grace: 10 * minute, Jitter: 50}}, Products: 1})
		if err != nil {
			t.Fatal(err)
		}
		type unit struct {
			d      presence.Device
			closed int64
			away   bool
		}
		var units []unit
		now := int64(start)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now += rapid.Int64Range(0, 2*hour).Draw(t, "later")
			m.Pass(now)
			for range rapid.IntRange(0, 12).Draw(t, "met") {
				d := presence.NewDevice(now-hour, presence.Policy{Interval: hour}, 0, 0)
				m.Contact(&d, now)
			}
			for range rapid.IntRange(0, 12).Draw(t, "missed") {
				late := rapid.Int64Range(0, 8*hour).Draw(t, "late")
				u := unit{d: presence.NewDevice(now-3*hour-late, presence.Policy{Interval: 2 * hour}, 0, 0), away: true}
				u.closed = m.Next(&u.d, u.d.Last())
				m.Check(&u.d, now)
				units = append(units, u)
			}
			for i := range units {
				if u := &units[i]; u.away && rapid.IntRange(0, 9).Draw(t, "back") == 0 {
					m.Contact(&u.d, now)
					u.away = false
				}
			}
			o := m.Outage(0)
			if o.Away < 0 || o.Away > o.Most {
				t.Fatalf("%d away, %d at most", o.Away, o.Most)
			}
			if o.Since == 0 || o.Until != 0 {
				continue
			}
			away := 0
			for i := range units {
				if u := &units[i]; u.away && u.closed >= o.Since {
					away++
				}
			}
			if o.Away != away {
				t.Fatalf("%d are away, %d counted: %+v", away, o.Away, o)
			}
			m.Pass(now) // within the hour it changes nothing
			if m.Outage(0) != o {
				t.Fatalf("%+v, then %+v", o, m.Outage(0))
			}
		}
		o := m.Outage(0)
		if b, err := m.AppendBinary(nil); err != nil || m.UnmarshalBinary(b) != nil || m.Outage(0) != o {
			t.Fatalf("%+v is read back as %+v", o, m.Outage(0))
		}
		if o.Since != 0 && o.Until == 0 { // nobody comes back, nobody speaks
			m.Pass(o.Since + 2*day)
			if kept := now < o.Since+2*day-8*hour && 2*o.Away > o.Most; kept && m.Outage(0).Until != 0 {
				t.Fatalf("it is over with %d of %d away", o.Away, o.Most)
			}
			if m.Pass(max(now, o.Since+2*day) + 8*hour); m.Outage(0).Until == 0 {
				t.Fatalf("it goes on for more than two days: %+v", m.Outage(0))
			}
		}
	})
}

//go:embed testdata/model-1.gz
var model1 []byte

// A model that was written before it was counted who comes back is read: of 100 devices 60 missed their contact, so that link 1 and cell 2 are out. It is
// over when no more is missed than usual, as it was then.
func TestModelVersion1(t *testing.T) {
	r, err := gzip.NewReader(bytes.NewReader(model1))
	if err != nil {
		t.Fatal(err)
	}
	old, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	m := model(t)
	if err := m.UnmarshalBinary(old); err != nil {
		t.Fatal(err)
	}
	again := model(t)
	b, err := m.AppendBinary(nil)
	if err != nil || again.UnmarshalBinary(b) != nil || b[0] == old[0] {
		t.Fatalf("%v, %v", err, again.UnmarshalBinary(b))
	}
	for i, m := range []*presence.Model{m, again} {
		for _, o := range []presence.Outage{m.Outage(1), m.Cell(2)} {
			if o.Since != 1700006400 || o.Until != 0 || o.Attempts != 100 || o.Recent != 0.6 || o.Usual != 0.05 || o.Away != 0 || o.Most != 0 || o.Probability != 0.95 {
				t.Errorf("%d: %+v", i, o)
			}
		}
		if got := m.TailProbability(presence.Policy{Interval: hour, Link: 1}, 1); got != 0.0013174488047102554 {
			t.Errorf("%d: a contact is missed with %v", i, got)
		}
		if m.Pass(start + day); m.Outage(1).Until == 0 {
			t.Errorf("%d: it goes on: %+v", i, m.Outage(1))
		}
	}
	for _, version := range []byte{0, 3} {
		old[0] = version
		if err := m.UnmarshalBinary(old); !errors.Is(err, presence.ErrSnapshot) {
			t.Errorf("version %d: %v", version, err)
		}
	}
}
