package manifest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"

	"github.com/veraison/go-cose"
)

// An Algorithm is how a manifest is signed, by its number in COSE (RFC 9053).
type Algorithm = cose.Algorithm

// Algorithms.
const (
	EdDSA = cose.AlgorithmEdDSA // Ed25519
	ES256 = cose.AlgorithmES256 // ECDSA on P-256 with SHA-256, which secure elements have
)

// Types of PEM blocks, those of openssl.
const (
	privateBlock = "PRIVATE KEY"
	publicBlock  = "PUBLIC KEY"
)

// keyIDLen is the length of the ids of keys that Sign writes.
const keyIDLen = 8

// errNoKey refuses what is no key.
var errNoKey = errors.New("not an Ed25519 or P-256 key in PEM")

// A PublicKey verifies manifests.
type PublicKey struct {
	key crypto.PublicKey
	alg Algorithm
	der []byte
}

// ParsePublicKey reads a public key: PEM, as `openssl pkey -pubout` writes it.
func ParsePublicKey(text []byte) (PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != publicBlock {
		return PublicKey{}, fmt.Errorf("public key: %w", errNoKey)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return PublicKey{}, fmt.Errorf("public key: %w: %w", errNoKey, err)
	}
	return newPublicKey(key)
}

func newPublicKey(key crypto.PublicKey) (PublicKey, error) {
	p := PublicKey{key: key}
	switch k := key.(type) {
	case ed25519.PublicKey:
		p.alg = EdDSA
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return PublicKey{}, fmt.Errorf("public key on %s: %w", k.Params().Name, errNoKey)
		}
		p.alg = ES256
	default:
		return PublicKey{}, fmt.Errorf("public key of type %T: %w", key, errNoKey)
	}
	var err error
	if p.der, err = x509.MarshalPKIXPublicKey(key); err != nil {
		return PublicKey{}, fmt.Errorf("public key: %w", err)
	}
	return p, nil
}

// PEM writes the key.
func (p PublicKey) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: publicBlock, Bytes: p.der})
}

// Algorithm is that of the key.
func (p PublicKey) Algorithm() Algorithm { return p.alg }

// ID names the key in what it signs: the first 8 bytes of SHA-256 over its DER (SubjectPublicKeyInfo).
func (p PublicKey) ID() []byte {
	sum := sha256.Sum256(p.der)
	return sum[:keyIDLen:keyIDLen]
}

// A SigningKey signs manifests. It belongs to whoever makes the software, and on no gateway.
type SigningKey struct {
	signer crypto.Signer
	public PublicKey
}

// GenerateKey makes a key.
func GenerateKey(random io.Reader, alg Algorithm) (SigningKey, error) {
	var signer crypto.Signer
	var err error
	switch alg {
	case EdDSA:
		_, signer, err = ed25519.GenerateKey(random)
	case ES256:
		signer, err = ecdsa.GenerateKey(elliptic.P256(), random)
	default:
		err = fmt.Errorf("algorithm %s: %w", alg, errNoKey)
	}
	if err != nil {
		return SigningKey{}, fmt.Errorf("make a key: %w", err)
	}
	return newSigningKey(signer)
}

// SeededKey is the Ed25519 key of a seed (RFC 8032, section 5.1.5), the same each time: for simulations, which keep no secrets.
func SeededKey(seed [ed25519.SeedSize]byte) (SigningKey, error) {
	return newSigningKey(ed25519.NewKeyFromSeed(seed[:]))
}

// ParseSigningKey reads a private key: PKCS #8 in PEM, as `openssl genpkey` writes it.
func ParseSigningKey(text []byte) (SigningKey, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != privateBlock {
		return SigningKey{}, fmt.Errorf("private key: %w", errNoKey)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return SigningKey{}, fmt.Errorf("private key: %w", errNoKey) // no word of what is in it
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return SigningKey{}, fmt.Errorf("private key of type %T: %w", key, errNoKey)
	}
	return newSigningKey(signer)
}

func newSigningKey(signer crypto.Signer) (SigningKey, error) {
	public, err := newPublicKey(signer.Public())
	return SigningKey{signer: signer, public: public}, err
}

// Public is the key that verifies what this one signs.
func (k SigningKey) Public() PublicKey { return k.public }

// PEM writes the key, which is a secret.
func (k SigningKey) PEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.signer)
	if err != nil {
		return nil, fmt.Errorf("private key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: privateBlock, Bytes: der}), nil
}

// deterministic hides that a key is one of crypto/ecdsa: without randomness that signs by RFC 6979, by the door of crypto.Signer.
type deterministic struct{ crypto.Signer }

// Sign signs a digest.
func (d deterministic) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts == nil {
		opts = crypto.SHA256
	}
	return d.Signer.Sign(nil, digest, opts)
}
