package session

import (
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// Limits of an epoch (SPEC §6).
const (
	FramesMax   = 1 << 20              // counters of an epoch before the gateway wants a new one
	FailuresMax = 1 << 14              // frames that did not verify before it raises an alarm
	AgeMax      = 365 * 24 * time.Hour // of an epoch
	Grace       = 7 * 24 * time.Hour   // frames of the previous epoch are taken for so long: the validity of a text message
	GraceFrames = 1024                 // and up to so many counters above the highest verified

	ChallengeEvery = time.Hour      // between two challenges that cost money
	ChallengeLife  = 24 * time.Hour // a challenge that was not confirmed is said again for so long
)

// SaltLen is the length of a salt, but for that of epoch 0, which has none.
const SaltLen = 16

// An Epoch is a set of keys, and what was used of it. Epoch 0 is that of the factory: its salt is empty.
type Epoch struct {
	Number   uint32
	Salt     [SaltLen]byte
	Counters Counters // of the uplinks
	Down     uint64   // the last downlink counter used, 0 if none
	Since    int64    // Unix milliseconds of its first frame, 0 not known
}

// SaltBytes is the salt as keys are derived from it.
func (e *Epoch) SaltBytes() []byte {
	if e.Number == 0 {
		return nil
	}
	return e.Salt[:]
}

// A Role is what the second epoch of a gateway is.
type Role uint8

// Roles.
const (
	Alone    Role = iota // there is no second epoch
	Pending              // the device was told of it, or will be, and was not heard in it
	Previous             // the device has left it; what is under way is still taken
)

// String names the role.
func (r Role) String() string {
	switch r {
	case Pending:
		return "pending"
	case Previous:
		return "previous"
	case Alone:
		return "none"
	default:
		return "invalid"
	}
}

// A Gateway is what a gateway knows of one device's epochs. All of it is durable with the device's row; whatever a method changes must be on
// disk before anything is sent that follows from it.
//
// Frames are tried with the current epoch and then with the second one. Which of them verified, the caller says with second.
type Gateway struct {
	Current Epoch
	Second  Epoch
	Role    Role
	Until   int64  // Unix milliseconds: the end of a previous epoch's grace
	Limit   uint64 // the highest counter of a previous epoch that is taken

	Allocated uint32 // the highest epoch ever used, on disk or not
	Boot      uint32 // the highest boot counter of a join; the highest there is if that is not known
	Guard     uint32 // not 0: a backup was restored, and the device was not heard since in an epoch above this one
	Least     uint32 // epochs below it are refused: nobody knows what was taken of them
	Failures  uint32 // frames that did not verify in the current epoch

	Challenge    codec.Nonce // not confirmed yet, if ChallengeAt is set
	ChallengeAt  int64       // Unix milliseconds of its making
	ChallengedAt int64       // Unix milliseconds of the last one that cost money
}

// Has reports whether a second epoch is to be tried.
func (g *Gateway) Has(now time.Time) bool {
	return g.Role == Pending || g.Role == Previous && now.UnixMilli() < g.Until
}

func (g *Gateway) epoch(second bool) *Epoch {
	if second {
		return &g.Second
	}
	return &g.Current
}

// Classify says what a verified counter is. One beyond what is taken of a previous epoch is TooOld.
func (g *Gateway) Classify(second bool, counter uint64) Class {
	if g.epoch(second).Number < g.Least || second && g.Role == Previous && counter > g.Limit {
		return TooOld
	}
	return g.epoch(second).Counters.Classify(counter)
}

// Accept notes a verified counter. If it is the first of the pending epoch, that becomes the current one, and Accept returns true: what was
// second is current now.
func (g *Gateway) Accept(second bool, counter uint64, now time.Time) (switched bool) {
	g.epoch(second).Counters.Accept(counter)
	if !second || g.Role != Pending {
		return false
	}
	g.Current, g.Second, g.Role = g.Second, g.Current, Previous
	g.Current.Since = now.UnixMilli()
	g.Until = now.Add(Grace).UnixMilli()
	g.Limit = g.Second.Counters.Highest + GraceFrames
	g.Failures, g.ChallengeAt = 0, 0
	if g.Current.Number > g.Guard {
		g.Guard = 0
	}
	return true
}

// NextDown takes the next downlink counter of the current epoch. It must be on disk before it is used.
func (g *Gateway) NextDown() uint64 {
	g.Current.Down++
	return g.Current.Down
}

// Fail counts a frame that did not verify. It reports whether that is the one at which an alarm is due.
func (g *Gateway) Fail() bool {
	if g.Failures < FailuresMax {
		g.Failures++
		return g.Failures == FailuresMax
	}
	return false
}

// begin makes a new epoch the pending one; false if there are no numbers left.
func (g *Gateway) begin(salt [SaltLen]byte) bool {
	if g.Allocated == 1<<32-1 {
		return false
	}
	g.Allocated++
	g.Second, g.Role = Epoch{Number: g.Allocated, Salt: salt}, Pending
	return true
}

// RekeyDue reports whether the current epoch has come to one of its ends.
func (g *Gateway) RekeyDue(now time.Time) bool {
	e := &g.Current
	return e.Counters.Seen && e.Counters.Highest >= FramesMax || e.Since > 0 && now.UnixMilli()-e.Since >= AgeMax.Milliseconds()
}

// Rekey begins a new epoch with a random salt, or returns the pending one: whatever told the device of it, it may already be there. One that a
// backup brought back is not told again: the device may be in a later one, and takes none that is below. False if there are no epochs left.
func (g *Gateway) Rekey(salt [SaltLen]byte) (codec.Rekey, bool) {
	if (g.Role != Pending || g.Second.Number <= g.Guard) && !g.begin(salt) {
		return codec.Rekey{}, false
	}
	return codec.Rekey{Epoch: g.Second.Number, Salt: g.Second.Salt}, true
}

// Lost says that what is known is that of a backup: since then epochs may have begun, downlinks been sealed, joins been accepted. The numbers
// go on from the time, so that they are new also if the same backup is restored again: 256 downlinks and one epoch for each second since 1970
// are more than any gateway used, and fit a counter and an epoch until 2106.
func (g *Gateway) Lost(now time.Time) {
	seconds := uint64(max(0, min(now.Unix(), 1<<32-2)))
	g.Allocated = max(g.Allocated, uint32(seconds))
	g.Guard = g.Allocated
	g.Current.Down = max(g.Current.Down, seconds<<8)
	g.Second.Down = max(g.Second.Down, seconds<<8)
	// Which boot counters were used since is not known either, nor will it ever be: from now on each join is challenged.
	g.Boot = 1<<32 - 1
	// A challenge of the backup may have been confirmed since, and there may have been one a moment ago.
	g.ChallengeAt, g.ChallengedAt = 0, now.UnixMilli()
}

// Disown says that nobody knows which frames were taken so far: what is Lost, and also the counters of all epochs up to now. None of their frames is
// taken any more, since each may have been taken before. The device must join.
func (g *Gateway) Disown(now time.Time) {
	g.Lost(now)
	g.Least = min(g.Guard, 1<<32-2) + 1
}

// Used says that a frame of an epoch is known to have been taken, by what is known elsewhere: it is never taken again, nor is an epoch up to
// this one begun. It returns what Accept does.
func (g *Gateway) Used(epoch uint32, counter uint64, now time.Time) (switched bool) {
	g.Allocated = max(g.Allocated, epoch)
	switch {
	case epoch == g.Current.Number:
		return g.Accept(false, counter, now)
	case g.Role != Alone && epoch == g.Second.Number:
		return g.Accept(true, counter, now)
	}
	return false
}
