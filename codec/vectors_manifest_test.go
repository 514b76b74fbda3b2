package codec_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/godwit-gateway/godwit/codec/manifest"
)

// manifestCase is a manifest that is put together and signed by hand.
type manifestCase struct {
	name, spec, expect, comment string
	payload                     string // hexadecimal; "": the usual one
	es256                       bool
	header                      string         // content of the protected header; "": as it should be. KID stands for the key's id
	envelope                    string         // bytes around PROTECTED, PAYLOAD and SIGNATURE; "": as they should be
	damage                      func(b []byte) // done to what was signed
	hash                        string         // of the offer; "": that of the input
	stranger                    bool           // another key has the id of the one that is known
	device                      string         // product version sequence free now
	result                      int            // code of the step log
}

// Parts of payloads.
const (
	manifestHead  = "01 6b 7265656665722d756e6974 02 65 322e352e30 03 07 04 1a00020000 05 5820 "
	manifestSum   = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	manifestURL   = " 06 68 687474703a2f2f61"
	manifestLeast = "a6 " + manifestHead + manifestSum + manifestURL
)

// manifestWith is the least payload and more keys.
func manifestWith(pairs int, more string) string {
	return fmt.Sprintf("%02x ", 0xa6+pairs) + manifestHead + manifestSum + manifestURL + more
}

// manifestOf is a payload that makes a manifest of so many bytes.
func manifestOf(size int) string {
	const around = 2 + 14 + 1 + 3 + 66 // tag and array, protected and unprotected header, head of the payload, signature
	least := len(strings.ReplaceAll(manifestLeast, " ", "")) / 2
	n := size - around - least - 4
	return manifestWith(1, fmt.Sprintf("0e 59%04x", n)+strings.Repeat("00", n))
}

func (m *maker) manifests() {
	m.t.Helper()
	m.goodManifests()
	m.refusedManifests()
	m.admissions()
}

func (m *maker) goodManifests() {
	full := "ad " + manifestHead + manifestSum + manifestURL + " 07 44 deadbeef 08 1a000493e0 09 f5 0a 06 0b 82 65 322e342e30 65 322e342e31 0c 1a6b86067f 0d 6d 646566726f73742074696d6572"
	for _, c := range []manifestCase{
		{name: "least", spec: "F-140 F-142 F-143", comment: "what a manifest must say"},
		{name: "full", spec: "F-143", comment: "all that a manifest can say", payload: full},
		{name: "es256", spec: "F-141 F-142", comment: "signed on P-256", payload: full, es256: true},
		{name: "even", spec: "F-144", comment: "even keys of a later version, with values of all kinds", payload: manifestWith(3, "0e 82 01 f6 10 a1 61 61 f97e00 18fe c2 41 01")},
		{name: "first-even", spec: "F-144", comment: "key 0", payload: "a7 00 00" + manifestLeast[2:]},
		{name: "bounds", spec: "F-143", comment: "the longest texts and the greatest numbers", payload: "ad 01 7840" + strings.Repeat("61", 64) + "02 7840" + strings.Repeat("62", 64) +
			"03 1affffffff 04 1b000000ffffffffff 05 5820" + manifestSum + "06 78ff" + strings.Repeat("63", 255) + "07 5820" + manifestSum + "08 1b000000ffffffffff 09 f5 0a 1afffffffe 0b 88" +
			strings.Repeat("7840"+strings.Repeat("64", 64), 8) + "0c 1b000000ffffffffff 0d 78ff" + strings.Repeat("65", 255)},
		{name: "build", spec: "F-143", comment: "the shortest hash of a build", payload: manifestWith(1, "07 44 01020304")},
		{name: "longest", spec: "F-140", comment: "2,048 bytes", payload: manifestOf(2048)},
		{name: "hash-16", spec: "F-145", comment: "an offer that gives 16 bytes of the hash", hash: "short"},
	} {
		c.expect = "ok"
		m.manifest(&c)
	}
}

