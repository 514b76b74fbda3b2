package codec_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/godwit-gateway/godwit/codec"
)

// refJoin puts a frame of a join together by hand. nonce is empty in a request, epoch 0 in all but an acceptance.
func refJoin(key []byte, header byte, number, boot, random uint32, nonce []byte, epoch uint32) []byte {
	be := binary.BigEndian.AppendUint32
	attempt := be(be(be(nil, number), boot), random)
	text := append([]byte("godwit/1 join"), header)
	text = append(append(text, attempt...), nonce...)
	body := nonce
	switch header {
	case 0xf8, 0xfb:
		body = attempt
	case 0xf9:
		text, body = be(text, epoch), append(be(nil, epoch), nonce...)
	}
	m := hmac.New(sha256.New, key)
	m.Write(text)
	content := append([]byte{header}, body...)
	content = append(content, m.Sum(nil)[:8]...)
	return refEnvelope(&codec.Item{Form: codec.FormSealed, Content: content})
}

func refJoinKey(dev []byte, number uint32) []byte {
	return refHKDF([]byte("godwit/1 root"), dev, binary.BigEndian.AppendUint32([]byte("godwit/1|join|"), number), 32)
}

func (m *maker) joins() {
	dev := testDevice()
	key := refJoinKey(dev[:], 7)
	m.add("derive-join", "F-100", "ok", "the key of joins belongs to no epoch", "derive", key, "device-key: "+hex.EncodeToString(dev[:]), "label: join", "number: 7")
	nonce := m.hex("a0a1a2a3a4a5a6a7")
	flip := func(b []byte, at int) []byte {
		b = bytes.Clone(b)
		b[(at+len(b))%len(b)] ^= 1
		return b
	}
	request := refJoin(key, 0xf8, 7, 3, 0x01020304, nil, 0)
	accept := refJoin(key, 0xf9, 7, 3, 0x01020304, nonce, 258)
	challenge := refJoin(key, 0xfa, 7, 3, 0x01020304, nonce, 0)
	confirm := refJoin(key, 0xfb, 7, 3, 0x01020304, nonce, 0)
	add := func(name, spec, expect, comment string, input []byte, more ...string) {
		h := []string{"device-key: " + hex.EncodeToString(dev[:]), "number: 7", "boot: 3", "random: 01020304"}
		m.add("join-"+name, spec, expect, comment, "join", input, append(h, more...)...)
	}
	n, e := "nonce: a0a1a2a3a4a5a6a7", "epoch: 258"
	add("request", "F-101", "ok", "a device asks", request)
	add("accept", "F-102 F-105", "ok", "it gets epoch 258 and its salt", accept, n, e, "salt: 0102030400000003a0a1a2a3a4a5a6a7")
	add("challenge", "F-103", "ok", "it must prove that it asks now", challenge, n)
	add("confirm", "F-104", "ok", "the proof", confirm, n)
	last := refJoin(key, 0xf8, 7, 1<<32-1, 1<<32-1, nil, 0)
	m.add("join-request-last", "F-101", "ok", "the highest numbers", "join", last,
		"device-key: "+hex.EncodeToString(dev[:]), "number: 7", "boot: 4294967295", "random: ffffffff")
	add("request-forged", "F-101", "auth", "a bit of the MAC is another", flip(request, -1))
	add("request-other-number", "F-101", "auth", "of another device under the same key", refJoin(key, 0xf8, 8, 3, 0x01020304, nil, 0))
	add("request-other-key", "F-100", "auth", "under the key of another device", refJoin(refJoinKey(dev[:], 8), 0xf8, 7, 3, 0x01020304, nil, 0))
	add("accept-other-attempt", "F-102", "auth", "for another attempt of the device", refJoin(key, 0xf9, 7, 3, 0x01020305, nonce, 258), n, e)
	add("accept-other-boot", "F-102", "auth", "for an attempt of an earlier boot", refJoin(key, 0xf9, 7, 2, 0x01020304, nonce, 258), n, e)
	add("accept-zero", "F-105", "malformed", "epoch 0 has no salt", refJoin(key, 0xf9, 7, 3, 0x01020304, nonce, 0), n)
	add("challenge-other-attempt", "F-103", "auth", "for another attempt", refJoin(key, 0xfa, 7, 3, 0x01020305, nonce, 0), n)
	add("confirm-other-challenge", "F-104", "auth", "of another challenge", refJoin(key, 0xfb, 7, 3, 0x01020304, m.hex("a0a1a2a3a4a5a6a8"), 0), n)
	add("confirm-is-request", "F-104", "auth", "a request passed off as the proof", append([]byte{request[0], 0xfb}, request[2:]...), n)
	add("request-short", "F-101", "truncated", "a byte is missing", append([]byte{0x54}, request[1:21]...))
	add("request-long", "F-101", "malformed", "a byte too many", append([]byte{0x56}, append(bytes.Clone(request[1:]), 0)...))
	add("accept-short", "F-102", "truncated", "a byte is missing", append([]byte{0x54}, accept[1:21]...), n, e)
	add("challenge-long", "F-103", "malformed", "as long as an acceptance", append([]byte{accept[0], 0xfa}, accept[2:]...), n)
	add("ack", "F-101", "malformed", "an acknowledgement is no join", m.hex("4c fc 0005 00 0102030405060708"))
	add("unknown", "F-106", "malformed", "a control frame of type 5", append([]byte{request[0], 0xfd}, request[2:]...))
	add("sealed", "F-101", "malformed", "a sealed frame is no join", append([]byte{request[0], 0xc0}, request[2:]...))
}

