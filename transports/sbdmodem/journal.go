package sbdmodem

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/mark"
)

// takenMax is how many messages that the network took are remembered, for the queue that may not know it yet. They fit into a mark.
const takenMax = 64

// A journal is what must survive a crash: which message a session is to send, and what the network took lately.
type journal struct {
	path   string // "": it is kept in memory only
	loaded bool
	dirty  bool // not on disk
	kept   entries
}

// entries are what a journal's file holds, as JSON.
type entries struct {
	Pending *attempt `json:"pending,omitempty"`
	Taken   []string `json:"taken,omitempty"` // keys of messages, oldest first
}

// An attempt is a session that sends, from before it starts until its outcome is known.
type attempt struct {
	IMEI  string `json:"imei"`
	MOMSN uint16 `json:"momsn"` // of the session, if it goes well
	Key   string `json:"key"`   // of the message, "" if it has none
}

// keyOf is the name of a downlink as the queue brings it again after a crash; "" if it has no reference to be known by.
func keyOf(d *transports.Downlink) string {
	if d.Ref == 0 {
		return ""
	}
	h := sha256.New()
	h.Write(binary.BigEndian.AppendUint64(nil, d.Ref))
	h.Write(append([]byte(d.To.ID), 0))
	h.Write(d.Payload)
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// load reads the file, once in the life of a transport. After an error the journal is empty: outcomes of an earlier process are not known.
func (j *journal) load() error {
	if j.loaded || j.path == "" {
		return nil
	}
	j.loaded = true
	text, err := mark.Read(j.path)
	if err != nil || text == "" {
		return err
	}
	if err := json.Unmarshal([]byte(text), &j.kept); err != nil {
		j.kept = entries{}
		return fmt.Errorf("%s: %w", j.path, err)
	}
	return nil
}

// flush has the file say what the journal says.
func (j *journal) flush() error {
	if !j.dirty || j.path == "" {
		return nil
	}
	text, err := json.Marshal(j.kept)
	if err == nil {
		err = mark.Write(j.path, string(text))
	}
	if err != nil {
		return fmt.Errorf("journal of sessions: %w", err)
	}
	j.dirty = false
	return nil
}

// begin writes down that a session is to send a message. It must not start after an error.
func (j *journal) begin(a attempt) error {
	j.kept.Pending, j.dirty = &a, true
	err := j.flush()
	if err != nil {
		j.kept.Pending = nil
	}
	return err
}

// settle writes down how it ended. After an error no session may start before flush has worked: the next one would count for this.
func (j *journal) settle(taken bool) error {
	if a := j.kept.Pending; a != nil {
		if taken && a.Key != "" {
			j.kept.Taken = append(j.kept.Taken, a.Key)
			j.kept.Taken = slices.Delete(j.kept.Taken, 0, max(0, len(j.kept.Taken)-takenMax))
		}
		j.kept.Pending, j.dirty = nil, true
	}
	return j.flush()
}

// took reports whether the network has a message already.
func (j *journal) took(key string) bool { return key != "" && slices.Contains(j.kept.Taken, key) }

// An ending is what the transceiver's count tells of a session whose status was lost.
type ending uint8

// Endings.
const (
	endUnknown ending = iota
	endFailed
	endTaken
)

// compare tells how a session ended by the count after it. The transceiver counts a session when it went well, with a message or without.
func (a *attempt) compare(imei string, momsn uint16) ending {
	switch {
	case imei != a.IMEI:
		return endUnknown
	case momsn == a.MOMSN:
		return endFailed
	case momsn == a.MOMSN+1:
		return endTaken
	default:
		return endUnknown
	}
}
