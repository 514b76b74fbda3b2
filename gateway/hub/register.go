package hub

import (
	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/transports"
)

// firstContact tries a frame of a number that nobody told us of with the key derived for it from a fleet key. Only a frame that verifies
// makes a device known.
func (h *Hub) firstContact(c *commit, l *link, u *transports.Uplink, item *codec.Item) (opened, Reason) {
	k := h.fleetKeyFor(item.CID)
	if k == nil || k.Register == fleet.RegisterOff || !h.register || h.disowned {
		return opened{}, ReasonUnknown
	}
	d := k.Device(item.CID)
	key := k.DeviceKey(item.CID)
	tagLen := tagLength(l, fleet.Head{TagLen: d.TagLen}, item.Content)
	sealed, err := codec.ParseSealed(item.Content, d.CTRBits, tagLen)
	if err != nil {
		return opened{}, ReasonMalformed
	}
	if tagLen == 4 {
		// A 4-byte tag is not enough to let somebody in whom nobody told us of.
		return opened{}, ReasonUnknown
	}
	cipher := codec.NewCipher(codec.DeriveSealKey(&key, nil, codec.LabelUp8, d.Number, 0))
	var none session.Counters
	counter := codec.CompleteCounter(sealed.CTR, sealed.CTRBits, none.Highest, none.Seen)
	o := opened{header: sealed.Header, tagLen: tagLen}
	if !h.try(&o, cipher, &sealed, d.Number, 0, counter) {
		return opened{}, ReasonAuth
	}
	i, ok := h.admit(c, l, u, k, &key, d.Number)
	if !ok {
		return opened{}, ReasonState
	}
	if h.forgot {
		g := h.fleet.Session(i)
		h.doubt(&g, u.ReceivedAt)
		h.fleet.SetSession(i, &g, nil)
	}
	o.device = i
	return o, ReasonNone
}

// admit makes a device known that proved that it has the key of its number.
func (h *Hub) admit(c *commit, l *link, u *transports.Uplink, k *fleet.FleetKey, key *[32]byte, number uint32) (fleet.Index, bool) {
	d := k.Device(number)
	i, err := h.fleet.Add(d)
	if err != nil {
		// The only way here is a name that another device has.
		h.log.Warn("device cannot register", attrNumber(d.Number), attrErr(err))
		return 0, false
	}
	h.fleet.SetKey(i, key)
	h.know(i)
	c.touch(i)
	c.batch.PutName(d.Name, d.Number)
	e := h.gatewayEvent(c, i, KindRegistered, u.ReceivedAt)
	e.payload = appendTextMember(e.payload, "link", u.Transport)
	e.payload = appendTextMember(e.payload, "state", d.State.String())
	e.payload = appendTextMember(e.payload, "how", "first contact under "+d.KeySource)
	h.emit(c, l, e)
	return i, true
}

func (h *Hub) fleetKeyFor(number uint32) *fleet.FleetKey {
	for i := range h.fleetKeys {
		if h.fleetKeys[i].Covers(number) {
			return &h.fleetKeys[i]
		}
	}
	return nil
}

func (h *Hub) fleetKeyByID(id string) *fleet.FleetKey {
	for i := range h.fleetKeys {
		if h.fleetKeys[i].ID == id {
			return &h.fleetKeys[i]
		}
	}
	return nil
}
