package codec_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/codec"
)

// The vectors are made without the code that they are for: by pion's AES-CCM, crypto/hmac, and bits and bytes written out by hand.

// maker collects vectors.
type maker struct {
	t   *testing.T
	all []vector
}

// add adds a case. Headers are "key: value".
func (m *maker) add(name, spec, expect, comment, operation string, input []byte, headers ...string) {
	v := vector{name: name, input: input, headers: [][2]string{
		{"comment", comment}, {"spec", spec}, {"operation", operation}, {"expect", expect},
	}}
	for _, h := range headers {
		key, value, ok := strings.Cut(h, ": ")
		if !ok {
			m.t.Fatalf("%s: header %q", name, h)
		}
		v.headers = append(v.headers, [2]string{key, value})
	}
	m.all = append(m.all, v)
}

func makeVectors(t *testing.T) []vector {
	t.Helper()
	m := &maker{t: t}
	m.derivations()
	m.sequences()
	m.sealed()
	m.completions()
	m.refusedSealed()
	m.refusedHeaders()
	m.keyframes()
	m.times()
	m.refusedKeyframes()
	m.hellos()
	m.openStatuses()
	m.acks()
	m.joins()
	m.templates()
	m.messages()
	m.deltas()
	m.manifests()
	return m.all
}

func (m *maker) hex(s string) []byte {
	m.t.Helper()
	return unhex(m.t, strings.ReplaceAll(s, " ", ""))
}

func (m *maker) derivations() {
	dev := testDevice()
	key := "device-key: " + hex.EncodeToString(dev[:])
	for _, c := range []struct {
		name, label, salt string
		number, epoch     uint32
		size              int
	}{
		{"up8", "up8", "", 7, 0, 29},
		{"up4", "up4", "", 7, 0, 29},
		{"down", "dn", "", 7, 0, 29},
		{"ack", "ack", "", 7, 0, 32},
		{"epoch", "up8", "000102030405060708090a0b0c0d0e0f", 1<<32 - 1, 258, 29},
		{"ack-epoch", "ack", "000102030405060708090a0b0c0d0e0f", 1<<32 - 1, 258, 32},
	} {
		h := []string{key, "label: " + c.label, fmt.Sprintf("number: %d", c.number)}
		if c.epoch > 0 {
			h = append(h, fmt.Sprintf("epoch: %d", c.epoch), "salt: "+c.salt)
		}
		m.add("derive-"+c.name, "F-020", "ok", "key and IV of a label, or the ack key", "derive",
			refHKDF(m.hex(c.salt), dev[:], refInfo(c.label, c.number, c.epoch), c.size), h...)
	}
	m.add("derive-fleet", "F-020", "ok", "the device key of a number of a fleet", "derive",
		refHKDF([]byte("godwit/1 fleet"), dev[:], []byte("dev\x00\x00\x03\xe9"), 32), "fleet-key: "+hex.EncodeToString(dev[:]), "label: fleet", "number: 1001")
}

