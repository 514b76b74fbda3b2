package hub

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/store"
)

// A Published is an event that the stream has and the store does not know: the store was lost or is an older copy.
type Published struct {
	ID      string
	Frame   string // number.epoch.counter.hash, "" for what the gateway said itself
	Payload []byte
}

// Adopt takes over from the stream what the store has forgotten: each frame gets a marker in its row's place, so that it can never be
// taken again, and the device's counters move at least there. A device that the store does not know at all comes back with its name and
// number; whether it can be heard depends on its key. What the gateway said itself tells that the store is not the last one, as frames do: a downlink
// was sealed, or an epoch begun, that it does not know of; and what became of those that wait in it. whole is false where the stream lacks events before these or among them: nobody knows then
// which frames were taken, and that is a loss as one that an operator accepts. Called before Run.
func (h *Hub) Adopt(ctx context.Context, events []Published, whole bool) error {
	return h.doFirst(ctx, func(c *commit) error {
		for k := range events {
			if err := h.adopt(c, &events[k]); err != nil {
				return fmt.Errorf("%w: adopt %s: %w", ErrFatal, events[k].ID, err)
			}
		}
		if !whole {
			c.batch.PutMeta(MetaLossAccepted, lossByGaps)
			h.disown(c, lossByGaps)
		}
		return nil
	})
}

// lossByGaps is the acceptance of a loss that the gateway found out by itself.
var lossByGaps = []byte("gaps in the stream")

// MetaRestored names the value in a store by which an operator said that it is a backup. It stays until a start has drawn the conclusions.
const MetaRestored = "restored"

// Restored draws the conclusions if an operator said that the store is a backup: joins may have been accepted and downlinks been sealed that it
// does not know of. It reports whether that was so. Called before Run.
func (h *Hub) Restored(ctx context.Context) (bool, error) {
	_, said, err := h.store.Meta(MetaRestored)
	if err != nil || !said {
		return false, err
	}
	return true, h.doFirst(ctx, func(c *commit) error {
		h.forgetful(c)
		c.batch.DeleteMeta(MetaRestored)
		return nil
	})
}

// MetaLossAccepted names the value in a store by which an operator accepted that nobody knows which frames were taken before it. It stays for good:
// what somebody recorded then may be sent at any time.
const MetaLossAccepted = "loss_accepted"

// metaLossDrawn is the acceptance of which the conclusions for the devices that were known then have been drawn.
const metaLossDrawn = "loss_drawn"

// LossAccepted draws the conclusions if an operator accepted a loss: each device must join, and prove that it is there, before a frame of it is
// taken; one that is not known does not register by a frame either. It reports whether there were devices that this is new for. Called before
// Run.
func (h *Hub) LossAccepted(ctx context.Context) (bool, error) {
	accepted, said, err := h.store.Meta(MetaLossAccepted)
	if err != nil || !said {
		return false, err
	}
	h.disowned = true // also if the conclusions were drawn before
	drawn, _, err := h.store.Meta(metaLossDrawn)
	if err != nil || bytes.Equal(drawn, accepted) {
		return false, err
	}
	return true, h.doFirst(ctx, func(c *commit) error {
		h.disown(c, accepted)
		return nil
	})
}

// disown draws the conclusions of a loss.
func (h *Hub) disown(c *commit, accepted []byte) {
	if !h.adopted {
		h.doubtPlans(c)
	}
	h.disowned, h.adopted = true, true // adopted is less
	h.fleet.Disown(h.clock.Now())
	for i := range h.fleet.All {
		c.touch(i)
	}
	c.batch.PutMeta(metaLossDrawn, accepted)
}

// ErrClock is wrapped by errors about a clock that cannot be right.
var ErrClock = errors.New("the clock is wrong")

