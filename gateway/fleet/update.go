package fleet

import (
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// Heard notes a new frame of the device.
func (f *Fleet) Heard(i Index, now time.Time, link string) {
	r := f.at(i)
	r.lastSeen = now.UnixMilli()
	if r.firstSeen == 0 {
		r.firstSeen = r.lastSeen
	}
	if r.since == 0 {
		r.since = r.lastSeen // of epoch 0; of a later one it is known
	}
	r.lastLink = f.strings.id(link)
	r.frames++
}

// HeardAgain notes a repeat of a frame that was stored before.
func (f *Fleet) HeardAgain(i Index) { f.at(i).duplicates++ }

// SetState moves a device to another state. since is noted of one that is rejected or retired.
func (f *Fleet) SetState(i Index, s State, since time.Time) {
	r := f.at(i)
	f.states[r.state]--
	r.state = s
	f.states[s]++
	f.setDismissed(i, since)
}

func (f *Fleet) setDismissed(i Index, since time.Time) {
	if !f.at(i).state.Dismissed() || since.IsZero() {
		delete(f.dismissed, i)
		return
	}
	f.dismissed[i] = milli(since)
}

// SetVersion notes the software version that the device reported. It reports whether that is a change.
func (f *Fleet) SetVersion(i Index, version, build string) bool {
	r := f.at(i)
	changed := false
	if id := f.strings.id(clip(version)); version != "" && id != r.version {
		r.version, changed = id, true
	}
	if id := f.strings.id(clip(build)); build != "" && id != r.build {
		r.build, changed = id, true
	}
	return changed
}

// textMax bounds a text that a device says about itself, in bytes.
const textMax = 64

func clip(s string) string {
	if len(s) > textMax {
		return s[:textMax]
	}
	return s
}

// BootedSince reports whether a hello is of a later boot than the one that the device was last heard to tell of. It counts then even if statuses of
// that boot have overtaken it, as they do where the hello was lost and sent again.
func (f *Fleet) BootedSince(i Index, h *codec.Hello) bool {
	r := f.at(i)
	return h.BootCount > r.bootCount
}

// ApplyHello notes what a hello says. Templates fill the slots in their order; a device that names none keeps what it has.
func (f *Fleet) ApplyHello(i Index, h *codec.Hello) (versionChanged bool) {
	r := f.at(i)
	for s, t := range h.Templates {
		if s < TemplateSlots {
			r.slots[s] = f.templates.id(TemplateHash(t))
		}
	}
	if h.Hardware != "" {
		r.hardware = f.strings.id(clip(h.Hardware))
	}
	r.freeMemory = h.FreeMemory
	r.bootCount = h.BootCount
	r.resetCause = h.ResetCause
	return f.SetVersion(i, h.Version, hex.EncodeToString(h.Build))
}

// NextDown takes the next downlink counter of the device's epoch.
func (f *Fleet) NextDown(i Index) uint64 {
	r := f.at(i)
	r.down++
	return r.down
}

// An Approval is what an operator may change of a pending device.
type Approval struct {
	Product  string // "" keeps
	Customer string
}

// Approve makes a device active that is not: one that waits, or was rejected or retired.
func (f *Fleet) Approve(i Index, a Approval) error {
	r := f.at(i)
	if r.state == Active {
		return fmt.Errorf("approve a device that is %s: %w", r.state, ErrState)
	}
	for _, s := range []string{a.Product, a.Customer} {
		if s != "" && !ValidToken(s) {
			return fmt.Errorf("%q: want 1 to %d of A-Z a-z 0-9 _ -", s, NameMax)
		}
	}
	if a.Product != "" {
		r.product = f.strings.id(a.Product)
	}
	if a.Customer != "" {
		r.customer = f.strings.id(a.Customer)
	}
	f.SetState(i, Active, time.Time{})
	return nil
}

// Reject makes a device's frames unwelcome. Its record stays, so that it cannot register again.
func (f *Fleet) Reject(i Index, now time.Time) error {
	if r := f.at(i); r.state.Dismissed() {
		return fmt.Errorf("reject a device that is %s: %w", r.state, ErrState)
	}
	f.SetState(i, Rejected, now)
	return nil
}

// Retire takes a device out of service: its frames are unwelcome from now on.
func (f *Fleet) Retire(i Index, now time.Time) error {
	if r := f.at(i); r.state != Active {
		return fmt.Errorf("retire a device that is %s: %w", r.state, ErrState)
	}
	f.SetState(i, Retired, now)
	return nil
}

// SetTemplate puts a template into a slot.
func (f *Fleet) SetTemplate(i Index, slot uint8, h TemplateHash) {
	if slot < TemplateSlots {
		f.at(i).slots[slot] = f.templates.id(h)
	}
}

// AcceptAddress lets downlinks that cost money go to an address that the device is known by, and to no other one of its bearer from now on: a device
// that was given another card is not reached by the number of the one before.
func (f *Fleet) AcceptAddress(i Index, bearer, id string) bool {
	list := f.addresses[i]
	k := slices.IndexFunc(list, func(a DeviceAddress) bool { return a.Bearer == bearer && a.ID == id })
	if k < 0 {
		return false
	}
	a := list[k]
	a.Accepted = true
	copy(list[1:], list[:k])
	list[0] = a
	return true
}

// Used says that a frame of an epoch was taken, by what is known elsewhere: nothing at or below it is new.
func (f *Fleet) Used(i Index, epoch uint32, counter uint64, now time.Time) {
	g := f.Session(i)
	g.Used(epoch, counter, now)
	f.SetSession(i, &g, nil)
}