func (m *maker) refusedManifests() {
	key := func(n, from, to string) string { return strings.Replace(manifestLeast, n+" "+from, n+" "+to, 1) }
	tamper := func(b []byte) { b[bytes.IndexByte(b, 'r')] ^= 1 }
	for _, c := range []manifestCase{
		{name: "signature", spec: "F-142", expect: "auth", comment: "a bit of the signature", damage: func(b []byte) { b[len(b)-1] ^= 1 }},
		{name: "tampered", spec: "F-142", expect: "auth", comment: "a bit of the product", damage: tamper},
		{name: "tampered-es256", spec: "F-142", expect: "auth", comment: "a bit of the product", es256: true, damage: tamper},
		{name: "key-id", spec: "F-142", expect: "auth", comment: "a key that nobody knows", header: "a2 01 27 04 41 00"},
		{name: "stranger", spec: "F-142", expect: "auth", comment: "another key that has the id of the one that is known", stranger: true},
		{name: "algorithm-other", spec: "F-142", expect: "auth", comment: "the key's id, and the algorithm of another", header: "a2 01 26 04 KID"},
		{name: "hash-other", spec: "F-145", expect: "auth", comment: "not the manifest that was offered", hash: strings.Repeat("00", 32)},
		{name: "odd", spec: "F-144", expect: "unsupported", comment: "an odd key of a later version", payload: manifestWith(1, "0f 01")},
		{name: "odd-far", spec: "F-144", expect: "unsupported", comment: "an odd key far beyond", payload: manifestWith(1, "1b00000001000000ff 01")},

		{name: "empty", spec: "F-140", expect: "truncated", comment: "nothing but a tag", envelope: "d2"},
		{name: "untagged", spec: "F-140", comment: "no tag", envelope: "84 PROTECTED a0 PAYLOAD SIGNATURE"},
		{name: "other-tag", spec: "F-140", comment: "a tag of another signature", envelope: "d8 62 84 PROTECTED a0 PAYLOAD SIGNATURE"},
		{name: "tag-longer", spec: "F-140", comment: "a tag that is not the shortest", envelope: "d812 84 PROTECTED a0 PAYLOAD SIGNATURE"},
		{name: "three", spec: "F-140", comment: "an array of three", envelope: "d2 83 PROTECTED PAYLOAD SIGNATURE"},
		{name: "behind", spec: "F-140", comment: "a byte behind it", envelope: "d2 84 PROTECTED a0 PAYLOAD SIGNATURE 00"},
		{name: "cut", spec: "F-140", expect: "truncated", comment: "cut", envelope: "d2 84 PROTECTED a0 PAYLOAD 5840 00"},
		{name: "unprotected", spec: "F-141", expect: "unsupported", comment: "something that is not signed", envelope: "d2 84 PROTECTED a1 04 41 00 PAYLOAD SIGNATURE"},
		{name: "detached", spec: "F-141", comment: "no payload", envelope: "d2 84 PROTECTED a0 f6 SIGNATURE"},
		{name: "text", spec: "F-141", comment: "a text for the payload", envelope: "d2 84 PROTECTED a0 61 61 SIGNATURE"},
		{name: "signature-short", spec: "F-141", comment: "a signature of 63 bytes", envelope: "d2 84 PROTECTED a0 PAYLOAD 583f" + strings.Repeat("00", 63)},
		{name: "signature-long", spec: "F-141", comment: "a signature of 65 bytes", envelope: "d2 84 PROTECTED a0 PAYLOAD 5841" + strings.Repeat("00", 65)},
		{name: "signature-longer", spec: "F-140", comment: "a length that is not the shortest", envelope: "d2 84 PROTECTED a0 PAYLOAD 590040" + strings.Repeat("00", 64)},
		{name: "header-empty", spec: "F-141", comment: "nothing is protected", envelope: "d2 84 40 a0 PAYLOAD SIGNATURE"},
		{name: "header-no-key", spec: "F-141", comment: "no key id", header: "a1 01 27"},
		{name: "header-no-algorithm", spec: "F-141", comment: "no algorithm", header: "a1 04 KID"},
		{name: "header-more", spec: "F-141", expect: "unsupported", comment: "another header", header: "a3 01 27 03 00 04 KID"},
		{name: "header-critical", spec: "F-141", comment: "a header that one must understand", header: "a3 01 27 02 81 03 04 KID"},
		{name: "header-order", spec: "F-140", expect: "unsupported", comment: "not in order", header: "a2 04 KID 01 27"},
		{name: "header-longer", spec: "F-140", expect: "unsupported", comment: "a number that is not the shortest", header: "a2 01 3807 04 KID"},
		{name: "algorithm", spec: "F-141", expect: "unsupported", comment: "PS256", header: "a2 01 3824 04 KID"},
		{name: "key-empty", spec: "F-141", comment: "an empty key id", header: "a2 01 27 04 40"},
		{name: "key-long", spec: "F-141", comment: "a key id of 33 bytes", header: "a2 01 27 04 5821" + strings.Repeat("00", 33)},
		{name: "key-text", spec: "F-141", comment: "a text for a key id", header: "a2 01 27 04 61 61"},

		{name: "too-long", spec: "F-140", comment: "2,049 bytes", payload: manifestOf(2049)},
		{name: "array", spec: "F-143", comment: "an array", payload: "80"},
		{name: "nothing", spec: "F-143", comment: "an empty map", payload: "a0"},
		{name: "payload-behind", spec: "F-140", comment: "a byte behind the map", payload: manifestLeast + "00"},
		{name: "indefinite", spec: "F-140", comment: "an indefinite length", payload: "bf" + manifestLeast[2:] + "ff"},
		{name: "map-longer", spec: "F-140", comment: "a map of a length that is not the shortest", payload: "b806" + manifestLeast[2:]},
		{name: "number-longer", spec: "F-140", comment: "a number that is not the shortest", payload: key("03", "07", "1807")},
		{name: "order", spec: "F-140", comment: "keys that do not rise", payload: "a6 02 65 322e352e30 01 6b 7265656665722d756e6974" + manifestLeast[len("a6 01 6b 7265656665722d756e6974 02 65 322e352e30"):]},
		{name: "two", spec: "F-140", comment: "a key stands twice", payload: manifestWith(2, "0e 01 0e 01")},
		{name: "key-negative", spec: "F-143", comment: "a negative key", payload: manifestWith(1, "20 01")},
		{name: "deep", spec: "F-140", comment: "five levels", payload: manifestWith(1, "0e 81 81 81 81 01")},
		{name: "pairs", spec: "F-143", comment: "65 pairs", payload: "b841" + manifestLeast[2:] + manyEven(59)},
		{name: "product-empty", spec: "F-143", comment: "an empty product", payload: key("01", "6b 7265656665722d756e6974", "60")},
		{name: "product-long", spec: "F-143", comment: "a product of 65 bytes", payload: key("01", "6b 7265656665722d756e6974", "7841"+strings.Repeat("61", 65))},
		{name: "product-bytes", spec: "F-143", comment: "bytes for the product", payload: key("01", "6b", "4b")},
		{name: "product-utf8", spec: "F-143", comment: "a product that is no UTF-8", payload: key("01", "6b 72", "6b ff")},
		{name: "no-version", spec: "F-143", comment: "no version", payload: "a5" + strings.Replace(manifestLeast[2:], "02 65 322e352e30", "", 1)},
		{name: "sequence-zero", spec: "F-143", comment: "sequence 0", payload: key("03", "07", "00")},
		{name: "sequence-beyond", spec: "F-143", comment: "sequence 2^32", payload: key("03", "07", "1b0000000100000000")},
		{name: "size-zero", spec: "F-143", comment: "an image of 0 bytes", payload: key("04", "1a00020000", "00")},
		{name: "size-beyond", spec: "F-143", comment: "an image of 2^40 bytes", payload: key("04", "1a00020000", "1b0000010000000000")},
		{name: "hash", spec: "F-143", comment: "a hash of 31 bytes", payload: "a6 " + strings.Replace(manifestHead, "5820", "581f", 1) + manifestSum[2:] + manifestURL},
		{name: "url-long", spec: "F-143", comment: "a URL of 256 bytes", payload: key("06", "68 687474703a2f2f61", "790100"+strings.Repeat("61", 256))},
		{name: "build-short", spec: "F-143", comment: "a build of 3 bytes", payload: manifestWith(1, "07 43 010203")},
		{name: "build-long", spec: "F-143", comment: "a build of 33 bytes", payload: manifestWith(1, "07 5821"+strings.Repeat("00", 33))},
		{name: "memory-zero", spec: "F-143", comment: "memory of 0 bytes, which is said by leaving it out", payload: manifestWith(1, "08 00")},
		{name: "in-place-false", spec: "F-143", comment: "false, which is said by leaving it out", payload: manifestWith(1, "09 f4")},
		{name: "in-place-number", spec: "F-143", comment: "1 for true", payload: manifestWith(1, "09 01")},
		{name: "minimum", spec: "F-143", comment: "a minimum that is not below the sequence", payload: manifestWith(1, "0a 07")},
		{name: "from-empty", spec: "F-143", comment: "from no version", payload: manifestWith(1, "0b 80")},
		{name: "from-nothing", spec: "F-143", comment: "from an empty version", payload: manifestWith(1, "0b 82 61 61 60")},
		{name: "from-null", spec: "F-143", comment: "null for a version", payload: manifestWith(1, "0b 82 61 61 f6")},
		{name: "from-many", spec: "F-143", comment: "from nine versions", payload: manifestWith(1, "0b 89"+strings.Repeat("61 61", 9))},
		{name: "from-long", spec: "F-143", comment: "from a version of 65 bytes", payload: manifestWith(1, "0b 81 7841"+strings.Repeat("61", 65))},
		{name: "end-beyond", spec: "F-143", comment: "an end of 2^40", payload: manifestWith(1, "0c 1b0000010000000000")},
		{name: "notes-long", spec: "F-143", comment: "notes of 256 bytes", payload: manifestWith(1, "0d 790100"+strings.Repeat("61", 256))},
		{name: "null", spec: "F-143", comment: "null for notes", payload: manifestWith(1, "0d f6")},
		{name: "url-undefined", spec: "F-143", comment: "undefined for the URL", payload: strings.Replace(manifestLeast, manifestURL, "06 f7", 1)},
	} {
		if c.expect == "" {
			c.expect = "malformed"
		}
		m.manifest(&c)
	}
}

