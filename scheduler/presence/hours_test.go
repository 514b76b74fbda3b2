package presence_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/scheduler/presence"
)

const (
	midnight = start - start%day + day // of a day
	minutes  = day / minute
)

var night = presence.Hours{22 * 60, 5 * 60}

// hushed is a device that was heard at an hour of the day and keeps quiet hours.
func hushed(m *presence.Model, heard float64, interval uint32, hours presence.Hours) presence.Device {
	d := presence.NewDevice(midnight+int64(heard*hour), presence.Policy{Interval: interval}, 0, 0)
	m.Hush(&d, hours)
	return d
}

// What falls into quiet hours is not missed in them. Of a short interval it may be left out; of a longer one it is due when they end.
func TestQuietHoursAreNotMissed(t *testing.T) {
	burst := func(d presence.Device) presence.Device { d.Burst(0, 0); return d }
	offered := func(d presence.Device, interval uint32) presence.Device {
		d.Offer(d.Last(), presence.Policy{Interval: interval})
		return d
	}
	m := model(t)
	for _, x := range []struct {
		name   string
		d      presence.Device
		now    float64 // hour of the first day
		missed int
	}{
		{"hourly, before the night", hushed(m, 12, hour, night), 16, 3},
		{"hourly, in the night", hushed(m, 21.5, hour, night), 29, 0},
		{"hourly, after it", hushed(m, 21.5, hour, night), 30.5, 0},
		{"hourly, in the next morning", hushed(m, 21.5, hour, night), 31, 1},
		{"hourly, and later", hushed(m, 21.5, hour, night), 33, 3},
		{"hourly, without such hours", hushed(m, 21.5, hour, nil), 29, 7},
		{"every 12 h, due in the night", hushed(m, 11, 12*hour, night), 29.6, 0},
		{"every 12 h, and not heard after it", hushed(m, 11, 12*hour, night), 29.7, 1},
		{"daily, due at noon", hushed(m, 12, day, night), 37.2, 0},
		{"daily, and not heard", hushed(m, 12, day, night), 37.3, 1},
		{"daily, due before the night, in which its window ends", hushed(m, 21.9, day, night), 48 + 6.1, 0},
		{"daily, and not heard after it", hushed(m, 21.9, day, night), 48 + 6.2, 1},
		{"daily, at an hour that is always quiet", hushed(m, 23, day, night), 48 + 5.3 + 1.2, 1},
		{"every 6 h or 8 h, leaving out what falls into the night", offered(hushed(m, 16.5, 6*hour, night), 8*hour), 34.5, 0},
		{"every 8 h or 6 h, and not heard after it", offered(hushed(m, 16.5, 8*hour, night), 6*hour), 36, 1},
		{"the whole day", hushed(m, 12, hour, presence.Hours{0, 720, 720, 0}), 1000, 0},
		{"burst, in the night", burst(hushed(m, 21.9, 12*hour, night)), 29, 0},
		{"burst, after it", burst(hushed(m, 21.9, 12*hour, night)), 29.2, 1},
	} {
		if got := m.Missed(&x.d, midnight+int64(x.now*hour)); got != x.missed {
			t.Errorf("%s: %d missed, want %d", x.name, got, x.missed)
		}
	}
}

// isQuiet reports whether a time is in quiet hours.
func isQuiet(hours presence.Hours, at int64) bool {
	minute := uint16(at % day / minute)
	for i := 0; i < len(hours); i += 2 {
		if from, to := hours[i], hours[i+1]; from < to && from <= minute && minute < to || from > to && (minute >= from || minute < to) {
			return true
		}
	}
	return false
}

func anyHours(most int, step uint16) *rapid.Generator[presence.Hours] {
	return rapid.Custom(func(t *rapid.T) (h presence.Hours) {
		for range rapid.IntRange(1, most).Draw(t, "spans") {
			from := rapid.Uint16Range(0, minutes/step-1).Draw(t, "from") * step
			h = append(h, from, (from+rapid.Uint16Range(1, (minutes-60)/step).Draw(t, "long")*step)%minutes)
		}
		return h
	})
}