func (m *maker) sequences() {
	ten := "4a 40 01 0203040506070809"
	for _, c := range []struct{ name, spec, expect, comment, forms, hex string }{
		{"each-form", "F-001 F-004", "ok", "one item of each form", "sealed addressed open signed", ten + " 8207" + ten + " a10001 d28443a10126a04568656c6c6f42aabb"},
		{
			"cid-widths", "F-002 F-005", "ok", "connection ids at each border of their width", "addressed addressed addressed addressed addressed addressed addressed",
			"820040 821740 82181840 8218ff40 8219010040 821a0001000040 821affffffff40",
		},
		{
			"string-widths", "F-002", "ok", "byte strings at each border of their head", "sealed sealed sealed sealed",
			"57" + strings.Repeat("aa", 23) + "5818" + strings.Repeat("aa", 24) + "58ff" + strings.Repeat("aa", 255) + "590100" + strings.Repeat("aa", 256),
		},
		{"sixteen", "F-003", "ok", "as many items as may be", strings.TrimSpace(strings.Repeat("open ", 16)), strings.Repeat("a0", 16)},
		{"seventeen", "F-003", "malformed", "one item too many", strings.TrimSpace(strings.Repeat("open ", 16)), strings.Repeat("a0", 17)},
		{"bad-behind-good", "F-004", "malformed", "the first item stands, the second is refused", "sealed", ten + "ff"},
		{"cut-behind-good", "F-004", "truncated", "the first item stands, the second is cut", "sealed", ten + "4a4001"},
		{"integer", "F-001", "malformed", "an integer is no item", "", "00"},
		{"text", "F-001", "malformed", "a text is no item", "", "6161"},
		{"array-of-three", "F-001", "malformed", "an array of another length", "", "83070040"},
		{"other-tag", "F-001", "malformed", "a tag of another value", "", "d18440a04040"},
		{"null", "F-001", "malformed", "null is no item", "", "f6"},
		{"long-string", "F-001", "malformed", "a byte string with a length of four bytes", "", "5a00010000"},
		{"indefinite-string", "F-002", "malformed", "a byte string of indefinite length", "", "5f4100ff"},
		{"indefinite-map", "F-002", "malformed", "a map of indefinite length", "", "bf0001ff"},
		{"long-head", "F-002", "malformed", "a length below 24 in a byte of its own", "", "5803400102"},
		{"longer-head", "F-002", "malformed", "a length below 256 in two bytes", "", "590018" + strings.Repeat("aa", 24)},
		{"long-cid", "F-002", "malformed", "a connection id that is not the shortest", "", "8218074101"},
		{"long-key", "F-002", "malformed", "an integer within a map that is not the shortest", "", "a1180001"},
		{"cid-beyond", "F-005", "malformed", "a connection id of 2^32", "", "821b000000010000000040"},
		{"cid-negative", "F-005", "malformed", "a negative connection id", "", "822040"},
		{"addressed-text", "F-001", "malformed", "an addressed text", "", "82076161"},
		{"addressed-open", "F-001", "malformed", "an addressed map", "", "8207a0"},
		{"four-levels", "F-006", "ok", "a map with three arrays within each other", "open", "a10081818100"},
		{"five-levels", "F-006", "malformed", "one level too many", "", "a1008181818100"},
		{"five-levels-empty", "F-006", "malformed", "an empty array is a level too", "", "a10081818180"},
		{"tag-is-a-level", "F-006", "malformed", "a tag is a level", "", "d284a0a10081c10040"},
		{"cut-map", "F-001", "truncated", "a map that says more than there is", "", "a20001"},
		{"cut-huge", "F-003", "truncated", "a map that says far more than there may be", "", "bbffffffffffffffff"},
		{"simple-value", "F-006", "malformed", "a simple value that nobody uses", "", "a100f820"},
	} {
		h := []string{}
		if c.forms != "" {
			h = append(h, "forms: "+c.forms)
		}
		m.add("sequence-"+c.name, c.spec, c.expect, c.comment, "sequence", m.hex(c.hex), h...)
	}
}

// frame is what a sealed vector is made of.
type frame struct {
	header        byte
	counter       uint64
	ctrBits, tag  int
	number, epoch uint32
	salt          string
	down          bool
	label         string // of the key, if it is not the one that belongs there
	addressed     bool
	plaintext     string // hex
	highest       string // a number, or nothing
}

func (f *frame) labels() (key, aad string) {
	key, aad = "up8", "godwit/1 up"
	switch {
	case f.down:
		key, aad = "dn", "godwit/1 dn"
	case f.tag == 4:
		key = "up4"
	}
	if f.label != "" {
		key = f.label
	}
	return key, aad
}

