package device

import (
	"cmp"
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// A Later is what permanent memory holds of what a new software does to the device after it has started. Another software ends it.
type Later struct {
	What    What // Looping, RolledBack, Bricked or Draining; 0: nothing
	Rollout uint32
	Version string
	From    string
	At      int64 // Unix milliseconds of the next time that it does something
	Times   uint8
	Both    bool    // of a loop: every other start is one of the software before
	Watts   float64 // that are drained
}

// next is when it is time for it; zero: it is not, or not by itself.
func (l *Later) next() time.Time {
	if l.At == 0 {
		return time.Time{}
	}
	return time.UnixMilli(l.At)
}

// proves is what becomes of a software that has just started.
func (d *Device) proves(now time.Time) error {
	u, m := &d.update, d.mishaps()
	l := Later{Rollout: u.Rollout, Version: u.Version, From: u.From}
	switch d.pick(m.Start, m.Loop, m.RollBack, m.Drain, m.BrickLater) {
	case 0:
		return d.goesBack(now, &l)
	case 1:
		d.happens(Looping, now, time.Time{}, 0)
		u.Due = 0
		l.What, l.At, l.Both = Looping, now.UnixMilli(), d.rng.IntN(2) == 0
		u.Later = l
		return d.later(now)
	case 2:
		l.What, l.At = RolledBack, now.Add(d.around(rollBackAfter)+time.Minute).UnixMilli()
	case 3:
		days := (drainLeast + time.Duration(d.rng.Float64()*float64(drainMost-drainLeast))).Hours() / 24
		l.What, l.Watts = Draining, d.world.supply.emptiedIn(days)
	case 4:
		l.What, l.At = Bricked, now.Add(d.around(cmp.Or(m.BrickAfter, brickAfter))+time.Minute).UnixMilli()
	default:
		l = Later{}
	}
	u.step(now, codec.StepConfirmed, codec.CodeSuccess, 0)
	d.happens(Updated, now, time.Time{}, codec.CodeSuccess)
	u.Later, d.world.supply.drain = l, l.Watts
	if l.What == Draining {
		d.happens(Draining, now, time.Time{}, 0)
	}
	return nil
}

// goesBack starts what ran before, and says so if nothing else was offered since.
func (d *Device) goesBack(now time.Time, l *Later) error {
	u, from := &d.update, l.From
	d.notes(&Happening{What: RolledBack, At: now, Rollout: l.Rollout, Version: l.Version, Step: codec.StepRolledBack, Code: codeFailed})
	if u.Rollout == l.Rollout {
		u.step(now, codec.StepRolledBack, codeFailed, 0)
		u.Burst.end()
	}
	u.Later = Later{}
	return d.reboot(now, from)
}

// later does what a bad software does after it has started, if it is time.
func (d *Device) later(now time.Time) error {
	l := &d.update.Later
	if l.At == 0 || now.UnixMilli() < l.At {
		return nil
	}
	switch l.What {
	case RolledBack:
		return d.goesBack(now, l)
	case Looping:
		l.At = now.Add(min(loopFirst<<min(l.Times, 10), loopMost)).UnixMilli()
		l.Times = min(l.Times+1, 255-1)
		version := l.Version
		if l.Both && l.Times%2 == 0 {
			version = l.From
		}
		if len(d.pending) >= d.config.PendingMax { // nobody hears it anyway
			d.boots++
			d.version = version
			return nil
		}
		return d.reboot(now, version)
	default:
		return nil
	}
}

// looping says that the device never gets to its work.
func (d *Device) looping() bool { return d.update.Later.What == Looping }

// doomed ends a device whose time has come: by a software that bricks it by and by, or that has emptied its battery.
func (d *Device) doomed(now time.Time) bool {
	l := &d.update.Later
	switch {
	case l.What == Bricked && now.UnixMilli() >= l.At:
		d.ends(&Happening{What: Bricked, At: time.UnixMilli(l.At), Rollout: l.Rollout, Version: l.Version, Step: codec.StepConfirmed})
	case l.What == Draining && (d.world.supply.charge <= drainedCharge || d.world.empty()):
		d.ends(&Happening{What: Drained, At: now, Rollout: l.Rollout, Version: l.Version, Step: codec.StepConfirmed})
	default:
		return false
	}
	return true
}

const drainedCharge = 0.03

// sunShare is what a panel gives over days, of what it can.
const sunShare = 0.2

// emptiedIn is what a software must take to empty the battery in so many days, against the sun.
func (s *supply) emptiedIn(days float64) float64 {
	const hours = 24
	return s.charge*s.Capacity/(days*hours) + sunShare*s.Panel
}
