package hub

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/transports"
)

// metaChecks is the keys of the sessions without a payload that were booked last, 8 bytes each, the oldest first.
const metaChecks = "checks"

// checksMax is how many of them are known again: more than all networks together tell of before they are answered.
const checksMax = 256

// checkKey tells a session from others of all links.
func checkKey(x *transports.Check) uint64 {
	var b []byte
	for _, s := range []string{x.Transport, string(x.From.Bearer), x.From.ID, x.Ref} {
		b = append(append(b, s...), 0)
	}
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:])
}

// Checked implements transports.Payer. A session that was booked is not booked again when its network, which was not answered before a crash, tells of it
// once more.
func (h *Hub) Checked(ctx context.Context, x transports.Check) error {
	return h.do(ctx, func(c *commit) error {
		l := h.links[x.Transport]
		if l == nil {
			return nil
		}
		if x.Ref != "" && !h.firstCheck(c, checkKey(&x)) {
			return nil
		}
		if x.From == (transports.Address{}) {
			h.core.Check(x.At, l.place)
		} else if i, ok := h.only(&x.From); ok {
			h.core.Empty(x.At, core.Place(i), l.place)
		} else {
			h.core.EmptyStranger(x.At, l.place)
		}
		return nil
	})
}

// firstCheck notes a session, and reports whether it is not one of the last.
func (h *Hub) firstCheck(c *commit, key uint64) bool {
	if slices.Contains(h.checks, key) {
		return false
	}
	if len(h.checks) == checksMax {
		h.checks = slices.Delete(h.checks, 0, 1)
	}
	h.checks = append(h.checks, key)
	row := make([]byte, 0, checksMax*8)
	for _, k := range h.checks {
		row = binary.BigEndian.AppendUint64(row, k)
	}
	c.batch.PutMeta(metaChecks, row)
	return true
}

// loadChecks brings the keys back.
func (h *Hub) loadChecks() error {
	row, _, err := h.store.Meta(metaChecks)
	if err != nil || len(row)%8 != 0 || len(row) > checksMax*8 {
		return fmt.Errorf("load the sessions without a payload that were booked last, %d bytes: %w", len(row), errors.Join(err, ErrFatal))
	}
	for ; len(row) > 0; row = row[8:] {
		h.checks = append(h.checks, binary.BigEndian.Uint64(row))
	}
	return nil
}