// manyEven is so many pairs of even keys.
func manyEven(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "18%02x 00", 0x40+2*i)
	}
	return b.String()
}

// admissions are good manifests for devices that may install them or not.
func (m *maker) admissions() {
	bridge := manifestWith(2, "0a 05 0b 82 65 322e342e30 65 322e342e31")
	for _, c := range []manifestCase{
		{name: "device", comment: "a device that may install it", device: "reefer-unit 2.4.0 6 262144 0", result: 1},
		{name: "device-new", comment: "a device that knows no sequence of its software", device: "reefer-unit - 0 262144 0", result: 1},
		{name: "device-product", comment: "another product", device: "reefer-units 2.4.0 6 262144 0", result: 6},
		{name: "device-product-short", comment: "another product, that this one begins with", device: "reefer 2.4.0 6 262144 0", result: 6},
		{name: "device-same", comment: "what runs already", device: "reefer-unit 2.5.0 7 262144 0", result: 6},
		{name: "device-newer", comment: "older than what runs", device: "reefer-unit 2.6.0 8 262144 0", result: 6},
		{name: "device-memory", comment: "a byte too little", device: "reefer-unit 2.4.0 6 262143 0", result: 2},
		{name: "device-memory-more", comment: "it asks for more than twice the image", payload: manifestWith(1, "08 1a00040001"), device: "reefer-unit 2.4.0 6 262144 0", result: 2},
		{name: "device-memory-less", comment: "it cannot ask for less than twice the image", payload: manifestWith(1, "08 01"), device: "reefer-unit 2.4.0 6 262143 0", result: 2},
		{name: "device-in-place", comment: "room for the image once", payload: manifestWith(1, "09 f5"), device: "reefer-unit 2.4.0 6 131072 0", result: 1},
		{name: "device-in-place-short", comment: "room for less than the image", payload: manifestWith(1, "09 f5"), device: "reefer-unit 2.4.0 6 131071 0", result: 2},
		{name: "device-in-place-memory", comment: "a patch that needs little", payload: manifestWith(2, "08 190800 09 f5"), device: "reefer-unit 2.4.0 6 2048 0", result: 1},
		{name: "device-bridge", comment: "from the version and the sequence that it asks for", payload: bridge, device: "reefer-unit 2.4.1 5 262144 0", result: 1},
		{name: "device-minimum", comment: "below its minimum", payload: bridge, device: "reefer-unit 2.4.1 4 262144 0", result: 6},
		{name: "device-from", comment: "from another version", payload: bridge, device: "reefer-unit 2.4.2 5 262144 0", result: 6},
		{name: "device-from-unknown", comment: "from a version that is not known", payload: bridge, device: "reefer-unit - 5 262144 0", result: 6},
		{name: "device-in-time", comment: "in its last second", payload: manifestWith(1, "0c 1a6b86067f"), device: "reefer-unit 2.4.0 6 262144 1803945599", result: 1},
		{name: "device-late", comment: "a second too late", payload: manifestWith(1, "0c 1a6b86067f"), device: "reefer-unit 2.4.0 6 262144 1803945600", result: 10},
		{name: "device-no-clock", comment: "a device without a clock", payload: manifestWith(1, "0c 1a6b86067f"), device: "reefer-unit 2.4.0 6 262144 0", result: 1},
	} {
		c.spec, c.expect = "F-146 F-147", "ok"
		m.manifest(&c)
	}
}

