package fleet

import (
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
)

// second is what only a device between two epochs has: one that was told of the next, that has just left the last, or that is asked to prove
// that it is there.
type second struct {
	epoch        session.Epoch
	role         session.Role
	until        int64
	limit        uint64
	challenge    codec.Nonce
	challengeAt  int64
	challengedAt int64
	keys         epochKeys
	up4          codec.SealKey
}

// epochKeys are the keys of one epoch that are always at hand.
type epochKeys struct {
	up8 codec.SealKey
	ack [32]byte
}

func deriveKeys(dev *[32]byte, salt []byte, number, epoch uint32) epochKeys {
	return epochKeys{
		up8: codec.DeriveSealKey(dev, salt, codec.LabelUp8, number, epoch),
		ack: codec.DeriveAckKey(dev, salt, number, epoch),
	}
}

// Session is a copy of what is known of the device's epochs.
func (f *Fleet) Session(i Index) session.Gateway {
	r := f.at(i)
	g := session.Gateway{
		Current:   session.Epoch{Number: r.epoch, Salt: r.salt, Counters: r.counters, Down: r.down, Since: r.since},
		Allocated: r.allocated, Boot: r.joinBoot, Guard: r.guard, Least: r.least, Failures: r.failures,
	}
	if s := f.second[i]; s != nil {
		g.Second, g.Role, g.Until, g.Limit = s.epoch, s.role, s.until, s.limit
		g.Challenge, g.ChallengeAt, g.ChallengedAt = s.challenge, s.challengeAt, s.challengedAt
	}
	return g
}

// SetSession takes a changed copy back. The keys of an epoch that is new are derived from the device key; it may be nil if there is none. The
// change becomes durable with the device's row.
func (f *Fleet) SetSession(i Index, g *session.Gateway, dev *[32]byte) {
	r := f.at(i)
	old := f.second[i]
	now := second{
		epoch: g.Second, role: g.Role, until: g.Until, limit: g.Limit,
		challenge: g.Challenge, challengeAt: g.ChallengeAt, challengedAt: g.ChallengedAt,
	}
	keys, up4 := r.keys, f.up4[i]
	switch {
	case sameEpoch(&g.Current, r.epoch, r.salt):
	case old != nil && sameEpoch(&g.Current, old.epoch.Number, old.epoch.Salt):
		r.keys = old.keys
		if r.tagLen == 4 {
			f.up4[i] = old.up4
		}
	case dev != nil:
		r.keys = deriveKeys(dev, g.Current.SaltBytes(), r.number, g.Current.Number)
		if r.tagLen == 4 {
			f.up4[i] = codec.DeriveSealKey(dev, g.Current.SaltBytes(), codec.LabelUp4, r.number, g.Current.Number)
		}
	}
	switch {
	case g.Role == session.Alone:
	case sameEpoch(&g.Second, r.epoch, r.salt):
		now.keys, now.up4 = keys, up4
	case old != nil && old.role != session.Alone && sameEpoch(&g.Second, old.epoch.Number, old.epoch.Salt):
		now.keys, now.up4 = old.keys, old.up4
	case dev != nil:
		now.keys = deriveKeys(dev, g.Second.SaltBytes(), r.number, g.Second.Number)
		if r.tagLen == 4 {
			now.up4 = codec.DeriveSealKey(dev, g.Second.SaltBytes(), codec.LabelUp4, r.number, g.Second.Number)
		}
	}
	r.epoch, r.salt, r.counters, r.down, r.since = g.Current.Number, g.Current.Salt, g.Current.Counters, g.Current.Down, g.Current.Since
	r.allocated, r.joinBoot, r.guard, r.least, r.failures = g.Allocated, g.Boot, g.Guard, g.Least, g.Failures
	r.role = g.Role
	if g.Role == session.Alone && g.ChallengeAt == 0 && g.ChallengedAt == 0 {
		delete(f.second, i)
		return
	}
	f.second[i] = &now
}

