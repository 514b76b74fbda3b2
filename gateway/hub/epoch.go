package hub

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/gateway/failpoint"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/store"
)

// rekeyEvery is how often a device is told again of an epoch in which it was not heard.
const rekeyEvery = 24 * time.Hour

// Rekey begins a new epoch of a device, or tells it again of the one that it did not answer yet. The epoch and the downlink are on disk when
// Rekey returns. link is the name of a transport; "": the link that the device was last heard on.
func (h *Hub) Rekey(ctx context.Context, ref, link string) (DownlinkRecord, error) {
	var rec DownlinkRecord
	err := h.do(ctx, func(c *commit) error {
		i, err := h.find(ref)
		if err != nil {
			return err
		}
		d, err := h.rekey(c, i, link, h.clock.Now())
		if err != nil {
			return err
		}
		rec = record(d)
		h.authorised(c, ActorOf(ctx), "device.rekey", h.fleet.Device(i).Name, "")
		return nil
	})
	return rec, err
}

// rekey queues a rekey. It changes nothing if it returns an error.
func (h *Hub) rekey(c *commit, i fleet.Index, link string, now time.Time) (*store.Downlink, error) {
	l, err := h.outlet(i, link)
	if err != nil {
		return nil, err
	}
	key, err := h.deviceKey(i)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDownlink, err)
	}
	g := h.fleet.Session(i)
	allocated := g.Allocated
	var salt [session.SaltLen]byte
	h.random(salt[:])
	r, ok := g.Rekey(salt)
	if !ok {
		return nil, fmt.Errorf("%w: the device has used up its epochs", ErrDownlink)
	}
	plaintext, err := codec.AppendRekey(nil, &r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDownlink, err)
	}
	d := h.draft(i, l, downlinkRekey, plaintext)
	if d.Counter, d.Payload, err = h.sealNext(i, plaintext, &key, 0); err != nil {
		return nil, err
	}
	g.Current.Down = d.Counter
	h.fleet.SetSession(i, &g, &key)
	c.touch(i)
	if g.Allocated != allocated {
		h.epochEvent(c, i, now, "rekey", r.Epoch)
	}
	d.Expires = now.Add(ttlOf(downlinkRekey))
	h.enqueue(c, i, d)
	h.rekeyed[h.fleet.Head(i).Number] = now.UnixMilli()
	failpoint.Pass(failpoint.Rekey)
	return d, nil
}

// rekeyDue begins a new epoch where the old one has come to an end, once a frame tells that there is a way to the device. What frames that did
// not verify are the reason for costs no money.
func (h *Hub) rekeyDue(c *commit, l *link, i fleet.Index, now time.Time) {
	number := h.fleet.Head(i).Number
	if at, ok := h.rekeyed[number]; ok && now.UnixMilli()-at < rekeyEvery.Milliseconds() {
		return
	}
	if l.Transport == nil || h.reachable(i, l) != nil || h.outgoing.waits(number, downlinkRekey) {
		return
	}
	if _, err := h.rekey(c, i, l.Name, now); err != nil {
		h.rekeyed[number] = now.UnixMilli() // not again with each frame
		h.alarm(c, i, now, AlarmRekeyFailed, err.Error(), 0)
	}
}

// rekeyFollows lets a rekey that waits for a link that is dead go over the one that its device speaks over now. The device has a day to answer it, as if it
// had been queued now.
func (h *Hub) rekeyFollows(c *commit, l *link, i fleet.Index, now time.Time) {
	if h.follow(c, l, i, downlinkRekey, now) {
		h.rekeyed[h.fleet.Head(i).Number] = now.UnixMilli()
	}
}

// renewRekey seals a rekey anew, with a counter of its own, if others were sealed since: a device refuses one that they overtook, perhaps over another link, and
// it would have been paid for in vain. Else it is the frame that it was.
func (h *Hub) renewRekey(c *commit, i fleet.Index, d *store.Downlink) error {
	g := h.fleet.Session(i)
	if d.Counter >= g.Current.Down || g.Role != session.Pending {
		return nil
	}
	plaintext, err := codec.AppendRekey(nil, &codec.Rekey{Epoch: g.Second.Number, Salt: g.Second.Salt})
	if err != nil {
		return err //nolint:wrapcheck // it says all
	}
	key, err := h.deviceKey(i)
	if err != nil {
		return err
	}
	counter, payload, err := h.sealNext(i, plaintext, &key, 0)
	if err == nil {
		d.Counter, d.Payload = counter, payload
		c.touch(i)
	}
	return err
}

