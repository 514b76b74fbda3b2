package session

import (
	"errors"

	"github.com/godwit-gateway/godwit/codec"
)

// JoinFrames is how many counters of an epoch a device uses before it asks for a new one by itself.
const JoinFrames = 2 * FramesMax

// ErrMustJoin is returned when a device would seal without knowing what it sealed before.
var ErrMustJoin = errors.New("nothing is remembered: join first")

// A Kept is what a device keeps of an epoch.
type Kept struct {
	Number uint32
	Salt   [SaltLen]byte
	Down   uint64 // one above the highest downlink counter that was taken, 0 if none was
	Last   uint64 // one above the last uplink counter; of the previous epoch only
}

// SaltBytes is the salt as keys are derived from it.
func (k *Kept) SaltBytes() []byte {
	if k.Number == 0 {
		return nil
	}
	return k.Salt[:]
}

// A Memory is what a device's permanent memory holds of its session. The zero value is that of a device as it leaves the factory; what is read
// from a memory that lost its content is Blank.
type Memory struct {
	Blank    bool   // nothing is remembered, not even whether something was ever sealed
	Boot     uint32 // boot counter of the last attempt to join
	Reserved uint64 // counters below it may be used up
	Current  Kept
	Previous Kept
	Two      bool // there is a previous epoch
}

// A Device is the device's side of its session between two restarts. After each method that changes Memory, and before anything is sent that
// follows from it, the memory must be written, all in one.
type Device struct {
	Memory
	sender  Sender
	bits    uint8
	attempt codec.Join
	joining bool
}

// NewDevice starts with what permanent memory holds. ctrBits is the width of the counter on air.
func NewDevice(m Memory, ctrBits uint8) Device {
	return Device{Memory: m, sender: NewSender(m.Reserved, ctrBits), bits: ctrBits}
}

// Next takes the next counter of the current epoch. If it is not reserved yet, it reserves some, and write says that the memory must be written
// before the counter is used. The error is ErrMustJoin, or wraps codec.ErrExhausted.
func (d *Device) Next() (counter uint64, write bool, err error) {
	if d.Blank {
		return 0, false, ErrMustJoin
	}
	reserved, write := d.sender.Reserve()
	if write {
		d.sender.Persisted(reserved)
		d.Reserved = reserved
	}
	counter, err = d.sender.Next()
	return counter, write, err
}

// Upcoming is the counter that Next gives next.
func (d *Device) Upcoming() uint64 { return d.sender.next }

// Last is the last counter that may have been taken in the current epoch, or in the previous one.
func (d *Device) Last(previous bool) (uint64, bool) {
	if previous {
		return d.Previous.Last - 1, d.Two && d.Previous.Last > 0
	}
	return d.sender.Last()
}

// Join begins an attempt with an unpredictable random number. The memory must be written before the request leaves.
func (d *Device) Join(number, random uint32) codec.Join {
	d.Boot++
	d.attempt, d.joining = codec.Join{Number: number, Boot: d.Boot, Random: random}, true
	return d.attempt
}

// Joining is the attempt under way.
func (d *Device) Joining() (codec.Join, bool) { return d.attempt, d.joining }

// JoinDue reports whether the device must, or should, ask for a new epoch because of what it remembers.
func (d *Device) JoinDue() bool {
	last, ok := d.sender.Last()
	return d.Blank || ok && last >= JoinFrames
}

// Heard says that something authentic came in the current epoch that answers the device: an attempt that only silence was the reason for is over.
func (d *Device) Heard() {
	if !d.JoinDue() {
		d.joining = false
	}
}

// Challenged takes a challenge. If it verifies for the attempt under way, it is to be confirmed.
func (d *Device) Challenged(f *codec.JoinFrame, key *[32]byte) error {
	if !d.joining || f.Type != codec.ControlChallenge {
		return codec.ErrAuth
	}
	f.Join = d.attempt
	return f.Verify(key)
}

// Accepted takes an acceptance. If it verifies for the attempt under way, the device is in the new epoch.
func (d *Device) Accepted(f *codec.JoinFrame, key *[32]byte) error {
	if !d.joining || f.Type != codec.ControlJoinAccept {
		return codec.ErrAuth
	}
	f.Join = d.attempt
	if err := f.Verify(key); err != nil {
		return err
	}
	d.enter(f.Epoch, d.attempt.Salt(f.Nonce))
	return nil
}

// Rekeyed takes a rekey that was opened in the current or the previous epoch. It reports whether the device is in a new epoch.
func (d *Device) Rekeyed(r codec.Rekey) bool {
	if d.Blank || r.Epoch <= d.Current.Number {
		return false
	}
	d.enter(r.Epoch, r.Salt)
	return true
}

// enter begins an epoch. The attempt ends with it, whatever came of it: an acceptance that arrives later may be for an epoch in which counters
// were used already.
func (d *Device) enter(epoch uint32, salt [SaltLen]byte) {
	d.Two = !d.Blank
	if d.Two {
		d.Previous = d.Current
		d.Previous.Last = 0
		if last, ok := d.sender.Last(); ok {
			d.Previous.Last = last + 1
		}
	}
	d.Current, d.Reserved, d.Blank, d.joining = Kept{Number: epoch, Salt: salt}, 0, false, false
	d.sender = NewSender(0, d.bits)
}

// Kept is the current or the previous epoch.
func (d *Device) Kept(previous bool) *Kept {
	if previous {
		return &d.Previous
	}
	return &d.Current
}

// Complete completes the counter of a downlink from its low bits.
func (k *Kept) Complete(low uint64, bits uint8) uint64 {
	highest := k.Down
	if k.Down > 0 {
		highest--
	}
	return codec.CompleteCounter(low, bits, highest, k.Down > 0)
}

// Take notes the counter of a downlink that verified. It reports false for one that was taken before, or may have been.
func (k *Kept) Take(counter uint64) bool {
	if counter < k.Down {
		return false
	}
	k.Down = counter + 1
	return true
}
