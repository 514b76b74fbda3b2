package device

import (
	"fmt"
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// Mishaps are the likelihoods of what may go wrong in an update, 0 to 1. Of those at one step at most one happens.
type Mishaps struct {
	Memory   float64 // the memory is fuller than the device had said: code 2
	Download float64 // the link is lost while the image is fetched: code 4
	Verify   float64 // the image is not what was signed: code 5
	Install  float64 // it is not taken: InstallCode
	Start    float64 // it does not start, and the device goes back at once: code 8

	InstallCode uint8 // 0 means 8; from 128 on it is a vendor's

	BrickDownload float64 // the device is silent for good while it fetches,
	BrickInstall  float64 // while it writes the image,
	BrickReboot   float64 // or because the new software does not come up

	BrickLater float64 // or by and by, BrickAfter later on average
	Loop       float64 // the new software starts again and again
	RollBack   float64 // it goes back hours later
	Drain      float64 // it empties the battery within days
	Late       float64 // the device is away for hours to days before the new software starts
	LoseLog    float64 // it forgets its steps when it starts

	BrickAfter time.Duration // 0 means 24 h
}

// Validate reports what cannot be likely.
func (m *Mishaps) Validate() error {
	for _, p := range []float64{
		m.Memory, m.Download, m.Verify, m.Install, m.Start, m.BrickDownload, m.BrickInstall, m.BrickReboot, m.BrickLater, m.Loop, m.RollBack, m.Drain, m.Late, m.LoseLog,
	} {
		if !(p >= 0 && p <= 1) {
			return fmt.Errorf("mishap with likelihood %v: %w", p, ErrConfig)
		}
	}
	if m.BrickAfter < 0 {
		return fmt.Errorf("bricks after %s: %w", m.BrickAfter, ErrConfig)
	}
	return nil
}

// Times of mishaps, on average where they are drawn.
const (
	brickAfter    = 24 * time.Hour
	rollBackAfter = 6 * time.Hour
	awayLeast     = time.Hour // and up to days
	awayMean      = 20 * time.Hour
	drainLeast    = 48 * time.Hour
	drainMost     = 144 * time.Hour
	loopFirst     = 4 * time.Minute // pause before it starts again, which doubles
	loopMost      = 6 * time.Hour
)

// An Image is a software that a device may be offered.
type Image struct {
	Build    []byte // that it says it is; nil: that of the device
	Sequence uint32 // of its manifest; 0: none is known
	Mishaps  Mishaps
}

// mishaps are those of the software that is offered, or else of the device.
func (d *Device) mishaps() *Mishaps {
	if i, ok := d.config.Images[d.update.Version]; ok {
		return &i.Mishaps
	}
	return &d.config.Mishaps
}

// build is that of the software that runs.
func (d *Device) build() []byte {
	if i, ok := d.config.Images[d.version]; ok && i.Build != nil {
		return i.Build
	}
	return d.config.Build
}

// pick draws which of several mishaps happens, by their likelihoods: its index, or -1. Where none can, nothing is drawn.
func (d *Device) pick(likely ...float64) int {
	sum := 0.0
	for _, p := range likely {
		sum += p
	}
	if sum <= 0 {
		return -1
	}
	x := d.rng.Float64()
	for i, p := range likely {
		if x -= p; x < 0 {
			return i
		}
	}
	return -1
}

// around is a time that is drawn around a mean.
func (d *Device) around(m time.Duration) time.Duration {
	return time.Duration(d.rng.ExpFloat64() * float64(m))
}

// fails ends an update with a code, which the device tells.
func (d *Device) fails(now time.Time, code uint8) {
	d.update.step(now, codec.StepFailed, code, 0)
	d.happens(Failed, now, time.Time{}, code)
}

// bricks ends the device at the step that it is at.
func (d *Device) bricks(now time.Time) {
	d.ends(&Happening{What: Bricked, At: now, Rollout: d.update.Rollout, Version: d.update.Version, Step: d.update.Stage})
}

// ends ends the device for good. It says nothing any more, and nothing reaches it.
func (d *Device) ends(h *Happening) {
	d.notes(h)
	d.update.Due, d.update.Later, d.world.bricked = 0, Later{}, true
	d.end(Dead)
}

// writes is what may go wrong while the image is written; it reports whether the update goes on.
func (d *Device) writes(now time.Time) bool {
	m := d.mishaps()
	switch d.pick(m.BrickInstall, m.Install) {
	case 0:
		d.bricks(now)
		return false
	case 1:
		code := m.InstallCode
		if code == 0 {
			code = codeFailed
		}
		d.fails(now, code)
		return false
	}
	return true
}

// restarts starts the new software, if it comes up at once.
func (d *Device) restarts(now time.Time) error {
	u, m := &d.update, d.mishaps()
	forgets := d.pick(m.LoseLog) == 0
	u.Later = Later{}
	switch d.pick(m.BrickReboot, m.Late) {
	case 0:
		d.bricks(now)
		return nil
	case 1:
		away := awayLeast + d.around(awayMean)
		u.Away = now.Add(away).UnixMilli()
		u.Due = now.Add(away + checking).UnixMilli()
		d.happens(Late, now, now.Add(away), 0)
		d.version = u.Version
		u.Burst.start(now.Add(away))
		d.end(Away)
		return nil
	}
	if forgets {
		d.happens(LogLost, now, time.Time{}, 0)
		u.forget()
	}
	u.Burst.start(now)
	return d.reboot(now, u.Version)
}
