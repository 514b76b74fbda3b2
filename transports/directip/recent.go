package directip

import "crypto/sha256"

// Sizes of what a transport remembers.
const (
	repeatsMax   = 4096    // messages that were settled, some 100 bytes each
	sequencesMax = 1 << 16 // modems whose MOMSN is followed, some 60 bytes each
)

// recent is a map that forgets what was put in first. Not safe for concurrent use.
type recent[K comparable, V any] struct {
	values map[K]V
	order  []K // a ring
	next   int
}

func newRecent[K comparable, V any](most int) recent[K, V] {
	return recent[K, V]{values: make(map[K]V), order: make([]K, 0, most)}
}

func (r *recent[K, V]) put(k K, v V) {
	if _, there := r.values[k]; !there {
		if len(r.order) < cap(r.order) {
			r.order = append(r.order, k)
		} else {
			delete(r.values, r.order[r.next])
			r.order[r.next] = k
			r.next = (r.next + 1) % len(r.order)
		}
	}
	r.values[k] = v
}

// messageKey tells a message from all others, also from those of the same MOMSN.
type messageKey struct {
	imei    [imeiLen]byte
	momsn   uint16
	session uint32
	cdr     uint32
	payload [sha256.Size]byte
}

func keyOf(m *originated) messageKey {
	return messageKey{imei: m.imei, momsn: m.momsn, session: m.session, cdr: m.cdr, payload: sha256.Sum256(m.payload)}
}
