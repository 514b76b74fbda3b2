package core

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/presence"
	"github.com/godwit-gateway/godwit/scheduler/row"
)

// quiet is the quiet hours that somebody told a device. Few devices have any, so they are beside the others.
type quiet struct {
	kept     presence.Hours // those that it keeps, as far as is known
	told     presence.Hours // those that it was told since, and may keep
	at       uint32         // Unix seconds of that; 0: it acknowledged all
	order    uint64         // which told it them
	revision uint8          // of the policy that told it last
}

// may is the hours in which nothing can be held against the device.
func (q *quiet) may() presence.Hours {
	if q.at == 0 {
		return q.kept
	}
	return q.kept.Or(q.told)
}

// ToldQuiet says that somebody tells a device in which hours it is to say nothing; none: that it may always speak. They are what it keeps once it says so by
// the revision, of which its low bits count; until then nothing is held against it in those that it had either.
func (k *Core) ToldQuiet(o Order, at Place, hours presence.Hours, revision uint8) {
	if k.at(at) == nil {
		return
	}
	q := k.hushed[at]
	if q == nil {
		q = new(quiet)
		k.hushed[at] = q
	}
	q.kept = q.may()
	q.told, q.at, q.order, q.revision = hours, max(stamp(o.At), 1), o.Number, revision
	k.hush(o.At, at)
	k.touch(at)
}

// hush tells presence of a device's quiet hours, if it has been told of the device.
func (k *Core) hush(now time.Time, at Place) {
	if q, d := k.hushed[at], k.find(at); q != nil && d != nil && d.watched {
		k.model.Hush(&d.presence, q.may())
		k.await(now, at)
	}
}

// keeps notes that a device runs the policy of a revision, if that told it quiet hours.
func (k *Core) keeps(now time.Time, at Place, revision uint8) {
	if q := k.hushed[at]; q != nil && q.at != 0 && q.revision == revision {
		q.kept, q.told, q.at = q.told, nil, 0
		k.hush(now, at)
		k.touch(at)
	}
}

// untold says that the quiet hours of an order never left, and never will.
func (k *Core) untold(now time.Time, at Place, o Order) {
	if q := k.hushed[at]; q != nil && q.at != 0 && q.at == max(stamp(o.At), 1) && q.order == o.Number {
		q.told, q.at = nil, 0
		k.hush(now, at)
		k.touch(at)
	}
}

// Quiet is for how long at a time a device may say nothing besides its interval; 0: it has no quiet hours.
func (k *Core) Quiet(at Place) scheduler.Secs {
	if d := k.find(at); d != nil {
		return scheduler.Secs(k.model.Longest(&d.presence))
	}
	return 0
}

func (q *quiet) append(b []byte) []byte {
	for _, hours := range [...]presence.Hours{q.kept, q.told} {
		b = binary.AppendUvarint(b, uint64(len(hours)))
		for _, minute := range hours {
			b = binary.AppendUvarint(b, uint64(minute))
		}
	}
	return binary.AppendUvarint(append(binary.AppendUvarint(b, uint64(q.at)), q.revision), q.order)
}

const minutesOfDay = 24 * 60

func readQuiet(r *row.Reader, version byte) *quiet {
	q := new(quiet)
	for _, hours := range [...]*presence.Hours{&q.kept, &q.told} {
		n := r.Uvarint(minutesOfDay)
		r.Bad = r.Bad || n%2 != 0
		for ; n > 0 && !r.Bad; n-- {
			*hours = append(*hours, uint16(r.Uvarint(minutesOfDay-1))) //nolint:gosec // bounded
		}
	}
	q.at, q.revision = uint32(r.Uvarint(math.MaxUint32)), r.Byte() //nolint:gosec // bounded
	if version > rowThird {
		q.order = r.Uvarint(math.MaxUint64)
	}
	return q
}
