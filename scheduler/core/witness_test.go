package core_test

import (
	"slices"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/scheduler/core"
)

// The readings of a battery that are kept tell its course, however fast it runs down, and outlast a restart.
func TestWitnessOfABattery(t *testing.T) {
	for _, tt := range []struct {
		name  string
		every time.Duration
		says  func(n int) float64 // per cent
		n     int
		want  []float64
	}{
		{"one reading", time.Hour, func(int) float64 { return 80 }, 1, []float64{80}},
		{"full for long", time.Hour, func(int) float64 { return 97 }, 500, []float64{97, 97}},
		{"a year of two per cent a month", 24 * time.Hour, func(n int) float64 { return 90 - float64(n)/15 }, 360, []float64{70, 68, 66, 66}},
		{"empty within a day", time.Hour, func(n int) float64 { return 100 - 8*float64(n) }, 12, []float64{36, 28, 20, 12}},
		{"beyond the gauge", time.Hour, func(n int) float64 { return 5 - 3*float64(n) }, 4, []float64{5, 2, 1}},
		{"several in an hour", 10 * time.Minute, func(n int) float64 { return 60 - 5*float64(n) }, 6, []float64{35}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := config(t)
			k := newCore(t, c)
			k.Know(0, 7, "buoy", "acme")
			now, heard := t0, time.Time{}
			for n := range tt.n {
				heard = now
				k.Heard(now, 0, core.Contact{Link: sms, Bytes: 20, Newest: true})
				k.Battery(now, 0, tt.says(n))
				now = now.Add(tt.every)
			}
			store := newRows()
			k.Drain(store)
			again := newCore(t, c)
			again.Know(0, 7, "buoy", "acme")
			if err := again.Load(store, now, func(uint32) (core.Place, bool) { return 0, true }); err != nil {
				t.Fatal(err)
			}
			for i, x := range []*core.Core{k, again} {
				w := x.Witness(0, nil)
				var got []float64
				for _, l := range w.Levels {
					got = append(got, l.Percent)
				}
				if !slices.Equal(got, tt.want) || !slices.IsSortedFunc(w.Levels, func(a, b core.Level) int { return a.At.Compare(b.At) }) {
					t.Errorf("%d: %v, want %v", i, w.Levels, tt.want)
				}
				if last := w.Levels[len(w.Levels)-1].At; heard.Sub(last) >= time.Hour || last.After(heard) {
					t.Errorf("%d: the newest reading is of %s, want %s", i, last, heard)
				}
			}
		})
	}
}

// What networks say of a device is known until it is heard, also after a restart.
func TestWitnessOfNetworks(t *testing.T) {
	c := config(t)
	k := newCore(t, c)
	k.Refused(0, "nobody knows the device") // and nothing happens
	k.Know(0, 7, "buoy", "acme")
	k.Refused(0, "it was never heard")
	if w := k.Witness(0, nil); w.Refused != 0 {
		t.Errorf("%+v", w)
	}
	k.Heard(t0, 0, core.Contact{Link: sms, Bytes: 20, Newest: true})
	k.Refused(0, "code 8")
	k.Refused(0, "code 30")
	k.Delivered(t0.Add(time.Hour), 0)
	store := newRows()
	k.Drain(store)
	again := newCore(t, c)
	again.Know(0, 7, "buoy", "acme")
	if err := again.Load(store, t0, func(uint32) (core.Place, bool) { return 0, true }); err != nil {
		t.Fatal(err)
	}
	for i, x := range []*core.Core{k, again} {
		if w := x.Witness(0, nil); w.Refused != 2 || w.Why != "code 30" || !w.Delivered.Equal(t0.Add(time.Hour)) {
			t.Errorf("%d: %+v", i, w)
		}
	}
	again.Heard(t0.Add(2*time.Hour), 0, core.Contact{Link: sms, Bytes: 20}) // an old frame that comes late
	if w := again.Witness(0, nil); w.Refused != 2 {
		t.Errorf("%+v", w)
	}
	again.Heard(t0.Add(3*time.Hour), 0, core.Contact{Link: sms, Bytes: 20, Newest: true})
	if w := again.Witness(0, nil); w.Refused != 0 || w.Why != "" || !w.Delivered.IsZero() {
		t.Errorf("%+v", w)
	}
}
