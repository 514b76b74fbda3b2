package codec

import (
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// Limits of a CBOR message, against input that would cost memory or time.
const (
	messageElementsMax = 256
	messagePairsMax    = 64
)

// encMode gives deterministic encodings (RFC 8949 §4.2.1).
var encMode = func() cbor.EncMode {
	m, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic("codec: " + err.Error())
	}
	return m
}()

// decMode reads messages, after their frame was verified.
var decMode = mustDecMode(cbor.DecOptions{
	DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden,
	MaxNestedLevels: nestingMax, MaxArrayElements: messageElementsMax, MaxMapPairs: messagePairsMax, UTF8: cbor.UTF8RejectInvalid,
	BignumTag: cbor.BignumTagForbidden, NaN: cbor.NaNDecodeForbidden, Inf: cbor.InfDecodeForbidden, IntDec: cbor.IntDecConvertSignedOrFail,
})

func mustDecMode(o cbor.DecOptions) cbor.DecMode {
	m, err := o.DecMode()
	if err != nil {
		panic("codec: " + err.Error())
	}
	return m
}

// Major types of CBOR (RFC 8949 §3.1).
const (
	majorUnsigned = iota
	majorNegative
	majorBytes
	majorText
	majorArray
	majorMap
	majorTag
	majorSimple
)

// isMap reports whether a CBOR item is a map. The decoder takes null for an empty one.
func isMap(b []byte) bool { return len(b) > 0 && b[0]>>5 == majorMap }

// An intKey is the key of a message's map. The decoder would take null for key 0.
type intKey int64

// UnmarshalCBOR reads an integer and nothing else.
func (k *intKey) UnmarshalCBOR(b []byte) error {
	if len(b) == 0 || b[0]>>5 > majorNegative {
		return fmt.Errorf("key is no integer: %w", ErrMalformed)
	}
	return decMode.Unmarshal(b, (*int64)(k))
}

// A RawMessage is CBOR as it came.
type RawMessage = cbor.RawMessage