// manifest adds a case: the key of the vectors signs what RFC 9052 §4.4 says.
func (m *maker) manifest(c *manifestCase) {
	m.t.Helper()
	signer, public := manifestKey(m.t, 1, c.es256)
	kid := sha256.Sum256(public)
	header := c.header
	if header == "" {
		header = map[bool]string{false: "a2 01 27 04 KID", true: "a2 01 26 04 KID"}[c.es256]
	}
	protected := refBytes(m.hex(strings.ReplaceAll(header, "KID", "48"+hex.EncodeToString(kid[:8]))))
	payload := c.payload
	if payload == "" {
		payload = manifestLeast
	}
	body := refBytes(m.hex(payload))
	signed := append(append(append([]byte("\x84\x6aSignature1"), protected...), 0x40), body...)
	if c.stranger {
		signer, _ = manifestKey(m.t, 2, c.es256)
	}
	signature := refSign(m.t, signer, signed)
	good := signature
	if c.stranger {
		known, _ := manifestKey(m.t, 1, c.es256)
		good = refSign(m.t, known, signed)
	}
	envelope := c.envelope
	if envelope == "" {
		envelope = "d2 84 PROTECTED a0 PAYLOAD SIGNATURE"
	}
	input := m.hex(strings.NewReplacer("PROTECTED", hex.EncodeToString(protected), "PAYLOAD", hex.EncodeToString(body),
		"SIGNATURE", hex.EncodeToString(refBytes(signature))).Replace(envelope))
	if c.damage != nil {
		c.damage(input)
	}
	h := []string{"public-key: " + hex.EncodeToString(public)}
	switch sum := sha256.Sum256(input); c.hash {
	case "":
		h = append(h, "hash: "+hex.EncodeToString(sum[:]))
	case "short":
		h = append(h, "hash: "+hex.EncodeToString(sum[:16]))
	default:
		h = append(h, "hash: "+c.hash)
	}
	if c.expect == "ok" || c.expect == "auth" {
		h = append(h, fmt.Sprintf("algorithm: %d", map[bool]int{false: -8, true: -7}[c.es256]), "key-id: "+hex.EncodeToString(kid[:8]), "signed: "+hex.EncodeToString(signed), "signature: "+hex.EncodeToString(good))
	}
	if c.expect == "ok" {
		h = append(h, "fields: "+describeKnown(m.t, m.hex(payload)))
	}
	if c.device != "" {
		h = append(h, "device: "+c.device, fmt.Sprintf("result: %d", c.result))
	}
	m.add("manifest-"+c.name, c.spec, c.expect, c.comment, "manifest", input, h...)
}

