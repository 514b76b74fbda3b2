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
	OwnerDefers // puts it off once, and then agrees
	OwnerDrawn  // one of these, drawn anew for each update: most agree
)

// ownerOdds are the likelihoods of an owner who is drawn, in the order of owners.
var ownerOdds = []float64{0.6, 0.15, 0.1, 0.15}

// Times of an update, and the codes with which it can fail (LwM2M object 5).
const (
	ownerThinks = 5 * time.Second
	ownerAsked  = 24 * time.Hour // again
	ownerDefers = 8 * time.Hour
	checking    = time.Second     // and installing, and starting
	tellFirst   = 2 * time.Minute // that it installs, where the log can be acknowledged
	codeFlash   = 2
	codeLost    = 4
	codeHash    = 5
	codeFailed  = 8
	codeCancel  = 10
	codeLater   = 11
)

// imageCopies is how often an image must fit into free memory: the one that was fetched, and the one that runs until the new one has proved itself.
const imageCopies = 2

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
	Reference Blob   // of the manifest
	Hash      Blob   // of it, or the beginning of that
	Size      uint64
	URL       Blob // of the image, and its SHA-256, where a manifest said so
	Sum       Blob
	Expires   int64 // Unix seconds, 0: never
	NotBefore int64
	Stage     codec.UpdateStep
	Owner     Owner // who is asked
	Due       int64 // Unix milliseconds of the next step; 0: it is over
	Away      int64 // Unix milliseconds until which the device is switched off
	Later     Later
	Forgotten bool // no step is told any more
	Steps     [stepsKept]Step
	Count     uint8 // steps that were not acknowledged
	News      bool  // there are steps that are worth a message
	Burst     Burst
}

// tellAfter is how long a step must last to be worth a message of its own.
const tellAfter = time.Minute

// step notes a step, and when the next one is. What begins something that may end the device, or ends something, is told at once.
func (u *Update) step(now time.Time, s codec.UpdateStep, code uint8, next time.Duration) {
	u.Stage, u.Due = s, 0
	if next > 0 {
		u.Due = now.Add(next).UnixMilli()
	}
	if u.Forgotten {
		return
	}
	if u.Count == stepsKept { // a link that is down for so long gets the end of the story
		copy(u.Steps[:], u.Steps[1:])
		u.Count--
	}
	u.Steps[u.Count] = Step{s, code, now.UnixMilli()}
	u.Count++
	switch s {
	case codec.StepOffered, codec.StepDownloading, codec.StepDownloaded, codec.StepVerified:
		u.News = u.News || next > tellAfter // the next one will say it as well
	default:
		u.News = true
	}
}

// forget loses the steps that were not told, and keeps those to come to itself.
func (u *Update) forget() {
	clear(u.Steps[:])
	u.Count, u.News, u.Forgotten = 0, false, true
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
	*u = Update{
		Rollout: o.Rollout, Version: o.Version, From: d.version, Reference: Blob(o.Reference), Hash: Blob(o.Hash), Size: o.Size,
		Expires: int64(o.Expires), NotBefore: int64(o.NotBefore), //nolint:gosec // limited by the codec
		Burst: newBurst(o.Burst), Later: u.Later,
	}
	u.step(now, codec.StepOffered, codec.CodeSuccess, 0)
	free := d.config.FreeMemory
	switch {
	case !o.Valid(now.Add(d.clock.offset)):
		d.declines(now, codeCancel)
	case o.Memory > free || d.config.Publisher == nil && o.Size > free/imageCopies || d.pick(d.mishaps().Memory) == 0:
		d.fails(now, codeFlash)
	case o.Consent:
		if u.Owner = d.config.Owner; u.Owner == OwnerDrawn {
			u.Owner = Owner(max(d.pick(ownerOdds...), 0)) //nolint:gosec // few
		}
		u.Due = now.Add(ownerThinks).UnixMilli()
	default:
		u.step(now, codec.StepAccepted, codec.CodeSuccess, checking)
	}
}

// install does the next step of an update if it is due.
func (d *Device) install(now time.Time) error {
	u := &d.update
	if d.session.Blank || d.quiet {
		return nil
	}
	if u.Due == 0 || now.UnixMilli() < u.Due {
		return d.later(now)
	}
	m := d.mishaps()
	switch u.Stage {
	case codec.StepOffered, codec.StepDeferred:
		d.askOwner(now)
	case codec.StepAccepted:
		if code, err := d.examine(now); err != nil {
			d.fails(now, code)
			break
		}
		seconds := float64(u.Size) / float64(d.config.Rate)
		u.step(now, codec.StepDownloading, codec.CodeStarted, max(checking, time.Duration(seconds*float64(time.Second))))
	case codec.StepDownloading:
		switch d.pick(m.BrickDownload, m.Download) {
		case 0:
			d.bricks(now)
		case 1:
			d.fails(now, codeLost)
		default:
			u.step(now, codec.StepDownloaded, codec.CodeSuccess, checking)
		}
	case codec.StepDownloaded:
		if d.pick(m.Verify) == 0 || !d.intact() {
			d.fails(now, codeHash)
			break
		}
		u.step(now, codec.StepVerified, codec.CodeSuccess, max(checking, time.Unix(u.NotBefore, 0).Sub(now.Add(d.clock.offset))))
	case codec.StepVerified:
		u.step(now, codec.StepInstalling, codec.CodeStarted, checking)
	case codec.StepInstalling:
		if (d.logging || u.News) && u.Count > 0 && now.UnixMilli()-u.Steps[u.Count-1].At < tellFirst.Milliseconds() {
			u.Due = now.Add(checking).UnixMilli() // the log that says so is under way
			break
		}
		if !d.writes(now) {
			break
		}
		u.step(now, codec.StepRebooting, codec.CodeStarted, checking)
		return d.restarts(now)
	case codec.StepRebooting:
		return d.proves(now)
	default: // it is over
		u.Due = 0
	}
	return nil
}

// declines ends an update without a try.
func (d *Device) declines(now time.Time, code uint8) {
	d.update.step(now, codec.StepDeclined, code, 0)
	d.happens(Declined, now, time.Time{}, code)
}

// askOwner asks for consent. An offer that ended meanwhile is void.
func (d *Device) askOwner(now time.Time) {
	u := &d.update
	first := u.Stage == codec.StepOffered
	puts := func(off time.Duration) {
		u.step(now, codec.StepDeferred, codeLater, off)
		d.happens(Deferred, now, now.Add(off), codeLater)
	}
	switch {
	case u.Expires != 0 && now.Add(d.clock.offset).Unix() > u.Expires:
		d.declines(now, codeCancel)
	case u.Owner == OwnerDeclines:
		d.declines(now, codec.CodeSuccess)
	case u.Owner == OwnerDefers && first:
		puts(d.config.Deferral)
	case u.Owner != OwnerAbsent:
		u.step(now, codec.StepAccepted, codec.CodeSuccess, checking)
	case first:
		puts(ownerAsked)
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
	d.world.supply.drain = d.update.Later.Watts
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
