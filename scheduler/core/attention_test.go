package core_test

import (
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/scheduler/core"
)

// An alarm draws the attention that the device's rule says, and takes none away that there is already.
func TestAlarmDrawsAttention(t *testing.T) {
	c := config(t)
	c.Rules[0].Alarm = core.Attention{Factor: 5, Lasts: 24 * time.Hour}
	c.Rules = append(c.Rules, core.Rule{Product: "truck", Alarm: core.Attention{Factor: 1.1, Lasts: 24 * time.Hour}})
	k := newCore(t, c)
	know(k, 3)
	buoy, meter, truck := core.Place(0), core.Place(1), core.Place(2)
	expect := func(what string, at core.Place, now time.Time, factor float64, until time.Time) {
		t.Helper()
		if f, u := k.Attention(now, at); f != factor || !u.Equal(until) {
			t.Errorf("%s: %g until %s, want %g until %s", what, f, u, factor, until)
		}
	}
	k.Alarmed(t0, meter)
	expect("without a rule", meter, t0, 1, time.Time{})
	k.Alarmed(t0, buoy)
	expect("at the alarm", buoy, t0, 5, t0.Add(24*time.Hour))
	later := t0.Add(6 * time.Hour)
	k.Alarmed(later, buoy)
	expect("at another one", buoy, later, 5, later.Add(24*time.Hour))
	k.Attend(buoy, 20, later.Add(time.Hour))
	k.Alarmed(later, buoy)
	expect("while somebody looks", buoy, later, 20, later.Add(time.Hour))
	k.Alarmed(later.Add(time.Hour), buoy)
	expect("after that", buoy, later.Add(time.Hour), 5, later.Add(25*time.Hour))
	expect("at its end", buoy, later.Add(25*time.Hour), 1, time.Time{})
	k.Alarmed(t0, truck)
	k.Alarmed(later, truck)
	expect("with a factor that is kept less exactly", truck, later, float64(float32(1.1)), later.Add(24*time.Hour))
}
