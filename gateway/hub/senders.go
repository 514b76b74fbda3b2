package hub

import "time"

// dayCount counts within one day of UTC.
type dayCount struct {
	day int64
	n   uint32
}

// add counts one more and returns the day's count.
func (d *dayCount) add(day int64) uint32 {
	if d.day != day {
		*d = dayCount{day: day}
	}
	d.n++
	return d.n
}

func (d *dayCount) count(day int64) uint32 {
	if d.day != day {
		return 0
	}
	return d.n
}

// senderLimits counts per sender and day in tables of fixed size. Two senders that share a place share a limit: that can only keep out
// more, and forging senders cannot make the tables grow.
type senderLimits struct {
	kept   [4096]dayCount // unverified payloads stored, by sender
	told   [4096]dayCount // events about a new address, by device and address
	tagged [4096]dayCount // failed 4-byte tags, by device
}

func newSenderLimits() *senderLimits { return new(senderLimits) }

func place(key uint64) int {
	key *= 0x9e3779b97f4a7c15 // spreads small numbers over the table
	return int(key >> 52)
}

// keepUnverified admits the storing of one more unverified payload of a sender.
func (s *senderLimits) keepUnverified(sender uint64, now time.Time) bool {
	return s.kept[place(sender)].add(dayOf(now)) <= quarantineDay
}

// firstToday reports whether the key comes by for the first time today.
func (s *senderLimits) firstToday(key uint64, now time.Time) bool {
	return s.told[place(key)].add(dayOf(now)) == 1
}

// admitWeak decides whether a 4-byte tag is tried: at most tagFailuresDay failures per device and day, and once a link saw more than
// weakFailuresDay only for senders that the device is known by.
func (s *senderLimits) admitWeak(l *link, number uint64, now time.Time, senderKnown bool) bool {
	day := dayOf(now)
	if s.tagged[place(number)].count(day) >= tagFailuresDay {
		return false
	}
	return senderKnown || l.weak.count(day) <= weakFailuresDay
}

func (s *senderLimits) failWeak(l *link, number uint64, now time.Time) {
	day := dayOf(now)
	s.tagged[place(number)].add(day)
	l.weak.add(day)
}
