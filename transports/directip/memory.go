package directip

import "crypto/sha256"

// Sizes of what a transport remembers.
const (
	repeatsMax   = 4096    // messages that were settled, some 100 bytes each
	sequencesMax = 1 << 16 // modems whose MOMSN is followed, some 60 bytes each
)

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