// A device that keeps its quiet hours is never late: whether it says at their end what was due in them, or, if its interval is shorter than they are and than the rest of the day, waits for
// its next contact.
func TestDevicesThatKeepQuietHoursAreNeverLate(t *testing.T) {
	m := model(t)
	rapid.Check(t, func(t *rapid.T) {
		hours := anyHours(1, 1).Draw(t, "hours")
		long := (int64(hours[1]) + minutes - int64(hours[0])) % minutes * minute
		every := rapid.Int64Range(5, 4*minutes).Draw(t, "interval") * minute
		skips := every <= min(long, day-long) && rapid.Bool().Draw(t, "skips")
		last := midnight + rapid.Int64Range(0, minutes-1).Draw(t, "heard")*minute
		d := presence.NewDevice(last, presence.Policy{Interval: uint32(every)}, 0, 0)
		m.Hush(&d, hours)
		for range 20 {
			next := last + every
			for isQuiet(hours, next) {
				if skips {
					next += every
				} else {
					next += minute - next%minute
				}
				if next > last+100*day {
					return // it never comes to speak
				}
			}
			if n := m.Missed(&d, next); n != 0 {
				t.Fatalf("heard %d, due %d, every %d: %d missed", last%day, next%day, every, n)
			}
			m.Contact(&d, next)
			last = next
		}
	})
}

// A device that is not heard any more misses as many contacts as its clock comes to outside of its quiet hours, but for one; and never one in them.
func TestSilenceOutsideOfQuietHours(t *testing.T) {
	m := model(t)
	rapid.Check(t, func(t *rapid.T) {
		const step = 10
		hours := anyHours(4, step).Draw(t, "hours")
		every := rapid.Int64Range(5, 2*minutes).Draw(t, "interval") * minute
		last := midnight + rapid.Int64Range(0, minutes/step-1).Draw(t, "heard")*step*minute
		d := presence.NewDevice(last, presence.Policy{Interval: uint32(every)}, 0, 0)
		plain := d
		m.Hush(&d, hours)
		awake, was := int64(0), 0
		for now := last; now < last+5*day; now += step * minute {
			n := m.Missed(&d, now)
			switch {
			case n < was:
				t.Fatalf("%d missed after %d", n, was)
			case n > was && isQuiet(hours, now) && isQuiet(hours, now-step*minute):
				t.Fatalf("the %d. is missed in quiet hours", n)
			case n > m.Missed(&plain, now):
				t.Fatalf("%d missed, and %d without quiet hours", n, m.Missed(&plain, now))
			case n < m.Missed(&plain, last+awake-1)-1: // a window that closes in the second in which they begin closes when they end
				t.Fatalf("%d missed in %d s outside of quiet hours", n, awake)
			}
			if was = n; !isQuiet(hours, now) {
				awake += step * minute
			}
			opens, expected, closes := m.Window(&d, now)
			if opens > expected || expected > closes || closes <= now {
				t.Fatalf("window %d %d %d at %d", opens, expected, closes, now)
			}
			if expected != presence.Never && isQuiet(hours, expected) {
				t.Fatalf("expected at %d, in quiet hours", expected%day)
			}
		}
	})
}

// Hours that may be those or others are both together.
func TestHoursTogether(t *testing.T) {
	if got := night.Or(presence.Hours{60, 6 * 60, 720, 780}); !slices.Equal(got, presence.Hours{0, 360, 720, 780, 1320, 0}) {
		t.Errorf("%v", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyHours(4, 1).Draw(t, "one"), anyHours(4, 1).Draw(t, "other")
		all := a.Or(b)
		for minute := range int64(minutes) {
			if at := minute * 60; isQuiet(all, at) != (isQuiet(a, at) || isQuiet(b, at)) {
				t.Fatalf("%v at minute %d", all, minute)
			}
		}
	})
	if all := night.Or(presence.Hours{5 * 60, 22 * 60}); !isQuiet(all, 0) || !isQuiet(all, day/2) || !isQuiet(all, day-1) {
		t.Errorf("%v is not the whole day", all)
	}
}

