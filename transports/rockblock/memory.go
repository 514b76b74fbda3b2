package rockblock

import "crypto/sha256"

// repeatsMax is how many settled messages a transport remembers, some 100 bytes each.
const repeatsMax = 4096

// messageKey tells a message from all others, also from those of the same MOMSN.
type messageKey struct {
	imei  string
	momsn string
	at    int64 // Unix seconds: a token may vouch for no more
	data  [sha256.Size]byte
}

func keyOf(w *webhook) messageKey {
	return messageKey{imei: w.imei, momsn: w.momsn, at: w.at.Unix(), data: sha256.Sum256(w.data)}
}
