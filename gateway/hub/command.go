package hub

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/presence"
)

// A Command is what an operator tells a device itself, not its application. Exactly one of its parts is set.
type Command struct {
	Request  uint8         // codec.RequestKeyframe and others together
	Time     bool          // what time it is, when the command leaves
	Sleep    *codec.Sleep  // nothing more
	Template *SlotTemplate // a template for a slot
	Policy   *codec.Policy // when and how to speak
	Offer    *codec.Offer  // an update

	Deadbands map[string]uint32 // of the policy, by name of a field of the device's template in slot 0
	Link      string            // name of a transport; "": the link that the device was last heard on
	TTL       time.Duration     // 0: 24 h
}

// A SlotTemplate names the template of a product for a slot. The device's record follows when its next hello says that the device has it.
type SlotTemplate struct {
	Slot    uint8
	Product string // "": the device's own
}

// Kinds of downlinks that the device itself obeys.
const (
	downlinkRequest   = "request"
	downlinkTime      = "time"
	downlinkSleep     = "sleep"
	downlinkTemplate  = "template"
	downlinkPolicy    = "policy"
	downlinkOffer     = "offer"
	downlinkFragments = "fragments" // which pieces of a message arrived
)

// SendCommand seals a command for a device and queues it. It is on disk when SendCommand returns.
func (h *Hub) SendCommand(ctx context.Context, ref string, m Command) (DownlinkRecord, error) {
	return h.send(ctx, ref, func(c *commit, i fleet.Index) (*store.Downlink, error) {
		if m.Offer != nil {
			if err := h.mayOffer(ctx, i, m.Offer); err != nil {
				return nil, fmt.Errorf("%w: %w", ErrDownlink, err)
			}
		}
		binds := m.Policy != nil && (m.Policy.Interval > 0 || m.Policy.Quiet != nil)
		if binds && m.Policy.Revision == 0 { // so that the device says when it runs it
			p := *m.Policy
			p.Revision = uint32(h.core.NextRevision(core.Place(i)))
			m.Policy = &p
		}
		kind, plaintext, err := h.commandPlaintext(i, &m)
		if err == nil && m.Offer != nil {
			err = h.reserve(c, m.Offer)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDownlink, err)
		}
		d, err := h.newDownlink(i, kind, m.Link, m.TTL, plaintext)
		if err == nil && binds {
			h.bind(i, m.Policy, core.Order{At: d.QueuedAt, Number: h.outgoing.next}) // the ref that it is about to get
		}
		if err == nil && m.Offer != nil {
			o := m.Offer
			h.authorised(c, ActorOf(ctx), "device.offer", h.fleet.Device(i).Name,
				fmt.Sprintf("number %d: version %q, %s, SHA-256 %x, %d bytes free", o.Rollout, o.Version, o.Reference, o.Hash, o.Memory))
		}
		return d, err
	})
}

// bind notes what a policy that somebody tells a device lets be held against it.
func (h *Hub) bind(i fleet.Index, p *codec.Policy, o core.Order) {
	revision := uint8(p.Revision) //nolint:gosec // its low bits name it
	if p.Interval > 0 {
		h.core.ToldByHand(o, core.Place(i), scheduler.Secs(p.Interval), revision)
	}
	if p.Quiet != nil {
		h.core.ToldQuiet(o, core.Place(i), presence.Hours(slices.Clone(p.Quiet)), revision)
	}
}