func (v *vector) attempt(t testing.TB) codec.Join {
	t.Helper()
	return codec.Join{Number: uint32(v.uint(t, "number")), Boot: uint32(v.uint(t, "boot")), Random: binary.BigEndian.Uint32(v.hex(t, "random"))}
}

func (v *vector) join(t *testing.T, input []byte) error {
	t.Helper()
	item, _, err := codec.NextItem(input)
	if err != nil {
		return err
	}
	f, err := codec.ParseJoin(item.Content)
	if err != nil {
		return err
	}
	want := v.attempt(t)
	nonce := codec.Nonce{}
	copy(nonce[:], v.hex(t, "nonce"))
	switch f.Type {
	case codec.ControlChallenge, codec.ControlJoinAccept:
		f.Join = want
	case codec.ControlJoinConfirm:
		f.Nonce = nonce
	default:
	}
	key := codec.DeriveJoinKey((*[32]byte)(v.hex(t, "device-key")), want.Number)
	if err := f.Verify(&key); err != nil {
		return err
	}
	switch {
	case f.Join.Number != want.Number:
		return codec.ErrAuth
	case f.Join != want || f.Nonce != nonce || f.Epoch != uint32(v.uint(t, "epoch")):
		return fmt.Errorf("%+v", f)
	}
	if salt := v.hex(t, "salt"); len(salt) > 0 {
		if got := f.Join.Salt(f.Nonce); !bytes.Equal(got[:], salt) || !f.Join.Began(got) {
			return fmt.Errorf("salt %x", got)
		}
	}
	var again []byte
	switch f.Type {
	case codec.ControlJoinRequest:
		again = codec.AppendJoinRequest(nil, &key, want)
	case codec.ControlJoinAccept:
		again = codec.AppendJoinAccept(nil, &key, want, nonce, f.Epoch)
	case codec.ControlChallenge:
		again = codec.AppendChallenge(nil, &key, want, nonce)
	default:
		again = codec.AppendJoinConfirm(nil, &key, want, nonce)
	}
	if !bytes.Equal(again, input) {
		return fmt.Errorf("encodes anew as %x", again)
	}
	return nil
}

// F-101: nothing panics, what parses has one encoding, and the MAC is what the reference computes.
func FuzzParseJoin(f *testing.F) {
	for _, v := range seeds(f, "join") {
		if it, _, err := codec.NextItem(v.input); err == nil {
			f.Add(it.Content, uint32(3), uint32(0x01020304))
		}
	}
	f.Fuzz(func(t *testing.T, content []byte, boot, random uint32) {
		key := [32]byte{1}
		fr, err := codec.ParseJoin(content)
		if err != nil {
			return
		}
		ref := func(fr codec.JoinFrame) []byte {
			nonce := fr.Nonce[:]
			if fr.Type == codec.ControlJoinRequest {
				nonce = nil
			}
			return refJoin(key[:], content[0], fr.Join.Number, fr.Join.Boot, fr.Join.Random, nonce, fr.Epoch)
		}
		if fr.Type == codec.ControlChallenge || fr.Type == codec.ControlJoinAccept {
			fr.Join = codec.Join{Number: 7, Boot: boot, Random: random}
		}
		want := ref(fr)
		if got := fr.Verify(&key) == nil; got != bytes.Equal(want[1:], content) {
			t.Fatalf("verified %t: %x, the reference %x", got, content, want[1:])
		}
		if len(content) != len(want)-1 || !bytes.Equal(content[:len(content)-8], want[1:len(want)-8]) {
			t.Fatalf("%+v is %x, not %x", fr, want[1:], content)
		}
		good, err := codec.ParseJoin(want[1:])
		if err == nil {
			good.Join, good.Nonce = fr.Join, fr.Nonce
			err = good.Verify(&key)
		}
		if err != nil {
			t.Fatalf("the reference's is refused: %v", err)
		}
	})
}

// F-101: a frame of a join costs the gateway no memory: anybody may send one.
func TestJoinAllocatesNothing(t *testing.T) {
	key := [32]byte{1}
	j := codec.Join{Number: 7, Boot: 3, Random: 9}
	buf := make([]byte, 0, 64)
	n := testing.AllocsPerRun(100, func() {
		buf = codec.AppendJoinRequest(buf[:0], &key, j)
		f, err := codec.ParseJoin(buf[1:])
		if err != nil || f.Verify(&key) != nil {
			t.Fatal("its own request")
		}
		buf = codec.AppendJoinAccept(buf[:0], &key, j, codec.Nonce{1}, 5)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