// content is header, counter, ciphertext and tag.
func (f *frame) content(m *maker) []byte {
	m.t.Helper()
	dev := testDevice()
	key, aad := f.labels()
	okm := refHKDF(m.hex(f.salt), dev[:], refInfo(key, f.number, f.epoch), 29)
	p := position{
		key: codec.SealKey{Key: [16]byte(okm[:16]), IV: [13]byte(okm[16:])}, label: aad, header: f.header, number: f.number, epoch: f.epoch, ctr: f.counter,
	}
	ctr := binary.BigEndian.AppendUint64(nil, f.counter)
	bits := f.ctrBits
	if f.header>>3 == 0xc8>>3 {
		bits = 40
	}
	b := append([]byte{f.header}, ctr[8-bits/8:]...)
	return append(b, refSeal(m.t, &p, f.tag, m.hex(f.plaintext))...)
}

// item is the content with its heads.
func (f *frame) item(content []byte) []byte {
	it := codec.Item{Form: codec.FormSealed, Content: content}
	if f.addressed {
		it.Form, it.CID = codec.FormAddressed, f.number
	}
	return refEnvelope(&it)
}

func (f *frame) headers() []string {
	dev := testDevice()
	h := []string{
		"device-key: " + hex.EncodeToString(dev[:]), fmt.Sprintf("number: %d", f.number), fmt.Sprintf("counter: %d", f.counter),
		fmt.Sprintf("ctr-bits: %d", f.ctrBits), fmt.Sprintf("tag: %d", f.tag),
	}
	if f.epoch > 0 {
		h = append(h, fmt.Sprintf("epoch: %d", f.epoch), "salt: "+f.salt)
	}
	if f.down {
		h = append(h, "direction: down")
	}
	if f.highest != "" {
		h = append(h, "highest: "+f.highest)
	}
	if f.plaintext != "" {
		h = append(h, "plaintext: "+strings.ReplaceAll(f.plaintext, " ", ""))
	}
	return h
}

// seal adds a frame that opens.
func (m *maker) seal(name, spec, comment string, f frame) {
	m.t.Helper()
	m.add("open-"+name, spec, "ok", comment, "open", f.item(f.content(m)), f.headers()...)
}