// unused is when no gateway had sealed anything yet.
var unused = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// doFirst is do for what happens before Run. What a store that is not the last one does not know goes on from the time (session.Gateway.Lost): a machine that has
// no clock of its own and was not told the time yet would use numbers that were used before, for other contents.
func (h *Hub) doFirst(ctx context.Context, op func(*commit) error) error {
	if now := h.clock.Now(); now.Before(unused) {
		return fmt.Errorf("%w: it says %s, and numbers of epochs and downlinks that nobody used yet go on from the time: set it, and start again", ErrClock, now.UTC().Format(time.RFC3339))
	}
	r := h.request()
	r.op = op
	h.commit.first, h.starting = r, true
	_, err := h.CommitOnce(ctx)
	h.starting = false
	<-r.done
	if err == nil {
		err = r.err
	}
	return err
}

func (h *Hub) adopt(c *commit, p *Published) error {
	h.forgetful(c)
	if p.Frame == "" {
		return h.adoptSaid(c, p)
	}
	key, hash, err := parseFrameRef(p.Frame)
	if err != nil {
		return err
	}
	i, ok := h.fleet.ByNumber(key.Number)
	if !ok {
		if i, err = h.revive(c, key.Number, p); err != nil {
			return err
		}
	}
	if found, _ := h.stored(c, key); !found {
		c.batch.PutFrame(key, &store.Frame{Hash: hash, Adopted: true, ReceivedAt: h.clock.Now()})
		c.note(key, hash, 0, nil)
	}
	h.fleet.Used(i, key.Epoch, key.Counter, h.clock.Now())
	c.touch(i)
	return nil
}

// adoptSaid takes over what the gateway said itself.
func (h *Hub) adoptSaid(c *commit, p *Published) error {
	var e struct {
		Type string
		Time time.Time
		Data json.RawMessage
	}
	if err := json.Unmarshal(p.Payload, &e); err != nil {
		return fmt.Errorf("read the event: %w", err)
	}
	kind := strings.TrimPrefix(e.Type, "io.godwit.")
	switch kind {
	case KindRegistered:
		return h.adoptState(c, p, e.Time, e.Data)
	case KindSuspensions:
		return h.adoptSuspensions(c, p, e.Data)
	}
	if state, ok := strings.CutPrefix(kind, KindDownlink+"."); ok {
		return h.adoptDownlink(c, state, e.Time, e.Data)
	}
	return nil
}

// adoptState takes over that an operator rejected or retired a device, or approved it after that: a store that is brought back lets nobody in again. One that
// waited for approval waits again.
func (h *Hub) adoptState(c *commit, p *Published, at time.Time, data json.RawMessage) error {
	var d struct {
		Number uint32
		State  string
	}
	if err := json.Unmarshal(data, &d); err != nil {
		return fmt.Errorf("read the event: %w", err)
	}
	i, known := h.fleet.ByNumber(d.Number)
	out := fleet.Rejected
	if d.State == fleet.Retired.String() {
		out = fleet.Retired
	}
	if d.State == out.String() && !known {
		var err error
		if i, err = h.revive(c, d.Number, p); err != nil {
			return err
		}
		known = true
	}
	if !known {
		return nil
	}
	switch now := h.fleet.Head(i).State; {
	case d.State == out.String() && now != out:
		h.fleet.SetState(i, out, at)
	case d.State == fleet.Active.String() && now.Dismissed():
		h.fleet.SetState(i, fleet.Active, time.Time{})
	default:
		return nil
	}
	c.touch(i)
	return nil
}

// metaForgot says that the store is one of which something is not known: a device that is new here may not be new. It stays for good.
const metaForgot = "forgot"

// forgetful says of all devices, once, that the store is not the one that they last spoke to: joins may have been accepted and downlinks been
// sealed that it does not know of. That holds for a device as well that only comes later, as by its import.
func (h *Hub) forgetful(c *commit) {
	if h.adopted {
		return
	}
	h.adopted, h.forgot = true, true
	c.batch.PutMeta(metaForgot, []byte{1})
	h.doubtPlans(c)
	h.fleet.Lost(h.clock.Now())
	for i := range h.fleet.All {
		c.touch(i)
	}
}

