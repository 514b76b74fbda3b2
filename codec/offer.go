package codec

import (
	"fmt"
	"time"
)

// Limits of an offer.
const (
	referenceMax = 255
	hashMin      = 16 // bytes of a SHA-256 that are worth trusting: its first
	hashMax      = 32
)

// An Offer tells a device of an update. What is to be installed stands in the manifest that Reference leads to, which is signed; the offer
// is what a device needs to know before it spends anything on fetching that.
type Offer struct {
	Rollout   uint32 `cbor:"1,keyasint"`            // by which the device reports its steps
	Version   string `cbor:"2,keyasint,omitempty"`  // of the software, up to 64 bytes
	Reference string `cbor:"3,keyasint"`            // of the manifest, a URL: 1 to 255 bytes
	Burst     uints  `cbor:"4,keyasint,omitzero"`   // minutes after the boot of the new software at which the device reports besides its interval: up to 16, rising
	Size      uint64 `cbor:"5,keyasint"`            // bytes to fetch, the image's
	Expires   uint64 `cbor:"6,keyasint,omitempty"`  // Unix seconds after which the offer is void
	Hash      []byte `cbor:"7,keyasint"`            // first 16 to 32 bytes of SHA-256 over the manifest
	Memory    uint64 `cbor:"9,keyasint,omitempty"`  // bytes that must be free
	Consent   bool   `cbor:"11,keyasint,omitempty"` // somebody at the device must agree
	NotBefore uint64 `cbor:"13,keyasint,omitempty"` // Unix seconds before which nothing is installed
}

var offerKeys = keyTable{
	message: MessageOffer, rule: evenMayPass, required: []uint64{1, 3, 5, 7},
	values: []majors{
		1: isUint, 2: isText, 3: isText, 4: isArray, 5: isUint, 6: isUint, 7: isBytes, 9: isUint, 11: isBool, 13: isUint,
	},
}

// AppendOffer appends the plaintext of an offer.
func AppendOffer(dst []byte, o *Offer) ([]byte, error) {
	return offerKeys.append(dst, o, nil, func(b []byte) error { _, err := DecodeOffer(b); return err })
}

// DecodeOffer reads the body of an offer. An odd key that it does not know refuses it.
func DecodeOffer(body []byte) (Offer, error) {
	var o Offer
	if _, err := offerKeys.read(body, &o); err != nil {
		return Offer{}, err
	}
	if len(o.Reference) == 0 || len(o.Hash) < hashMin {
		return Offer{}, fmt.Errorf("offer: reference of %d bytes, hash of %d: %w", len(o.Reference), len(o.Hash), ErrMalformed)
	}
	for i := 1; i < len(o.Burst); i++ {
		if o.Burst[i] <= o.Burst[i-1] {
			return Offer{}, fmt.Errorf("offer: burst programme does not rise: %w", ErrMalformed)
		}
	}
	err := firstOf(
		limit("offer: version of bytes", uint64(len(o.Version)), helloTextMax), limit("offer: reference of bytes", uint64(len(o.Reference)), referenceMax),
		limit("offer: hash of bytes", uint64(len(o.Hash)), hashMax), limit("offer: expires", o.Expires, secondsMax),
		limit("offer: not before", o.NotBefore, secondsMax),
	)
	if err != nil {
		return Offer{}, err
	}
	return o, nil
}

// Valid reports whether the offer stands at a time.
func (o *Offer) Valid(now time.Time) bool { return o.Expires == 0 || now.Unix() <= int64(o.Expires) } //nolint:gosec // limited