func (m *maker) sealed() {
	status := "a14f36f2bda277b282d81870c8"
	m.seal("keyframe", "F-020 F-021", "a status with an 8-byte tag", frame{header: 0x40, counter: 1, ctrBits: 8, tag: 8, number: 7, plaintext: status})
	m.seal("keyframe-tag4", "F-017 F-022", "the same status for a metered link: the tag has 4 bytes and another key",
		frame{header: 0x40, counter: 1, ctrBits: 8, tag: 4, number: 7, plaintext: status})
	m.seal("keyframe-addressed", "F-023", "the same sealed bytes with a connection id before them",
		frame{header: 0x40, counter: 1, ctrBits: 8, tag: 8, number: 7, plaintext: status, addressed: true})
	m.seal("ack-asked", "F-013", "a status that asks for an acknowledgement", frame{header: 0x41, counter: 2, ctrBits: 8, tag: 8, number: 7, plaintext: status})
	m.seal("ctr16", "F-025", "a counter of 16 bits on air", frame{header: 0x40, counter: 70_000, ctrBits: 16, tag: 8, number: 7, plaintext: status, highest: "69999"})
	m.seal("slot6", "F-010", "the last template slot", frame{header: 0x70, counter: 3, ctrBits: 8, tag: 8, number: 7, plaintext: "80"})
	m.seal("empty", "F-016 F-034", "a status of zeros has no bytes", frame{header: 0x40, counter: 4, ctrBits: 8, tag: 8, number: 7})
	m.seal("empty-tag4", "F-014 F-017", "the shortest frame there is", frame{header: 0x40, counter: 4, ctrBits: 8, tag: 4, number: 7})
	m.seal("delta", "F-010", "a delta opens", frame{header: 0x03, counter: 5, ctrBits: 8, tag: 4, number: 7, plaintext: "20"})
	m.seal("batch", "F-010", "so does a batch", frame{header: 0x80, counter: 6, ctrBits: 8, tag: 8, number: 7, plaintext: "18f3"})
	m.seal("message", "F-011 F-012", "bytes of the application", frame{header: 0xc0, counter: 7, ctrBits: 8, tag: 8, number: 7, plaintext: "0368656c6c6f"})
	m.seal("message-zeros", "F-016", "the plaintext of a message is exact", frame{header: 0xc1, counter: 8, ctrBits: 16, tag: 8, number: 7, plaintext: "03000000"})
	m.seal("message-unknown", "F-040", "a type that version 1 does not know opens and is kept", frame{header: 0xc0, counter: 9, ctrBits: 8, tag: 8, number: 7, plaintext: "c8010203"})
	m.seal("hello", "F-015", "a hello with its whole counter repairs what nobody remembers",
		frame{header: 0xc8, counter: 1<<33 + 5, ctrBits: 8, tag: 8, number: 7, plaintext: "01a10165312e322e33", addressed: true, highest: "17"})
	m.seal("last-counter", "F-024", "the last counter of an epoch", frame{header: 0xc8, counter: 1<<40 - 1, ctrBits: 16, tag: 8, number: 7, plaintext: "03"})
	m.seal("epoch", "F-020", "another epoch with its salt", frame{
		header: 0x40, counter: 1, ctrBits: 8, tag: 8, number: 7, epoch: 258, salt: "000102030405060708090a0b0c0d0e0f", plaintext: "80",
	})
	m.seal("last-number", "F-005 F-020", "the highest number", frame{header: 0x40, counter: 1, ctrBits: 8, tag: 8, number: 1<<32 - 1, addressed: true, plaintext: "80"})
	m.seal("down", "F-020", "a downlink has its own key and label", frame{header: 0xc0, counter: 300, ctrBits: 16, tag: 8, number: 7, down: true, plaintext: "036869", highest: "299"})
	// One byte of head up to 23 bytes of content, then two, then three; one, two and many blocks of the cipher.
	for _, n := range []int{13, 14, 15, 16, 17, 32, 245, 246, 1000} {
		m.seal(fmt.Sprintf("length-%d", n), "F-002", fmt.Sprintf("a message of %d bytes", n),
			frame{header: 0xc0, counter: uint64(n), ctrBits: 8, tag: 8, number: 7, plaintext: "03" + strings.Repeat("5a", n-1), highest: strconv.Itoa(n - 1)})
	}
}

func (m *maker) completions() {
	for _, c := range []struct {
		name, highest string
		counter       uint64
		comment       string
	}{
		{"next", "299", 300, "the next counter"},
		{"wrap", "255", 256, "the low bits begin anew"},
		{"lost", "299", 427, "127 frames were lost"},
		{"tie", "299", 428, "as near above as below: the larger"},
		{"late", "299", 173, "126 frames overtook it"},
		{"first", "", 200, "nothing was verified before"},
		{"low-end", "3", 250, "below zero there is nothing"},
		{"high-end", "1099511627775", 1<<40 - 250, "beyond the last counter there is nothing"},
	} {
		m.seal("complete-"+c.name, "F-025", c.comment, frame{header: 0x40, counter: c.counter, ctrBits: 8, tag: 8, number: 7, plaintext: "80", highest: c.highest})
	}
	f := frame{header: 0x40, counter: 429, ctrBits: 8, tag: 8, number: 7, plaintext: "80", highest: "299"}
	m.add("open-complete-too-far", "F-025 F-021", "auth", "128 frames were lost: it is taken for an earlier one and fails", "open", f.item(f.content(m)), f.headers()...)
}

