package core_test

import (
	"encoding/hex"
	"slices"
	"strings"
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

// rowVersion1 is of a device that was heard at t0 and for four hours from then on, over two links, and said that its battery is at 83 per cent.
const rowVersion1 = "010100000401530080c591cd06000000fea997ab0420000000000004736d7330409e6872409e6872000475647030409e6872409e687216010080c591cd060100" +
	"0000000000fabd0164fabd01000000010000000069a46280000000000000000000000e5d00000000000000000000000000"

// Rows of stores that were written before the course of a battery was kept are read: the one reading is of when the device was heard last.
func TestRowOfVersion1(t *testing.T) {
	old, err := hex.DecodeString(rowVersion1)
	if err != nil {
		t.Fatal(err)
	}
	written := func(row []byte) (*core.Core, []byte) {
		t.Helper()
		if err := core.CheckRow(row); err != nil {
			t.Fatal(err)
		}
		k, store := newCore(t, config(t)), newRows()
		know(k, 1)
		if err := k.Load(&rows{schedules: map[uint32][]byte{100: row}}, t0.Add(5*time.Hour), byNumber); err != nil {
			t.Fatal(err)
		}
		k.Heard(t0.Add(5*time.Hour), 0, core.Contact{Link: udp, Again: true}) // so that it is written
		k.Drain(store)
		return k, store.schedules[100]
	}
	k, row := written(old)
	again, rewritten := written(row)
	if row[0] != 4 || !slices.Equal(row, rewritten) {
		t.Errorf("%x is written as %x and %x", old, row, rewritten)
	}
	for i, x := range []*core.Core{k, again} {
		w := x.Witness(0, nil)
		if len(w.Levels) != 1 || w.Levels[0].Percent != 83 || !w.Levels[0].At.Equal(t0.Add(4*time.Hour)) || w.Refused != 0 || w.Why != "" || !w.Delivered.IsZero() {
			t.Errorf("%d: %+v", i, w)
		}
		if p, ok := x.Standing(t0.Add(5*time.Hour), 0); !ok || p.Last != t0.Add(4*time.Hour).Unix() {
			t.Errorf("%d: %+v", i, p)
		}
	}
	said := slices.Clone(old)
	said[1] |= 4 // which version 1 does not know
	for _, bad := range [][]byte{said, append([]byte{5}, old[1:]...), append([]byte{0}, old[1:]...)} {
		if err := core.CheckRow(bad); err == nil {
			t.Errorf("%x is read", bad)
		}
	}
}

// A frame that was received before the one that was taken before it, in the hour before, makes no reading one of years ago.
func TestWitnessOutOfOrder(t *testing.T) {
	k := newCore(t, config(t))
	k.Know(0, 7, "buoy", "acme")
	for i, at := range []time.Duration{0, time.Hour, time.Hour - time.Second} {
		k.Heard(t0.Add(at), 0, core.Contact{Link: sms, Bytes: 20, Newest: true})
		k.Battery(t0.Add(at), 0, 90-10*float64(i))
	}
	w := k.Witness(0, nil)
	if len(w.Levels) != 3 || w.Levels[0].At.Before(t0) || w.Levels[1].At.Before(t0) {
		t.Errorf("%v", w.Levels)
	}
}

// What a network said is cut where a character ends.
func TestWitnessIsText(t *testing.T) {
	k := newCore(t, config(t))
	k.Know(0, 7, "buoy", "acme")
	k.Heard(t0, 0, core.Contact{Link: sms, Bytes: 20, Newest: true})
	k.Refused(0, "x"+strings.Repeat("\u00e9", 60))
	if w := k.Witness(0, nil); w.Why != "x"+strings.Repeat("\u00e9", 39) {
		t.Errorf("%q", w.Why)
	}
}