func sameEpoch(e *session.Epoch, number uint32, salt [session.SaltLen]byte) bool {
	return e.Number == number && e.Salt == salt
}

// HasSecond reports whether the device has a second epoch that is to be tried now.
func (f *Fleet) HasSecond(i Index, now time.Time) bool {
	r := f.at(i)
	if r.role == session.Alone {
		return false
	}
	s := f.second[i]
	return s != nil && (r.role == session.Pending || now.UnixMilli() < s.until)
}

// Second is the device's second epoch with its counters and the key that opens its uplinks with the given tag length. Nil if there is none, or
// no key is at hand.
func (f *Fleet) Second(i Index, tagLen uint8) (*session.Epoch, codec.SealKey) {
	r, s := f.at(i), f.second[i]
	if s == nil || s.role == session.Alone || !r.keyed {
		return nil, codec.SealKey{}
	}
	if tagLen == 4 {
		return &s.epoch, s.up4
	}
	return &s.epoch, s.keys.up8
}

// AckOf gives counters and acknowledgement key of one of the device's two epochs; nil if it is neither.
func (f *Fleet) AckOf(i Index, epoch uint32) (*session.Counters, *[32]byte) {
	r := f.at(i)
	if epoch == r.epoch {
		return &r.counters, &r.keys.ack
	}
	if s := f.second[i]; s != nil && s.role != session.Alone && s.epoch.Number == epoch {
		return &s.epoch.Counters, &s.keys.ack
	}
	return nil, nil
}

// JoinKey is the key that the device's joins are authenticated with; false if the device has no key at hand.
func (f *Fleet) JoinKey(i Index) (*[32]byte, bool) {
	r := f.at(i)
	return &r.join, r.keyed
}

// Fail counts a frame that claimed to be of the device and did not verify. It reports whether the alarm for too many is due.
func (f *Fleet) Fail(i Index) bool {
	r := f.at(i)
	g := session.Gateway{Failures: r.failures}
	due := g.Fail()
	r.failures = g.Failures
	return due
}

// RekeyDue reports whether the device's epoch has come to one of its ends: by its frames or its age, or, if free says that a message to the
// device costs nothing, by the frames that did not verify.
func (f *Fleet) RekeyDue(i Index, now time.Time, free bool) bool {
	r := f.at(i)
	g := session.Gateway{Current: session.Epoch{Counters: r.counters, Since: r.since}}
	return g.RekeyDue(now) || free && r.failures >= session.FailuresMax
}

// Prune forgets previous epochs whose grace is over, and challenges of long ago. It returns the devices whose row changes, in order.
func (f *Fleet) Prune(now time.Time) []Index {
	var changed []Index
	ms, life := now.UnixMilli(), session.ChallengeLife.Milliseconds()
	for i, s := range f.second {
		if s.role == session.Pending || s.role == session.Previous && ms < s.until || ms-max(s.challengeAt, s.challengedAt) < life {
			continue
		}
		g := f.Session(i)
		g.Second, g.Role, g.Until, g.Limit, g.ChallengeAt, g.ChallengedAt = session.Epoch{}, session.Alone, 0, 0, 0, 0
		f.SetSession(i, &g, nil)
		changed = append(changed, i)
	}
	slices.Sort(changed)
	return changed
}

// Lost says of all devices that what is known of them is that of a backup.
func (f *Fleet) Lost(now time.Time) {
	for k := range f.len {
		i := Index(k)
		g := f.Session(i)
		g.Lost(now)
		f.SetSession(i, &g, nil)
	}
}

// Disown says of all devices that nobody knows which of their frames were taken.
func (f *Fleet) Disown(now time.Time) {
	for k := range f.len {
		i := Index(k)
		g := f.Session(i)
		g.Disown(now)
		f.SetSession(i, &g, nil)
	}
}

// All calls yield with every device.
func (f *Fleet) All(yield func(Index) bool) {
	for k := range f.len {
		if !yield(Index(k)) {
			return
		}
	}
}
