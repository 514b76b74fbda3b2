package hub

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/transports"
)

// A HistoryQuery selects frames of one device, newest first by time of receipt.
type HistoryQuery struct {
	From, To time.Time // of receipt; zero: no bound
	Limit    int       // 1 to 1000; 0: 100
	Cursor   string    // what an earlier call returned as next
}

// A StatusRecord is one stored frame, decoded with the templates that are known now.
type StatusRecord struct {
	Epoch      uint32          `json:"epoch"`
	Counter    uint64          `json:"counter"`
	Kind       string          `json:"kind"`
	Link       string          `json:"link"`
	Bearer     string          `json:"bearer"`
	SentAt     time.Time       `json:"sent_at,omitzero"`
	ReceivedAt time.Time       `json:"received_at"`
	DeviceTime time.Time       `json:"device_time,omitzero"`
	Raw        string          `json:"raw"` // the frame as it came, in hex
	Data       json.RawMessage `json:"data"`
}

// History returns a page of a device's frames and the cursor of the next page, "" at the end.
func (h *Hub) History(ref string, q HistoryQuery) ([]StatusRecord, string, error) {
	d, err := h.Device(ref)
	if err != nil {
		return nil, "", err
	}
	frames, next, err := h.store.History(d.Number, store.HistoryQuery{From: q.From, To: q.To, Limit: pageLimit(q.Limit), Cursor: q.Cursor})
	if err != nil {
		return nil, "", fmt.Errorf("read the history: %w", err)
	}
	out := make([]StatusRecord, 0, len(frames))
	for k := range frames {
		out = append(out, h.record(&d, frames[k].Key, &frames[k].Frame))
	}
	return out, next, nil
}

// record decodes a stored frame for people.
func (h *Hub) record(d *fleet.Device, key store.FrameKey, f *store.Frame) StatusRecord {
	r := StatusRecord{
		Epoch: key.Epoch, Counter: key.Counter, Link: f.Link, Bearer: f.Bearer, SentAt: f.SentAt, ReceivedAt: f.ReceivedAt,
		Raw: hex.EncodeToString(f.Raw), Kind: KindRaw,
	}
	u := transports.Uplink{SentAt: f.SentAt, ReceivedAt: f.ReceivedAt}
	kind, data := h.render(d, key, codec.Header(f.Header), f.Plaintext, &u, &r.DeviceTime)
	if len(data) > 0 {
		data[0] = '{' // was the comma before the first member
	} else {
		data = []byte{'{'}
	}
	data = append(data, '}')
	r.Kind, r.Data = kind, data
	return r
}

// render gives the kind of a plaintext and the members of its event's data, each with a leading comma.
func (h *Hub) render(d *fleet.Device, key store.FrameKey, header codec.Header, plaintext []byte, u *transports.Uplink, at *time.Time) (string, []byte) {
	switch {
	case header.Kind() == codec.KindKeyframe && header.Slot() < fleet.TemplateSlots:
		v := h.templates[d.Slots[header.Slot()]]
		var s codec.Status
		if v == nil || v.template.DecodeKeyframe(&s, header, plaintext, reference(u)) != nil {
			break
		}
		if s.ClockValid {
			*at = s.Time
		}
		return KindStatus, v.appendFields(appendRare(nil, &s), s.Values)
	case header.Kind() == codec.KindDelta || header.Kind() == codec.KindBatch:
		if data, ok := h.renderPacked(d, header, plaintext, u, key, at); ok {
			return KindStatus, data
		}
	case header.Kind() == codec.KindExtended && len(plaintext) > 0:
		if kind, data, ok := renderMessage(codec.MessageType(plaintext[0]), plaintext[1:], u, at); ok {
			return kind, data
		}
	}
	return KindRaw, appendHexMember(appendUintMember(nil, "header", uint64(header)), "plaintext", plaintext)
}

