package codec

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// SealRaw and OpenRaw are the cipher with a nonce and additional data of the caller's, for vectors that are not frames.

func (c *Cipher) SealRaw(nonce [nonceLen]byte, plaintext, aad []byte, tagLen int) []byte {
	c.begin(&nonce, 0)
	head := rawHead(aad)
	c.first(head, len(plaintext), tagLen)
	return c.seal(&c.schedule, nil, plaintext, head, tagLen)
}

func (c *Cipher) OpenRaw(nonce [nonceLen]byte, body, aad []byte, tagLen int) ([]byte, bool) {
	if len(body) < tagLen {
		return nil, false
	}
	c.begin(&nonce, 0)
	head := rawHead(aad)
	c.first(head, len(body)-tagLen, tagLen)
	return c.open(&c.schedule, nil, body, head, tagLen)
}

// rawHead has room for the first block, and additional data with their length before them, filled up to whole blocks.
func rawHead(aad []byte) []byte {
	if len(aad) == 0 {
		return make([]byte, blockSize)
	}
	head := make([]byte, (blockSize+2+len(aad)+blockSize-1)/blockSize*blockSize)
	binary.BigEndian.PutUint16(head[blockSize:], uint16(len(aad)))
	copy(head[blockSize+2:], aad)
	return head
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