// withdraw ends the downlinks of a kind that told a device of an epoch that is not to come any more, unless the network took them: they would be paid for in
// vain, and a rekey might lead the device where the gateway does not hear it.
func (h *Hub) withdraw(c *commit, number uint32, kind string, now time.Time) {
	for _, ref := range slices.Clone(h.outgoing.open[number]) {
		if d := h.outgoing.byRef[ref]; d.Kind == kind && d.State != DownlinkAccepted {
			h.drop(c, d, "the device has, or is to have, another epoch since", now)
		}
	}
}

// keepSession takes a changed session into the fleet and its row into the batch. Keys of a new epoch need the device key.
func (h *Hub) keepSession(c *commit, i fleet.Index, g *session.Gateway) bool {
	key, err := h.deviceKey(i)
	if err != nil {
		h.log.Warn("device has no key: it cannot have a new epoch", attrNumber(h.fleet.Head(i).Number), attrErr(err))
		return false
	}
	h.fleet.SetSession(i, g, &key)
	c.touch(i)
	return true
}

// acceptSecond notes a verified counter of the device's second epoch. If it is the first of a pending one, that is the current one from now on.
func (h *Hub) acceptSecond(c *commit, i fleet.Index, counter uint64, now time.Time) (switched bool) {
	g := h.fleet.Session(i)
	switched = g.Accept(true, counter, now)
	h.fleet.SetSession(i, &g, nil)
	if switched {
		h.epochEvent(c, i, now, "current", g.Current.Number)
		h.reseal(c, i, &g)
		number := h.fleet.Head(i).Number
		h.withdraw(c, number, downlinkRekey, now)
		h.withdraw(c, number, downlinkJoin, now)
		delete(h.rekeyed, number)
	}
	return switched
}

// reseal seals the messages that wait for the device in its new epoch: if it joined because it lost its memory it could not open them. Those
// that were attempted stay as they are, or the application might get them twice.
func (h *Hub) reseal(c *commit, i fleet.Index, g *session.Gateway) {
	number := h.fleet.Head(i).Number
	var key *[32]byte
	for _, ref := range h.outgoing.open[number] {
		d := h.outgoing.byRef[ref]
		if d.Kind == downlinkAck || d.Kind == downlinkJoin || d.Kind == downlinkRekey || late(d.Kind, d.Payload) || d.State != DownlinkQueued || d.Attempts > 0 {
			continue
		}
		if inFragments(d) {
			continue // each fragment is sealed when it leaves
		}
		if key == nil {
			k, err := h.deviceKey(i)
			if err != nil {
				return
			}
			key = &k
		}
		plaintext, ok := openDown(d, key, number, &g.Second)
		if !ok {
			continue
		}
		counter, payload, err := h.sealNext(i, plaintext, key, 0)
		if err != nil {
			continue
		}
		d.Counter, d.Payload = counter, payload
		c.batch.PutDownlink(d)
	}
}

// openDown opens a downlink of this gateway's own.
func openDown(d *store.Downlink, key *[32]byte, number uint32, e *session.Epoch) ([]byte, bool) {
	item, _, err := codec.NextItem(d.Payload)
	if err != nil {
		return nil, false
	}
	sealed, err := codec.ParseSealed(item.Content, downCTRBits, downTagLen)
	if err != nil {
		return nil, false
	}
	cipher := codec.NewCipher(codec.DeriveSealKey(key, e.SaltBytes(), codec.LabelDown, number, e.Number))
	plaintext, err := cipher.Open(nil, &sealed, codec.Position{Direction: codec.Down, Number: number, Epoch: e.Number, Counter: d.Counter})
	return plaintext, err == nil
}

// failed counts a frame that claimed to be of a device and did not verify. Too many are an alarm, once; the device is not shut out for them.
func (h *Hub) failed(c *commit, i fleet.Index, now time.Time) {
	if h.fleet.Fail(i) {
		h.alarm(c, i, now, AlarmForgeries, "2^14 frames in the name of the device did not verify in its epoch: godwit device rekey begins a new one", 0)
		c.touch(i)
	}
}

// epochEvent tells of a step from one epoch to the next.
func (h *Hub) epochEvent(c *commit, i fleet.Index, at time.Time, step string, epoch uint32) {
	e := h.gatewayEvent(c, i, KindEpoch, at)
	e.payload = appendTextMember(e.payload, "step", step)
	e.payload = appendUintMember(e.payload, "epoch", uint64(epoch))
	h.emit(c, nil, e)
}