// manifestKey is a key of the vectors: of its bytes all are n.
func manifestKey(t testing.TB, n byte, es256 bool) (crypto.Signer, []byte) {
	t.Helper()
	seed := bytes.Repeat([]byte{n}, 32)
	var signer crypto.Signer = ed25519.NewKeyFromSeed(seed)
	if es256 {
		key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), seed)
		if err != nil {
			t.Fatal(err)
		}
		signer = key
	}
	der, err := x509.MarshalPKIXPublicKey(signer.Public())
	if err != nil {
		t.Fatal(err)
	}
	return signer, der
}

// refSign signs without randomness (RFC 8032, RFC 6979), as COSE wants a signature.
func refSign(t testing.TB, key crypto.Signer, message []byte) []byte {
	t.Helper()
	if k, ok := key.(ed25519.PrivateKey); ok {
		return ed25519.Sign(k, message)
	}
	sum := sha256.Sum256(message)
	der, err := key.Sign(nil, sum[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	var rs struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &rs); err != nil {
		t.Fatal(err)
	}
	out := make([]byte, 64)
	rs.R.FillBytes(out[:32])
	rs.S.FillBytes(out[32:])
	return out
}

// refBytes is a byte string with its head.
func refBytes(b []byte) []byte {
	head := refUint(len(b))
	head[0] |= 0x40
	return append(head, b...)
}

// describeKnown writes the keys of a payload that version 1 knows.
func describeKnown(t *testing.T, payload []byte) string {
	t.Helper()
	var all map[uint64]any
	if err := cbor.Unmarshal(payload, &all); err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(all, func(key uint64, _ any) bool { return key < 1 || key > 13 })
	return strings.Join(describePairs(t, all, "%d=%s"), " ")
}

// manifest reads a manifest as a device does that was offered it.
func (v *vector) manifest(t *testing.T, input []byte) error {
	t.Helper()
	key, err := manifest.ParsePublicKey(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: v.hex(t, "public-key")}))
	if err != nil {
		t.Fatal(err)
	}
	s, err := manifest.VerifyOffered(input, v.hex(t, "hash"), []manifest.PublicKey{key})
	if err != nil {
		return err
	}
	if got := describeManifest(&s.Manifest); got != v.get("fields") {
		return fmt.Errorf("fields %s", got)
	}
	if !bytes.Equal(s.KeyID, v.hex(t, "key-id")) {
		return fmt.Errorf("key id %x", s.KeyID)
	}
	device := strings.Fields(v.get("device"))
	if len(device) == 0 {
		return nil
	}
	var target manifest.Target
	var now int64
	if _, err := fmt.Sscan(strings.Join(device, " "), &target.Product, &target.Version, &target.Sequence, &target.Free, &now); err != nil {
		t.Fatal(err)
	}
	if target.FreeKnown = true; now > 0 {
		target.Now = time.Unix(now, 0)
	}
	if code := manifest.Code(s.Manifest.Admits(&target)); fmt.Sprint(code) != v.get("result") {
		return fmt.Errorf("result %d", code)
	}
	return nil
}

// describeManifest writes what a manifest says as describeFields does.
func describeManifest(m *manifest.Manifest) string {
	out := fmt.Sprintf(`1=%q 2=%q 3=%d 4=%d 5="%x" 6=%q`, m.Product, m.Version, m.Sequence, m.Size, m.SHA256, m.URL)
	if len(m.Build) > 0 {
		out += fmt.Sprintf(` 7="%x"`, m.Build)
	}
	if m.Memory > 0 {
		out += fmt.Sprintf(" 8=%d", m.Memory)
	}
	if m.InPlace {
		out += " 9=true"
	}
	if m.Minimum > 0 {
		out += fmt.Sprintf(" 10=%d", m.Minimum)
	}
	for i, from := range m.From {
		out += fmt.Sprintf("%s%q", map[bool]string{true: " 11=[", false: ","}[i == 0], from)
	}
	if len(m.From) > 0 {
		out += "]"
	}
	if !m.NotAfter.IsZero() {
		out += fmt.Sprintf(" 12=%d", m.NotAfter.Unix())
	}
	if m.Notes != "" {
		out += fmt.Sprintf(" 13=%q", m.Notes)
	}
	return out
}
