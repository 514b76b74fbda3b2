package hub

import (
	"encoding/hex"
	"strconv"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/transports"
)

// decode turns the plaintext of a new frame into its event and applies what it says to the fleet. What this gateway does not understand
// becomes an event of kind raw: it is authentic, was acknowledged, and may be read by a later gateway.
func (h *Hub) decode(c *commit, l *link, u *transports.Uplink, o *opened, key store.FrameKey, d fleet.Head) taken {
	e := h.frameEvent(o, key, d)
	switch o.header.Kind() {
	case codec.KindKeyframe:
		if v := h.templates[h.fleet.Template(o.device, o.header.Slot())]; v != nil && h.keyframe(c, l, u, o, e, v) {
			return taken{status: true}
		}
	case codec.KindDelta, codec.KindBatch:
		if t := h.packed(c, l, u, o, e); t.status || t.waits {
			return t
		}
	case codec.KindExtended:
		if len(o.plaintext) > 0 && h.message(c, l, u, o, e) {
			return taken{}
		}
	}
	h.raw(c, l, u, o, e)
	return taken{}
}

// taken is what decoding made of a frame.
type taken struct {
	status   bool
	state    []byte // after a delta or batch, as it is stored; in Hub.scratch
	waits    bool   // its base is not there
	distance uint8  // of the base, if it waits
}

// base is what a delta may be counted from.
func (t *taken) base(o *opened) []byte {
	if t.status && o.header.Kind() == codec.KindKeyframe {
		return o.plaintext
	}
	return t.state
}

// raw emits what is not understood.
func (h *Hub) raw(c *commit, l *link, u *transports.Uplink, o *opened, e *eventBuffer) {
	e.startFrame(KindRaw, u.ReceivedAt, u, o)
	e.payload = appendUintMember(e.payload, "header", uint64(o.header))
	e.payload = appendHexMember(e.payload, "plaintext", o.plaintext)
	h.emit(c, l, e)
}

// keyframe emits a keyframe's event. It reports false, with nothing done, if the plaintext does not fit the template.
func (h *Hub) keyframe(c *commit, l *link, u *transports.Uplink, o *opened, e *eventBuffer, v *templateView) bool {
	s := &h.scratch.status
	if err := v.template.DecodeKeyframe(s, o.header, o.plaintext, reference(u)); err != nil {
		return false
	}
	h.status(c, l, u, o, e, v, s, single)
	return true
}

// inBatch is where a status stands in a batch.
type inBatch struct{ index, count int }

// single is that of a status that is a frame of its own.
var single = inBatch{count: 1}

// status applies a status and emits its event.
func (h *Hub) status(c *commit, l *link, u *transports.Uplink, o *opened, e *eventBuffer, v *templateView, s *codec.Status, at inBatch) {
	when, sure := deviceTime(s, u)
	h.applyRare(o, s, u)
	if o.newest {
		h.gauge(o.device, v, s, u.ReceivedAt)
	}
	e.startFrame(KindStatus, when, u, o)
	e.payload = appendClock(e.payload, when, sure)
	if at != single {
		e.payload = appendUintMember(e.payload, "batch_index", uint64(at.index)) //nolint:gosec // within a batch
		e.payload = appendUintMember(e.payload, "batch_count", uint64(at.count)) //nolint:gosec // within a batch
	}
	if o.newest {
		e.payload = appendTextMember(e.payload, "version", h.fleet.Version(o.device))
	}
	e.payload = appendRare(e.payload, s)
	e.payload = v.appendFields(e.payload, s.Values)
	h.emit(c, l, e)
}

func appendClock(dst []byte, at time.Time, sure bool) []byte {
	if !sure {
		return append(dst, `,"clock_unsure":true`...)
	}
	return appendTimeMember(dst, "device_time", at)
}

// message emits the event of a CBOR or opaque message. It reports false, with nothing done, for a type that it does not know.
func (h *Hub) message(c *commit, l *link, u *transports.Uplink, o *opened, e *eventBuffer) bool {
	body := o.plaintext[1:]
	switch codec.MessageType(o.plaintext[0]) {
	case codec.MessageHello:
		hello, err := codec.DecodeHello(body)
		if err != nil {
			return false
		}
		h.runs(o, hello.Version, hex.EncodeToString(hello.Build), u.SentAt, u.ReceivedAt)
		if o.newest || h.fleet.BootedSince(o.device, &hello) {
			h.greeted(o.device, &hello, u.ReceivedAt)
		}
		e.startFrame(KindHello, u.ReceivedAt, u, o)
		e.payload = appendHello(e.payload, &hello)
	case codec.MessageUser:
		e.startFrame(KindMessage, u.ReceivedAt, u, o)
		e.payload = appendHexMember(e.payload, "bytes", body)
	case codec.MessageOpen:
		open, err := codec.DecodeOpen(body)
		if err != nil {
			return false
		}
		js, err := open.JSON()
		if err != nil {
			return false
		}
		e.startFrame(KindStatus, u.ReceivedAt, u, o)
		e.payload = append(appendName(e.payload, "open"), js...)
	case codec.MessageFragment:
		f, err := codec.DecodeFragment(body)
		if err != nil {
			return false
		}
		h.fragment(c, l, u, o, e, &f)
		return true
	case codec.MessageFragmentStatus:
		st, err := codec.DecodeFragmentStatus(body)
		if err != nil || o.fragments > 0 {
			return false
		}
		h.confirmed(c, l, u, o, e, &st)
		return true
	default:
		kind, at, data, ok := appendMessage(h.scratch.row[:0], codec.MessageType(o.plaintext[0]), body, u)
		if !ok {
			return false
		}
		h.scratch.row = data
		switch kind {
		case KindStep:
			h.stepped(o, body, u)
		case KindAlarm:
			if a, err := codec.DecodeAlarm(body); err == nil && !a.Cleared {
				h.core.Alarmed(u.ReceivedAt, core.Place(o.device))
			}
		}
		e.startFrame(kind, at, u, o)
		e.payload = append(e.payload, data...)
	}
	h.emit(c, l, e)
	return true
}

