package codec

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// SealRaw and OpenRaw are the cipher with a nonce and additional data of the caller's, for vectors that are not frames.

func (c *Cipher) SealRaw(nonce [nonceLen]byte, plaintext, aad []byte, tagLen int) []byte {
	c.begin(&Key{block: c.key.block, iv: nonce}, 0)
	return c.seal(nil, plaintext, prefixed(aad), tagLen)
}

func (c *Cipher) OpenRaw(nonce [nonceLen]byte, body, aad []byte, tagLen int) ([]byte, bool) {
	c.begin(&Key{block: c.key.block, iv: nonce}, 0)
	return c.open(nil, body, prefixed(aad), tagLen)
}

// prefixed is additional authenticated data with its length before it.
func prefixed(aad []byte) []byte {
	if len(aad) == 0 {
		return nil
	}
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(aad))), aad...)
}

// The derivation of keys, in its steps.
var (
	Extract = extract
	Expand  = expand
)

// StateText writes a state in one line, for vectors.
func StateText(t *Template, s *State) string {
	at, groups := "-", []string{}
	if s.timed {
		at = strconv.FormatInt(s.time, 10)
	}
	for g := uint8(1); g <= t.groups; g++ {
		if s.groups>>g&1 == 1 {
			groups = append(groups, strconv.Itoa(int(g)))
		}
	}
	if len(groups) == 0 {
		groups = append(groups, "-")
	}
	parts := []string{fmt.Sprintf("time=%s step=%d once=%d jitter=%d groups=%s", at, s.step, s.once, s.jitter, strings.Join(groups, ","))}
	for i := range t.fields {
		f, text := &s.fields[i], "-"
		if f.seen {
			text = fmt.Sprintf("%d/%d", f.n, f.moved)
			if !f.measured {
				text = "(" + text + ")"
			}
		}
		parts = append(parts, t.fields[i].Name+"="+text)
	}
	return strings.Join(parts, " ")
}