// metaOffers is the number from which those of rollouts' offers go on. No rollout need have one near it, so that it is kept by itself.
const metaOffers = "offers"

// metaDoubt says that the store is not the last one, and that what it had under way was not looked at again yet. Its name is of a time when that was rollouts.
const metaDoubt = "rollouts_in_doubt"

// doubtPlans has what was under way looked at again: rollouts of which it is not known whether they were halted or stopped since the store was the last one, and
// downlinks that wait. What comes of that is told, and so has to wait for the first commit of Run: until the outbox was moved to the end of the stream its numbers
// are those of other events.
func (h *Hub) doubtPlans(c *commit) {
	c.batch.PutMeta(metaDoubt, []byte{1})
	h.inDoubt = true
}

// reviewPlans does what doubtPlans promises.
func (h *Hub) reviewPlans(c *commit) {
	h.rollouts.Forgot(h.clock.Now())
	c.batch.PutMeta(metaOffers, binary.BigEndian.AppendUint32(nil, h.rollouts.Numbers()))
	h.reviewDownlinks(c)
	c.batch.DeleteMeta(metaDoubt)
	h.inDoubt = false
}

// doubt says of a device that is new here that nobody knows what it did before: which joins were accepted, and, where a loss was accepted, which
// frames were taken.
func (h *Hub) doubt(g *session.Gateway, now time.Time) {
	if h.disowned {
		g.Disown(now)
		return
	}
	g.Lost(now)
}

// revive makes a device known again from one of its events.
func (h *Hub) revive(c *commit, number uint32, p *Published) (fleet.Index, error) {
	var e struct {
		Data struct{ Device, Product, Customer string }
	}
	if err := json.Unmarshal(p.Payload, &e); err != nil {
		return 0, fmt.Errorf("read the event: %w", err)
	}
	d := fleet.Device{
		Number: number, Name: e.Data.Device, Product: e.Data.Product, Customer: e.Data.Customer,
		State: fleet.Active, KeySource: fleet.KeyOwn, CTRBits: 8, TagLen: 8,
	}
	if k := h.fleetKeyFor(number); k != nil {
		like := k.Device(number)
		d.KeySource, d.CTRBits, d.TagLen, d.Slots = like.KeySource, like.CTRBits, like.TagLen, like.Slots
	}
	if product := h.products[d.Product]; product != nil {
		d.Slots[0] = fleet.TemplateHash(product.Template.Hash())
	}
	i, err := h.fleet.Add(d)
	if err != nil {
		return 0, err
	}
	c.batch.PutName(d.Name, number)
	h.know(i)
	h.loadKey(i)
	g := h.fleet.Session(i)
	h.doubt(&g, h.clock.Now())
	h.fleet.SetSession(i, &g, nil)
	return i, nil
}

// parseFrameRef reads what appendFrameRef writes.
func parseFrameRef(s string) (store.FrameKey, [8]byte, error) {
	var hash [8]byte
	parts := strings.Split(s, ".")
	if len(parts) != 4 {
		return store.FrameKey{}, hash, fmt.Errorf("frame reference %q: want number.epoch.counter.hash", s)
	}
	number, err1 := strconv.ParseUint(parts[0], 10, 32)
	epoch, err2 := strconv.ParseUint(parts[1], 10, 32)
	counter, err3 := strconv.ParseUint(parts[2], 10, 64)
	raw, err4 := hex.DecodeString(parts[3])
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil || len(raw) != len(hash) {
		return store.FrameKey{}, hash, fmt.Errorf("frame reference %q: want number.epoch.counter.hash", s)
	}
	copy(hash[:], raw)
	return store.FrameKey{Number: uint32(number), Epoch: uint32(epoch), Counter: counter}, hash, nil
}

// SetRegistration switches whether devices may register by themselves. It is off while it is not known whether the store is complete.
func (h *Hub) SetRegistration(on bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.register = on
}