// renderMessage is render for the messages that are no packed statuses.
func renderMessage(kind codec.MessageType, body []byte, u *transports.Uplink, at *time.Time) (string, []byte, bool) {
	switch kind {
	case codec.MessageHello:
		if m, err := codec.DecodeHello(body); err == nil {
			return KindHello, appendHello(nil, &m), true
		}
	case codec.MessageUser:
		return KindMessage, appendHexMember(nil, "bytes", body), true
	case codec.MessageOpen:
		if m, err := codec.DecodeOpen(body); err == nil {
			js, err := m.JSON()
			return KindStatus, append(appendName(nil, "open"), js...), err == nil
		}
	case codec.MessageFragment:
		if f, err := codec.DecodeFragment(body); err == nil {
			return KindFragment, appendHexMember(appendFragment(nil, &f), "bytes", f.Data), true
		}
	case codec.MessageFragmentStatus:
		if st, err := codec.DecodeFragmentStatus(body); err == nil {
			return KindFragment, appendFragmentStatus(nil, &st), true
		}
	default:
		if kind, when, data, ok := appendMessage(nil, kind, body, u); ok {
			*at = when
			return kind, data, true
		}
	}
	return "", nil, false
}

// renderPacked gives the data of a delta, and of a batch all its statuses as the member "batch".
func (h *Hub) renderPacked(
	d *fleet.Device, header codec.Header, plaintext []byte, u *transports.Uplink, key store.FrameKey, at *time.Time,
) ([]byte, bool) {
	distance, _, err := codec.DeltaBase(header, plaintext)
	if err != nil || header.Slot() >= fleet.TemplateSlots || key.Counter < uint64(distance) {
		return nil, false
	}
	hash := d.Slots[header.Slot()]
	v := h.templates[hash]
	if v == nil {
		return nil, false
	}
	var s codec.State
	if distance > 0 {
		key.Counter -= uint64(distance)
		f, ok, err := h.store.Frame(key)
		if err != nil || !ok || readBase(&s, v, hash, header.Slot(), codec.Header(f.Header), baseOf(&f)) != baseKnown {
			return nil, false
		}
	}
	list := make([]codec.Status, 1)
	if header.Kind() == codec.KindDelta {
		err = v.template.DecodeDelta(&list[0], &s, header, plaintext, reference(u))
	} else {
		list, err = v.template.DecodeBatch(list[:0], &s, header, plaintext, reference(u))
	}
	if err != nil {
		return nil, false
	}
	if last := &list[len(list)-1]; last.ClockValid {
		*at = last.Time
	}
	if header.Kind() == codec.KindDelta {
		return v.appendFields(appendRare(nil, &list[0]), list[0].Values), true
	}
	data := append(appendName(nil, "batch"), '[')
	for i := range list {
		one := appendRare(nil, &list[i])
		if list[i].ClockValid {
			one = appendTimeMember(one, "device_time", list[i].Time)
		}
		one = v.appendFields(one, list[i].Values)
		one[0] = '{' // was the comma before the first member
		if i > 0 {
			data = append(data, ',')
		}
		data = append(append(data, one...), '}')
	}
	return append(data, ']'), true
}

// Quarantine lists what was kept aside, newest first: rows of the store, and, with a link, the last payloads of that link that are held
// in memory only. The cursor is the sequence of the last row, "" at the end.
func (h *Hub) Quarantine(link, cursor string, limit int) ([]QuarantineRecord, string, error) {
	before := uint64(0)
	if cursor != "" {
		n, err := strconv.ParseUint(cursor, 10, 64)
		if err != nil {
			return nil, "", fmt.Errorf("%w: cursor %q", ErrQuery, cursor)
		}
		before = n
	}
	limit = pageLimit(limit)
	rows, err := h.store.QuarantineBefore(before, limit)
	if err != nil {
		return nil, "", fmt.Errorf("read the quarantine: %w", err)
	}
	var out []QuarantineRecord
	if cursor == "" {
		out = h.ringed(link)
	}
	for _, q := range rows {
		if link != "" && q.Link != link {
			continue
		}
		out = append(out, QuarantineRecord{
			Seq: q.Seq, Link: q.Link, Bearer: q.Bearer, From: q.From, Number: q.Number, Reason: q.Reason, ReceivedAt: q.ReceivedAt, Payload: q.Payload,
		})
	}
	next := ""
	if len(rows) == limit {
		next = strconv.FormatUint(rows[limit-1].Seq, 10)
	}
	return out, next, nil
}

