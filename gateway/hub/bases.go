package hub

import (
	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/store"
)

// cachedBase is what the next delta of a device may be counted from: that of its last frame that told a state. The cache is direct-mapped by the
// device's number. It may be ahead of the disk by the batch that is being made, as the deltas of that batch are: if it does not become durable the
// process ends.
type cachedBase struct {
	key    store.FrameKey
	header codec.Header
	state  []byte // empty: there is none
}

// keepBase keeps a base in the place of the device's earlier one.
func (c *commit) keepBase(key store.FrameKey, header codec.Header, base []byte) {
	if len(base) == 0 {
		return
	}
	b := &c.last[key.Number%baseCacheLen]
	b.key, b.header, b.state = key, header, append(b.state[:0], base...)
}

// cachedBase is the base of a frame, if it is at hand.
func (c *commit) cachedBase(key store.FrameKey) (*cachedBase, bool) {
	b := &c.last[key.Number%baseCacheLen]
	return b, len(b.state) > 0 && b.key == key
}
