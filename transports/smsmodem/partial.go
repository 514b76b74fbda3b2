package smsmodem

import (
	"crypto/sha256"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// Limits of the messages that went out in part. What falls out of them starts over, which costs money and does no harm.
const (
	partialMax  = 64
	partialTime = 24 * time.Hour // receivers keep parts for no longer
)

// A partial is a message of which the network took the first parts and not the next. They are paid for and on their way to the device, so a
// later try of the same message goes on where this one stopped, under the same reference.
type partial struct {
	key        [32]byte
	parts      []submission
	references []int // of the parts that the network took
	at         time.Time
}

// partialKey is what makes two tries the same message.
func partialKey(d *transports.Downlink) [32]byte {
	h := sha256.New()
	ref := [8]byte{}
	for i := range ref {
		ref[i] = byte(d.Ref >> (8 * i))
	}
	report := byte(0)
	if d.WantReport {
		report = 1
	}
	h.Write(append(ref[:], report))
	h.Write([]byte(d.To.ID))
	h.Write([]byte{0})
	h.Write(d.Payload)
	return [32]byte(h.Sum(nil))
}

// partials are the messages that went out in part, the oldest first. Not safe for concurrent use.
type partials []partial

// take removes and returns what is known of a message, nil if it is to start with its first part.
func (ps *partials) take(key [32]byte, now time.Time) *partial {
	for i := range *ps {
		p := (*ps)[i]
		if p.key != key {
			continue
		}
		*ps = append((*ps)[:i:i], (*ps)[i+1:]...)
		if now.Sub(p.at) > partialTime {
			return nil
		}
		return &p
	}
	return nil
}

// put keeps a message for a later try.
func (ps *partials) put(p partial) {
	if len(*ps) >= partialMax {
		*ps = append((*ps)[:0:0], (*ps)[1:]...)
	}
	*ps = append(*ps, p)
}