// ringed copies the ring of a link, newest first. Without a link there is nothing: rings are for looking at one line.
func (h *Hub) ringed(name string) []QuarantineRecord {
	l := h.links[name]
	if l == nil {
		return nil
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	var out []QuarantineRecord
	for k := 1; k <= min(l.ring.next, quarantineRing); k++ {
		q := l.ring.items[(l.ring.next-k)%quarantineRing]
		q.Payload = append([]byte(nil), q.Payload...)
		out = append(out, q)
	}
	return out
}

// Decoded is a payload taken apart for an operator. Nothing is changed by it.
type Decoded struct {
	Device  string          `json:"device"`
	Number  uint32          `json:"number"`
	Epoch   uint32          `json:"epoch"`
	Counter uint64          `json:"counter"`
	Header  uint8           `json:"header"`
	Kind    string          `json:"kind"`
	Known   bool            `json:"known"` // the counter was seen before
	Data    json.RawMessage `json:"data"`
}

// ErrFrame is wrapped by errors for a frame that cannot be decoded.
var ErrFrame = errors.New("frame")

// DecodeFrame opens a frame with the keys of the device that it names, or of ref if it names none, as the first item of a payload.
func (h *Hub) DecodeFrame(ref string, payload []byte) (Decoded, error) {
	item, _, err := codec.NextItem(payload)
	if err != nil {
		return Decoded{}, fmt.Errorf("%w: %w", ErrFrame, err)
	}
	if item.Form == codec.FormAddressed && ref == "" {
		ref = strconv.FormatUint(uint64(item.CID), 10)
	}
	if item.Form != codec.FormAddressed && item.Form != codec.FormSealed {
		return Decoded{}, fmt.Errorf("%w: not a sealed one", ErrFrame)
	}
	if ref == "" {
		return Decoded{}, fmt.Errorf("%w: it has no connection id: name the device", ErrFrame)
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	i, err := h.find(ref)
	if err != nil {
		return Decoded{}, err
	}
	d := h.fleet.Device(i)
	if item.Form == codec.FormAddressed && item.CID != d.Number {
		return Decoded{}, fmt.Errorf("%w: it names device %d, and %s is %d", ErrFrame, item.CID, d.Name, d.Number)
	}
	for _, tagLen := range []uint8{8, 4} {
		if key, ok := h.fleet.UplinkKey(i, tagLen); ok {
			if r, ok, err := h.decodeIn(&d, &d.Session.Current, key, &item, tagLen); ok || err != nil {
				return r, err
			}
		}
		if !h.fleet.HasSecond(i, h.clock.Now()) {
			continue
		}
		if e, key := h.fleet.Second(i, tagLen); e != nil {
			if r, ok, err := h.decodeIn(&d, e, key, &item, tagLen); ok || err != nil {
				return r, err
			}
		}
	}
	return Decoded{}, fmt.Errorf("%w: its tag does not verify under the keys of %s", ErrFrame, strings.TrimSpace(d.Name))
}

// decodeIn opens a frame with a key of an epoch, if it is sealed with that.
func (h *Hub) decodeIn(d *fleet.Device, e *session.Epoch, key codec.SealKey, item *codec.Item, tagLen uint8) (Decoded, bool, error) {
	sealed, err := codec.ParseSealed(item.Content, d.CTRBits, tagLen)
	if err != nil {
		return Decoded{}, false, nil //nolint:nilerr // with another tag it may be one
	}
	k := store.FrameKey{
		Number: d.Number, Epoch: e.Number, Counter: codec.CompleteCounter(sealed.CTR, sealed.CTRBits, e.Counters.Highest, e.Counters.Seen),
	}
	plaintext, err := codec.NewCipher(key).Open(nil, &sealed, codec.Position{Direction: codec.Up, Number: k.Number, Epoch: k.Epoch, Counter: k.Counter})
	if err != nil {
		return Decoded{}, false, nil //nolint:nilerr // as above
	}
	_, known, err := h.store.FrameHash(k)
	if err != nil {
		return Decoded{}, false, fmt.Errorf("read whether the frame is known: %w", err)
	}
	r := h.record(d, k, &store.Frame{Header: byte(sealed.Header), Plaintext: plaintext, ReceivedAt: h.clock.Now()})
	return Decoded{
		Device: d.Name, Number: d.Number, Epoch: k.Epoch, Counter: k.Counter, Header: uint8(sealed.Header), Kind: r.Kind,
		Known: known || k.Counter < e.Counters.Floor, Data: r.Data,
	}, true, nil
}