// What a model knows of quiet hours outlives what it learns being read back, or handed to another one; and people are told.
func TestQuietHoursStay(t *testing.T) {
	m := model(t)
	d := hushed(m, 21.5, hour, night)
	b, err := m.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	next := model(t)
	next.Keep(m, nil)
	for _, m := range []*presence.Model{m, next} {
		st := m.Standing(&d, midnight+29*hour)
		if st.Class != presence.Due || !strings.Contains(st.String(), "22:00 to 05:00 UTC") || m.Longest(&d) != 7*hour {
			t.Errorf("%s", st.String())
		}
	}
}

// A device can always be told other quiet hours: those that no device has any more make room. Others keep theirs meanwhile.
func TestQuietHoursMakeRoom(t *testing.T) {
	m := model(t)
	keeps := hushed(m, 12, hour, night)
	for n := range uint16(100) {
		hushed(m, 12, hour, presence.Hours{n, n + 2}) // for good
	}
	d := hushed(m, 12, hour, slices.Clone(night))
	for n := range 1 << 16 {
		from := uint16(n % minutes)
		m.Hush(&d, presence.Hours{from, (from + uint16(n/minutes) + 3) % minutes})
	}
	says := func(d *presence.Device, want string) {
		t.Helper()
		if got := m.Standing(d, midnight+12*hour).Hush; got != want {
			t.Errorf("quiet are %q, want %q", got, want)
		}
	}
	m.Hush(&d, presence.Hours{12 * 60, 13 * 60})
	says(&d, "12:00 to 13:00")
	m.Hush(&d, night)
	says(&d, night.String())
	m.Hush(&d, nil)
	says(&d, "")
	says(&keeps, night.String())
	m.Hush(&keeps, nil)
	m.Hush(&d, presence.Hours{1, 2})
	says(&keeps, "")
}

// What is reckoned that quiet hours do is what they do to devices that say at their end what fell due in them: to the contacts that they make, and to the age of
// what is known of them. A device that speaks a few times a day does so at hours of its own: of such it holds on average.
func TestQuietHoursSlow(t *testing.T) {
	m := model(t)
	r := rand.New(rand.NewPCG(1, 2))
	var counted, reckoned, older, later float64
	for n := range 400 {
		var hours presence.Hours
		for at := r.IntN(300); at < minutes-400; at += 400 + r.IntN(600) {
			hours = append(hours, uint16(at), uint16((at+30+r.IntN(360))%minutes))
		}
		every := int64(900 * math.Exp2(7*r.Float64()))
		d := hushed(m, 12, uint32(every), hours)
		contacts, age, last := 0.0, 0.0, int64(midnight)
		for last < midnight+200*day {
			next := m.Speaks(&d, last+every*9/10+r.Int64N(every/5+1))
			contacts++
			age += float64(next-last) * float64(next-last) / 2
			last = next
			if isQuiet(hours, next) {
				t.Fatalf("it speaks at %d, quiet are %v", next%day, hours)
			}
		}
		share, more := m.Slows(&d, every)
		got, age := contacts*float64(every)/float64(last-midnight), age/float64(last-midnight)-float64(every)*.5017
		counted, reckoned, older, later = counted+got, reckoned+share, older+age, later+more
		if every < 2*hour && (math.Abs(got-share) > .05 || math.Abs(age-more) > .2*more+120) {
			t.Errorf("%d: every %d s, quiet %v: %.3f of the contacts and %.0f s older, reckoned are %.3f and %.0f s", n, every, hours, got, age, share, more)
		}
	}
	if math.Abs(reckoned/counted-1) > .02 || math.Abs(later/older-1) > .05 {
		t.Errorf("%.1f contacts are reckoned of %.1f, %.0f s older of %.0f", reckoned, counted, later, older)
	}
	d := hushed(m, 12, hour, presence.Hours{0, 720, 720, 0})
	if share, more := m.Slows(&d, hour); share != 0 || more != day/2 || m.Speaks(&d, midnight) != midnight {
		t.Errorf("of one that never speaks %g of the contacts are made, %g s older", share, more)
	}
	m.Hush(&d, nil)
	if share, more := m.Slows(&d, hour); share != 1 || more != 0 || m.Speaks(&d, midnight) != midnight || m.Said(&d) != "" {
		t.Errorf("of one that may always speak %g of the contacts are made, %g s older", share, more)
	}
}
