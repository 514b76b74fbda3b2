package device

import (
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// An Owner is who has to agree to an update that needs consent.
type Owner uint8

// Owners.
const (
	OwnerAgrees Owner = iota
	OwnerDeclines
	OwnerAbsent // nobody looks: the update is put off until its offer ends
)

// Times of an update, and the codes with which it can fail (LwM2M object 5).
const (
	ownerThinks = 5 * time.Second
	ownerAsked  = 24 * time.Hour // again
	checking    = time.Second    // and installing, and starting
	codeFlash   = 2
	codeLost    = 4
	codeHash    = 5
	codeFailed  = 8
	codeCancel  = 10
	codeLater   = 11
)

// imageCopies is how often an image must fit into free memory: the one that was fetched, and the one that runs until the new one has proved itself.
const imageCopies = 2

// Mishaps are the likelihoods of what may go wrong in an update.
type Mishaps struct{ Download, Verify, Start float64 }

// stepsKept is how many steps that nobody acknowledged are remembered; a good update has nine.
const stepsKept = 12

// A Step is a step of an update as a device remembers it.
type Step struct {
	Step codec.UpdateStep
	Code uint8
	At   int64 // Unix milliseconds
}

// An Update is what a device's permanent memory holds of an update. The zero value is that of a device that was never offered one.
type Update struct {
	Rollout   uint32
	Version   string // that it leads to
	From      string // that it came from
	Size      uint64
	Expires   int64 // Unix seconds, 0: never
	NotBefore int64
	Stage     codec.UpdateStep
	Due       int64 // Unix milliseconds of the next step; 0: it is over
	Steps     [stepsKept]Step
	Count     uint8 // steps that were not acknowledged
	News      bool  // there are steps that are worth a message
	Burst     Burst
}

// step notes a step, and when the next one is.
func (u *Update) step(now time.Time, s codec.UpdateStep, code uint8, next time.Duration) {
	if u.Count == stepsKept { // a link that is down for so long gets the end of the story
		copy(u.Steps[:], u.Steps[1:])
		u.Count--
	}
	u.Steps[u.Count] = Step{s, code, now.UnixMilli()}
	u.Count++
	u.Stage, u.Due = s, 0
	if next > 0 {
		u.Due = now.Add(next).UnixMilli()
	}
	switch s {
	case codec.StepOffered, codec.StepDownloading, codec.StepVerified, codec.StepInstalling: // the next one will say it as well
	default:
		u.News = true
	}
}

// told forgets the oldest steps: a log of them was acknowledged.
func (u *Update) told(rollout uint32, n uint8) {
	if rollout != u.Rollout {
		return
	}
	n = min(n, u.Count)
	copy(u.Steps[:], u.Steps[n:u.Count])
	u.Count -= n
	clear(u.Steps[u.Count:])
}

// offered takes an offer, unless it was taken before or another update is under way. It is looked at once at the next Poll.
func (d *Device) offered(body []byte) error {
	o, err := codec.DecodeOffer(body)
	if err != nil {
		return err
	}
	if d.update.Due == 0 && (d.update.Stage == 0 || o.Rollout != d.update.Rollout) {
		d.orders.offer = &o
	}
	return nil
}

// begin looks at an offer: whether it still stands, whether there is memory for it, and whether somebody must be asked.
func (d *Device) begin(now time.Time, o *codec.Offer) {
	u := &d.update
	*u = Update{Rollout: o.Rollout, Version: o.Version, From: d.version, Size: o.Size, Expires: int64(o.Expires), NotBefore: int64(o.NotBefore), Burst: newBurst(o.Burst)} //nolint:gosec // limited by the codec
	u.step(now, codec.StepOffered, codec.CodeSuccess, 0)
	free := d.config.FreeMemory
	switch {
	case !o.Valid(now.Add(d.clock.offset)):
		u.step(now, codec.StepDeclined, codeCancel, 0)
	case o.Memory > free || o.Size > free/imageCopies:
		u.step(now, codec.StepFailed, codeFlash, 0)
	case o.Consent:
		u.Due = now.Add(ownerThinks).UnixMilli()
	default:
		u.step(now, codec.StepAccepted, codec.CodeSuccess, checking)
	}
}

// install does the next step of an update if it is due.
func (d *Device) install(now time.Time) error {
	u := &d.update
	if u.Due == 0 || now.UnixMilli() < u.Due || d.session.Blank || d.quiet {
		return nil
	}
	chance := func(p float64) bool { return d.rng.Float64() < p }
	switch u.Stage {
	case codec.StepOffered, codec.StepDeferred:
		d.askOwner(now)
	case codec.StepAccepted:
		seconds := float64(u.Size) / float64(d.config.Rate)
		u.step(now, codec.StepDownloading, codec.CodeStarted, max(checking, time.Duration(seconds*float64(time.Second))))
	case codec.StepDownloading:
		if chance(d.config.Mishaps.Download) {
			u.step(now, codec.StepFailed, codeLost, 0)
			break
		}
		u.step(now, codec.StepDownloaded, codec.CodeSuccess, checking)
	case codec.StepDownloaded:
		if chance(d.config.Mishaps.Verify) {
			u.step(now, codec.StepFailed, codeHash, 0)
			break
		}
		u.step(now, codec.StepVerified, codec.CodeSuccess, max(checking, time.Unix(u.NotBefore, 0).Sub(now.Add(d.clock.offset))))
	case codec.StepVerified:
		u.step(now, codec.StepInstalling, codec.CodeStarted, checking)
	case codec.StepInstalling:
		u.step(now, codec.StepRebooting, codec.CodeStarted, checking)
		u.Burst.start(now)
		return d.reboot(now, u.Version)
	case codec.StepRebooting:
		if chance(d.config.Mishaps.Start) {
			u.step(now, codec.StepRolledBack, codeFailed, 0)
			u.Burst.end()
			return d.reboot(now, u.From)
		}
		u.step(now, codec.StepConfirmed, codec.CodeSuccess, 0)
	default: // it is over
		u.Due = 0
	}
	return nil
}

// askOwner asks for consent. An offer that ended meanwhile is void.
func (d *Device) askOwner(now time.Time) {
	u := &d.update
	switch {
	case u.Expires != 0 && now.Add(d.clock.offset).Unix() > u.Expires:
		u.step(now, codec.StepDeclined, codeCancel, 0)
	case d.config.Owner == OwnerDeclines:
		u.step(now, codec.StepDeclined, codec.CodeSuccess, 0)
	case d.config.Owner == OwnerAgrees:
		u.step(now, codec.StepAccepted, codec.CodeSuccess, checking)
	case u.Stage == codec.StepOffered:
		u.step(now, codec.StepDeferred, codeLater, ownerAsked)
	default:
		u.Due = now.Add(ownerAsked).UnixMilli()
	}
}

// reboot starts a software. What was sent and not acknowledged outlives it; what later statuses could be counted from does not.
func (d *Device) reboot(now time.Time, version string) error {
	d.boots++
	d.version = version
	d.statuses = statuses{}
	d.restarted, d.world.boot = true, d.world.now
	return d.hello(now)
}

// journal sends a step log if there is news, and none is under way: its acknowledgement decides what the next one must hold.
func (d *Device) journal(now time.Time) error {
	u := &d.update
	if !u.News || u.Count == 0 || d.logging || d.quiet || d.session.Blank || len(d.pending) >= d.config.PendingMax {
		return nil
	}
	clock := now.Add(d.clock.offset)
	l := codec.StepLog{Rollout: u.Rollout, HasClock: d.clock.sure && !d.config.Stored, Clock: codec.ClockOf(clock)}
	for _, s := range u.Steps[:u.Count] {
		l.Steps = append(l.Steps, codec.StepEntry{Step: s.Step, Code: s.Code, Age: max(0, now.Sub(time.UnixMilli(s.At)))})
	}
	b, err := codec.AppendStepLog(nil, &l)
	if err != nil {
		return err
	}
	if err := d.enqueue(now, messageHeader(!d.config.Stored), b, nil); err != nil {
		return err
	}
	u.News, d.logging = false, true
	d.pending[len(d.pending)-1].tag = tag{steps: u.Count, rollout: u.Rollout}
	return nil
}