// commandPlaintext is what a command says. That of a time is its type alone: it is made when it leaves.
func (h *Hub) commandPlaintext(i fleet.Index, m *Command) (kind string, plaintext []byte, err error) {
	parts := 0
	take := func(name string, write func() ([]byte, error)) {
		if parts++; parts == 1 {
			kind = name
			plaintext, err = write()
		}
	}
	if m.Request != 0 {
		take(downlinkRequest, func() ([]byte, error) { return codec.AppendRequest(nil, &codec.Request{What: m.Request}) })
	}
	if m.Time {
		take(downlinkTime, func() ([]byte, error) { return []byte{byte(codec.MessageTime)}, nil })
	}
	if m.Sleep != nil {
		take(downlinkSleep, func() ([]byte, error) { return codec.AppendSleep(nil, m.Sleep) })
	}
	if m.Template != nil {
		take(downlinkTemplate, func() ([]byte, error) { return h.templatePlaintext(i, m.Template) })
	}
	if m.Policy != nil {
		take(downlinkPolicy, func() ([]byte, error) { return h.policyPlaintext(i, m) })
	}
	if m.Offer != nil {
		take(downlinkOffer, func() ([]byte, error) {
			o := *m.Offer
			if o.Burst == nil {
				o.Burst = h.core.Burst(core.Place(i))
			}
			return codec.AppendOffer(nil, &o)
		})
	}
	if parts != 1 {
		return "", nil, fmt.Errorf("%d things to say: want one", parts)
	}
	return kind, plaintext, err
}

func (h *Hub) templatePlaintext(i fleet.Index, t *SlotTemplate) ([]byte, error) {
	name := t.Product
	if name == "" {
		name = h.fleet.Head(i).Product
	}
	p := h.products[name]
	if p == nil {
		return nil, fmt.Errorf("product %q is not configured", name)
	}
	return codec.AppendTemplateSet(nil, &codec.TemplateSet{Slot: t.Slot, Hash: codec.TemplateHash(p.Template.Hash())})
}

// policyPlaintext finds the fields that deadbands are named by.
func (h *Hub) policyPlaintext(i fleet.Index, m *Command) ([]byte, error) {
	p := *m.Policy
	if len(m.Deadbands) == 0 {
		return codec.AppendPolicy(nil, &p)
	}
	v := h.templates[h.fleet.Template(i, 0)]
	if v == nil {
		return nil, fmt.Errorf("deadbands: the template of slot 0 is not known")
	}
	p.Deadbands = make(map[uint8]uint32, len(m.Deadbands))
	var names []string
	for _, f := range v.template.Fields() {
		if steps, ok := m.Deadbands[f.Name]; ok {
			p.Deadbands[f.ID] = steps
		}
		names = append(names, f.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(m.Deadbands)) {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("deadbands: there is no field %q in the template: want one of %s", name, strings.Join(names, ", "))
		}
	}
	return codec.AppendPolicy(nil, &p)
}

// late reports whether a downlink is made when it leaves, not when it is queued; its row holds what to make.
func late(kind string, payload []byte) bool {
	return kind == downlinkTime || kind == downlinkFragments || kind == downlinkSchedule || isOfferStub(kind, payload)
}

// makeLate seals a downlink that says how things are when it leaves. Each attempt is a frame of its own, with a counter of its own that is
// on disk before the frame leaves.
func (h *Hub) makeLate(c *commit, l *link, i fleet.Index, d *store.Downlink, now time.Time) ([]byte, error) {
	var plaintext []byte
	var err error
	switch d.Kind {
	case downlinkTime:
		plaintext, err = codec.AppendTime(nil, &codec.TimeSet{Seconds: uint64(max(0, now.Unix()))})
	case downlinkSchedule:
		plaintext, err = h.schedulePlaintext(i, now)
	case downlinkOffer:
		plaintext, err = h.offerPlaintext(l, i, d, now)
	default:
		plaintext, err = h.fragmentStatus(d.Number, d.Payload[1], l.Transport.Limits().DownlinkMax-downlinkSize(0)-2) // two more of head
	}
	if err != nil {
		return nil, err
	}
	key, err := h.deviceKey(i)
	if err != nil {
		return nil, err
	}
	var payload []byte
	d.Counter, payload, err = h.sealNext(i, plaintext, &key, 0)
	c.touch(i)
	return payload, err
}
