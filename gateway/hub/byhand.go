package hub

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/rollout"
)

// ByHand says who may offer an update to a single device, without a rollout.
type ByHand uint8

// Who may. The zero value is for who has no second person: in a configuration it is to be asked for.
const (
	ByHandAlone  ByHand = iota // any approver, of anything
	ByHandSecond               // an approver, of a release that another token made known
	ByHandNever
)

// metaByHand is the numbers of offers that were made by hand, 4 bytes each.
const metaByHand = "offers_by_hand"

// reserve has the number of an offer that somebody makes by hand never be a rollout's: devices tell of their steps by it alone.
func (h *Hub) reserve(c *commit, o *codec.Offer) error {
	added, err := h.rollouts.Reserve(o.Rollout)
	if added {
		var list []byte
		for _, number := range h.rollouts.Reserved() {
			list = binary.BigEndian.AppendUint32(list, number)
		}
		c.batch.PutMeta(metaByHand, list)
	}
	return err
}

// loadByHand brings the numbers back.
func (h *Hub) loadByHand() error {
	list, _, err := h.store.Meta(metaByHand)
	for ; err == nil && len(list) >= 4; list = list[4:] {
		_, err = h.rollouts.Reserve(binary.BigEndian.Uint32(list))
	}
	if err != nil || len(list) > 0 {
		return fmt.Errorf("load the numbers of offers by hand, %x: %w", list, errors.Join(err, ErrFatal))
	}
	return nil
}

// mayOffer reports why an offer by hand is not allowed.
func (h *Hub) mayOffer(ctx context.Context, i fleet.Index, o *codec.Offer) error {
	switch h.byHandRule {
	case ByHandAlone:
		return nil
	case ByHandNever:
		return fmt.Errorf("%w: offers by hand are switched off: make a rollout", rollout.ErrForbidden)
	case ByHandSecond:
	}
	product := h.fleet.Head(i).Product
	r, err := h.rollouts.Release(product, o.Version)
	switch {
	case err != nil:
		return fmt.Errorf("an offer by hand is of a release that is known: %w", err)
	case !r.Withdrawn.IsZero():
		return fmt.Errorf("%w: release %s %s is withdrawn", rollout.ErrState, product, o.Version)
	case len(o.Hash) == 0 || !bytes.HasPrefix(r.Hash, o.Hash):
		return fmt.Errorf("%w: the manifest of release %s %s has the SHA-256 %x, not %x", rollout.ErrForbidden, product, o.Version, r.Hash, o.Hash)
	case r.By == ActorOf(ctx).Name:
		return fmt.Errorf("release %s %s: %w: offered by hand", product, o.Version, rollout.ErrSameActor)
	}
	return nil
}
