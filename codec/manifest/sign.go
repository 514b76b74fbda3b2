package manifest

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"github.com/veraison/go-cose"

	"github.com/godwit-gateway/godwit/codec"
)

// signatureLen is that of both algorithms.
const signatureLen = 64

// keyIDMax bounds the ids of keys: other signers may make theirs in another way.
const keyIDMax = 32

// A Signed is a manifest and who signed it, by its own word.
type Signed struct {
	Manifest  Manifest
	Algorithm Algorithm
	KeyID     []byte // PublicKey.ID of the key

	message *cose.Sign1Message
}

// Hash is what an offer says of a signed manifest.
func Hash(signed []byte) [32]byte { return sha256.Sum256(signed) }

// Sign writes a manifest and its signature.
func Sign(m *Manifest, key SigningKey) ([]byte, error) {
	if err := m.Validate(); err != nil {
		return nil, fmt.Errorf("sign a manifest: %w", err)
	}
	payload, err := m.encode()
	if err != nil {
		return nil, fmt.Errorf("sign a manifest: %w", err)
	}
	signer, err := cose.NewSigner(key.public.alg, deterministic{key.signer})
	if err != nil {
		return nil, fmt.Errorf("sign a manifest: %w", err)
	}
	headers := cose.Headers{Protected: cose.ProtectedHeader{cose.HeaderLabelAlgorithm: key.public.alg, cose.HeaderLabelKeyID: key.public.ID()}}
	signed, err := cose.Sign1(nil, signer, headers, payload, nil)
	if err != nil {
		return nil, fmt.Errorf("sign a manifest: %w", err)
	}
	if _, err := Verify(signed, []PublicKey{key.public}); err != nil { // what this side would refuse is not given away
		return nil, fmt.Errorf("sign a manifest: %w", err)
	}
	return signed, nil
}

// Decode reads a signed manifest without verifying it.
func Decode(signed []byte) (Signed, error) {
	if len(signed) > SizeMax {
		return Signed{}, fmt.Errorf("manifest of %d bytes, want up to %d: %w", len(signed), SizeMax, codec.ErrMalformed)
	}
	item, rest, err := codec.NextItem(signed)
	if err != nil {
		return Signed{}, fmt.Errorf("manifest: %w", err)
	}
	if item.Form != codec.FormSigned || len(rest) > 0 {
		return Signed{}, fmt.Errorf("manifest: not one COSE_Sign1 and nothing else: %w", codec.ErrMalformed)
	}
	var message cose.Sign1Message
	if err := message.UnmarshalCBOR(signed); err != nil {
		return Signed{}, fmt.Errorf("manifest: %w: %w", codec.ErrMalformed, err)
	}
	s := Signed{message: &message}
	if err := s.headers(); err != nil {
		return Signed{}, fmt.Errorf("manifest: %w", err)
	}
	if s.Manifest, err = decode(message.Payload); err != nil {
		return Signed{}, fmt.Errorf("manifest: %w", err)
	}
	return s, nil
}

// headers takes the algorithm and the key's id, which must be all that the headers say: then they have one encoding, which is compared.
func (s *Signed) headers() error {
	h := &s.message.Headers
	alg, err := h.Protected.Algorithm()
	if err != nil {
		return fmt.Errorf("algorithm: %w: %w", codec.ErrMalformed, err)
	}
	if alg != EdDSA && alg != ES256 {
		return fmt.Errorf("algorithm %s: %w", alg, codec.ErrUnsupported)
	}
	id, _ := h.Protected[cose.HeaderLabelKeyID].([]byte)
	if len(id) == 0 || len(id) > keyIDMax {
		return fmt.Errorf("key id of %d bytes, want 1 to %d: %w", len(id), keyIDMax, codec.ErrMalformed)
	}
	want, err := cose.ProtectedHeader{cose.HeaderLabelAlgorithm: alg, cose.HeaderLabelKeyID: id}.MarshalCBOR()
	if err != nil {
		return fmt.Errorf("protected header: %w: %w", codec.ErrMalformed, err)
	}
	if !bytes.Equal(h.RawProtected, want) || !bytes.Equal(h.RawUnprotected, []byte{0xa0}) {
		return fmt.Errorf("headers say more than the algorithm and the key: %w", codec.ErrUnsupported)
	}
	if len(s.message.Payload) == 0 {
		return fmt.Errorf("no payload: %w", codec.ErrMalformed)
	}
	if len(s.message.Signature) != signatureLen {
		return fmt.Errorf("signature of %d bytes, want %d: %w", len(s.message.Signature), signatureLen, codec.ErrMalformed)
	}
	s.Algorithm, s.KeyID = alg, id
	return nil
}

// Verify reads a signed manifest that one of the keys signed.
func Verify(signed []byte, keys []PublicKey) (Signed, error) {
	s, err := Decode(signed)
	if err != nil {
		return Signed{}, err
	}
	for _, key := range keys {
		if key.alg != s.Algorithm || !bytes.Equal(key.ID(), s.KeyID) {
			continue
		}
		verifier, err := cose.NewVerifier(key.alg, key.key)
		if err != nil {
			return Signed{}, fmt.Errorf("manifest: key %x: %w", s.KeyID, err)
		}
		if err := s.message.Verify(nil, verifier); err != nil {
			return Signed{}, fmt.Errorf("manifest: key %x: %w", s.KeyID, ErrSignature)
		}
		return s, nil
	}
	return Signed{}, fmt.Errorf("manifest: key %x (%s): %w", s.KeyID, s.Algorithm, ErrKey)
}

// VerifyOffered is Verify for a device, which takes no other manifest than the one that it was offered: hash is the first 16 bytes or more of that one's.
func VerifyOffered(signed, hash []byte, keys []PublicKey) (Signed, error) {
	if sum := Hash(signed); len(hash) < 16 || len(hash) > len(sum) || !bytes.Equal(sum[:len(hash)], hash) {
		return Signed{}, fmt.Errorf("manifest: SHA-256 %x, want %x: %w", sum, hash, ErrHash)
	}
	return Verify(signed, keys)
}
