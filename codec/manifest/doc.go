// Package manifest is what an update may be: signed by whoever makes the software, and verified by the gateway that offers it and by the device that
// installs it. Neither of them holds the key that signs, so a gateway that was broken into installs nothing.
//
// A manifest is a COSE_Sign1 (RFC 9052 §4.2) over a CBOR map with integer keys, SPEC.md §6 of codec. It says what SUIT's information model asks for
// (RFC 9124), in one map instead of its command sequences, which a device of some kilobytes cannot run: a version that only rises (Sequence, against a
// replay of old software that was good once), the product (vendor and class), where the image is, how long it is and its SHA-256, what must be there before
// (Minimum, From), until when it stands (NotAfter) and how much memory it takes.
//
//	m := manifest.Manifest{Product: "reefer-unit", Version: "2.5.0", Sequence: 7, Size: …, SHA256: …, URL: …}
//	signed, err := manifest.Sign(&m, key)              a file, up to 2,048 bytes, to be put behind a URL
//	s, err := manifest.Verify(signed, keys)            s.Manifest, s.Algorithm, s.KeyID
//	err = s.Manifest.Admits(&manifest.Target{…})       whether this device may install it, or why not
//	manifest.Code(err)                                 how a device says that in its step log
//
// There is one encoding of a manifest: heads are the shortest, keys rise, lengths are definite. Whatever else is refused, so that two readers cannot
// disagree about what was signed. Even keys of a later version are passed over, odd ones refuse the manifest, as in the downlink messages.
//
// It is pure: signatures take no randomness (EdDSA by RFC 8032; ES256 by RFC 6979), so the same key signs the same manifest with the same bytes.
//
// github.com/veraison/go-cose builds what is signed and parses the envelope; it needs the CBOR library that is here already and nothing besides. It is
// independent of the C implementation, which does that by hand.
package manifest
