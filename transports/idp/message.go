package idp

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/isatdata"
)

// A message is one that a terminal sent.
type message struct {
	ID         uint64
	MessageUTC string
	ReceiveUTC string
	SIN        *int
	MobileID   string
	RawPayload []byte // from a list of numbers as well as from base64
	Payload    *decoded
}

// decoded is a payload that the gateway has taken apart, by a message definition file of the account.
type decoded struct {
	SIN, MIN int
	Fields   []struct{ Name, Type, Value string }
}

// received is a message on its way to the sink.
type received struct {
	key     string    // tells it from all others
	latest  time.Time // of its time stamps: a mark up to there brings it again; zero: it has none
	foreign bool      // it holds no frame
	uplink  transports.Uplink
}

// read makes an uplink of what the gateway says of a message. What holds no frame is kept as it came: the message if it is there, else all that is said of it.
func (t *Transport) read(text json.RawMessage) received {
	var m message
	malformed := json.Unmarshal(text, &m) != nil // what could be read is in m
	r := received{key: strconv.FormatUint(m.ID, 10), latest: later(parseTime(m.MessageUTC), parseTime(m.ReceiveUTC))}
	r.uplink = transports.Uplink{
		Transport: t.name, From: transports.Address{Bearer: transports.IDP}, Ref: r.key, SentAt: parseTime(m.ReceiveUTC), ReceivedAt: t.now(),
	}
	if m.ID == 0 {
		sum := sha256.Sum256(text)
		r.key, r.uplink.Ref = "#"+hex.EncodeToString(sum[:8]), ""
	}
	if r.uplink.SentAt.IsZero() {
		r.uplink.SentAt = r.latest
	}
	if isatdata.ValidMobileID(m.MobileID) {
		r.uplink.From.ID = m.MobileID
	}
	if payload, ok := t.frame(&m); ok && !malformed && len(m.RawPayload) <= isatdata.ReturnMax {
		r.uplink.Payload = payload
		return r
	}
	r.foreign, r.uplink.Content, r.uplink.Payload = true, transports.ContentRaw, m.RawPayload
	if malformed || len(m.RawPayload) == 0 || len(m.RawPayload) > isatdata.ReturnMax {
		r.uplink.Payload = bytes.Clone(text[:min(len(text), isatdata.ReturnMax)])
	}
	return r
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// frame is what a message holds behind SIN and MIN.
func (t *Transport) frame(m *message) ([]byte, bool) {
	if len(m.RawPayload) > 0 {
		payload, ok := t.header.Cut(m.RawPayload)
		return payload, ok && len(payload) > 0 && (m.SIN == nil || *m.SIN == int(t.header.SIN))
	}
	return t.field(m.Payload)
}

// field is the payload of a message that the gateway took apart: the one field of bytes that it must have for that.
func (t *Transport) field(d *decoded) ([]byte, bool) {
	if d == nil || d.SIN != int(t.header.SIN) || d.MIN != int(t.header.MIN) {
		return nil, false
	}
	var payload []byte
	for _, f := range d.Fields {
		if f.Type != "data" {
			continue
		}
		b, err := base64.StdEncoding.DecodeString(f.Value)
		if err != nil || len(b) == 0 || len(b) > isatdata.ReturnMax-isatdata.HeaderLen || payload != nil {
			return nil, false
		}
		payload = b
	}
	return payload, payload != nil
}