func (m *maker) refusedSealed() {
	good := frame{header: 0x40, counter: 1, ctrBits: 8, tag: 8, number: 7, plaintext: "a14f36"}
	refuse := func(name, spec, expect, comment string, content []byte, claim frame) {
		m.add("open-"+name, spec, expect, comment, "open", claim.item(content), claim.headers()...)
	}
	claim := func(change func(f *frame)) frame {
		f := good
		change(&f)
		return f
	}
	content := good.content(m)
	refuse("other-number", "F-021", "auth", "sealed for device 7, taken for 8", content, claim(func(f *frame) { f.number = 8 }))
	refuse("other-epoch", "F-021", "auth", "sealed in epoch 0, taken for 1", content, claim(func(f *frame) { f.epoch, f.salt = 1, "aa" }))
	refuse("other-direction", "F-021", "auth", "an uplink is no downlink", content, claim(func(f *frame) { f.down = true }))
	up4 := good
	up4.label = "up4"
	refuse("other-label", "F-020", "auth", "a tag of 8 bytes under the key of those of 4", up4.content(m), good)
	for name, at := range map[string]int{"header": 0, "counter": 1, "ciphertext": 2, "tag": len(content) - 1} {
		b := bytes.Clone(content)
		b[at] ^= 1
		refuse("changed-"+name, "F-021", "auth", "a bit of the "+name+" is another", b, good)
	}
	refuse("short", "F-014", "truncated", "a byte less than header, counter and tag", content[:9], good)
	refuse("none", "F-014", "truncated", "no content", nil, good)
	refuse("short-whole-counter", "F-014", "truncated", "no room for the whole counter", []byte("\xc8\x00\x00\x00\x00\x01\x01\x02\x03\x04\x05\x06\x07"), good)
	zeros := good
	zeros.plaintext = "a14f00"
	refuse("trailing-zero", "F-016", "malformed", "authentic, but the zero at its end should have been cut", zeros.content(m), zeros)
	short := frame{header: 0xc0, counter: 1, ctrBits: 8, tag: 4, number: 7, plaintext: "0368656c6c6f"}
	refuse("message-tag4", "F-017", "malformed", "a message with a tag of 4 bytes", short.content(m), short)
	join := []byte("\xf8\x00\x00\x00\x07\x00\x00\x00\x01\xaa\xbb\xcc\xdd\x01\x02\x03\x04\x05\x06\x07\x08")
	refuse("control", "F-012", "control", "a clear control frame is not sealed", join, good)
	m.add("open-two-items", "F-004", "malformed", "bytes behind the item", "open", append(good.item(content), 0xa0), good.headers()...)
}

// refusedHeaders seals under headers that version 1 does not know: they are refused before any key is tried.
func (m *maker) refusedHeaders() {
	for _, c := range []struct {
		header        byte
		spec, comment string
	}{
		{0x38, "F-010", "a delta of slot 7"},
		{0x78, "F-010", "a keyframe of slot 7"},
		{0xb8, "F-010", "a batch of slot 7"},
		{0xd0, "F-011", "a message of slot 2"},
		{0xf0, "F-011", "a message of slot 6"},
		{0xc2, "F-012", "bit 1 of a message"},
		{0xcc, "F-012", "bit 2 of a message with its whole counter"},
		{0x42, "F-013", "a keyframe with base 2"},
		{0x47, "F-013", "a keyframe with base 7"},
	} {
		f := frame{header: c.header, counter: 1, ctrBits: 8, tag: 8, number: 7, plaintext: "a1"}
		m.add(fmt.Sprintf("open-header-%02x", c.header), c.spec, "malformed", c.comment, "open", f.item(f.content(m)), f.headers()...)
	}
	f := frame{header: 0x42, counter: 1, ctrBits: 8, tag: 8, number: 7, plaintext: "a14f36f2bda277b2"}
	m.add("open-rockblock", "F-007 F-013", "malformed", "the bytes RB at the front", "open", f.item(f.content(m)), f.headers()...)
}