func appendHello(dst []byte, m *codec.Hello) []byte {
	dst = appendTextMember(dst, "version", m.Version)
	dst = appendTextMember(dst, "build", hex.EncodeToString(m.Build))
	dst = appendTextMember(dst, "hello_product", m.Product)
	dst = appendTextMember(dst, "hardware", m.Hardware)
	dst = appendUintMember(dst, "free_memory", m.FreeMemory)
	dst = appendUintMember(dst, "boot_count", uint64(m.BootCount))
	dst = appendUintMember(dst, "reset_cause", uint64(m.ResetCause))
	if len(m.Templates) > 0 {
		dst = append(appendName(dst, "templates"), '[')
		for i, t := range m.Templates {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, '"')
			dst = hex.AppendEncode(dst, t[:])
			dst = append(dst, '"')
		}
		dst = append(dst, ']')
	}
	return dst
}

// appendCost appends what a frame has cost, where the link has a tariff. The first event of a frame tells all of it, further ones that they cost nothing
// more: sums over events are those of the ledger.
func appendCost(dst []byte, cost *core.Cost) []byte {
	if cost.Currency == "" {
		return dst
	}
	dst = appendUintMember(dst, "billed_bytes", uint64(max(cost.Bytes, 0)))
	dst = appendMoneyMember(dst, "price", cost.Micros)
	dst = appendTextMember(dst, "currency", cost.Currency)
	cost.Bytes, cost.Micros = 0, 0
	return dst
}

// eventBuffer is the event that the committer is writing, in memory that is used again for each.
type eventBuffer struct {
	event
	key     store.FrameKey
	frame   []byte
	subject []byte
	payload []byte
}

// start begins the payload of an event of the given kind; members may then be appended to payload.
func (e *eventBuffer) start(kind string, at time.Time) {
	e.kind, e.time = kind, at
	e.subject = e.appendSubject(e.subject[:0])
	e.payload = e.appendHead(e.payload[:0])
}

// startFrame is start for an event of a frame, with how that came in.
func (e *eventBuffer) startFrame(kind string, at time.Time, u *transports.Uplink, o *opened) {
	e.start(kind, at)
	e.payload = appendTextMember(e.payload, "link", u.Transport)
	e.payload = appendTextMember(e.payload, "bearer", string(u.From.Bearer))
	e.payload = appendUintMember(e.payload, "epoch", uint64(e.key.Epoch))
	e.payload = appendUintMember(e.payload, "counter", e.key.Counter)
	e.payload = appendUintMember(e.payload, "payload_bytes", uint64(len(u.Payload)))
	e.payload = appendCost(e.payload, &o.cost)
	e.payload = appendTextMember(e.payload, "ref", u.Ref)
	e.payload = append(append(e.payload, `,"correlation":"`...), e.name...)
	e.payload = strconv.AppendUint(append(e.payload, '.'), uint64(e.key.Epoch), 10)
	e.payload = append(strconv.AppendUint(append(e.payload, '.'), e.key.Counter, 10), '"')
	e.payload = appendTimeMember(e.payload, "sent_at", u.SentAt)
	e.payload = appendTimeMember(e.payload, "received_at", u.ReceivedAt)
	e.payload = appendPosition(e.payload, &u.Position)
	if o.weak {
		e.payload = append(e.payload, `,"weak_auth":true`...)
	}
	if o.fragments > 0 {
		e.payload = appendUintMember(e.payload, "fragments", uint64(o.fragments))
	}
}

// frameEvent prepares event 0 of a frame.
func (h *Hub) frameEvent(o *opened, key store.FrameKey, d fleet.Head) *eventBuffer {
	e := h.prepare(o.device, d)
	e.key = key
	e.id = appendEventID(e.id[:0], e.name, key.Epoch, key.Counter, 0)
	e.frame = appendFrameRef(e.frame[:0], key.Number, key.Epoch, key.Counter, o.hash)
	return e
}

func (h *Hub) prepare(i fleet.Index, d fleet.Head) *eventBuffer {
	e := &h.events
	e.gateway, e.number, e.product, e.customer = h.gateway, d.Number, d.Product, d.Customer
	e.name = h.fleet.AppendName(e.name[:0], i)
	return e
}

// gatewayEvent begins an event of a device that the gateway itself has to say. Its id is that of appendGatewayID.
func (h *Hub) gatewayEvent(c *commit, i fleet.Index, kind string, at time.Time) *eventBuffer {
	e := h.prepare(i, h.fleet.Head(i))
	e.key, e.frame = store.FrameKey{}, e.frame[:0]
	e.id = h.appendGatewayID(e.id[:0], c)
	e.start(kind, at)
	return e
}

// emit closes the event's payload and makes it part of the batch. l may be nil.
func (h *Hub) emit(c *commit, l *link, e *eventBuffer) {
	e.payload = appendTail(e.payload)
	c.batch.AddEvent(e.id, e.subject, e.frame, e.payload)
	if l != nil {
		l.count.events.Add(1)
	}
}
