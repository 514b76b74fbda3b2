package node

import (
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"

	"github.com/godwit-gateway/godwit/gateway/api"
	"github.com/godwit-gateway/godwit/gateway/config"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/transports/cloudloop"
	"github.com/godwit-gateway/godwit/transports/directip"
	"github.com/godwit-gateway/godwit/transports/idp"
	"github.com/godwit-gateway/godwit/transports/idpmodem"
	"github.com/godwit-gateway/godwit/transports/rockblock"
	"github.com/godwit-gateway/godwit/transports/sbdmodem"
	"github.com/godwit-gateway/godwit/transports/smsmodem"
	"github.com/godwit-gateway/godwit/transports/udp"
)

// wired is a link of the configuration with its driver.
type wired struct {
	runner
	name    string
	kind    string
	metered bool
	device  string               // serial line, or the service that is polled
	udp     *udp.Transport       // nil: another kind
	modem   *smsmodem.Transport  // nil: another kind
	sbd     *sbdmodem.Transport  // nil: another kind
	sat     *directip.Transport  // nil: another kind
	rock    *rockblock.Transport // nil: another kind
	idp     *idp.Transport       // nil: another kind
	term    *idpmodem.Transport  // nil: another kind
	loop    *cloudloop.Transport // nil: another kind
	socket  socket               // nil: the link listens nowhere
}

// socket is a driver that listens.
type socket interface {
	Listen() error
	Close() error
	Addr() netip.AddrPort
}

// wireLinks makes the drivers, in the order of their names. None opens anything yet.
func wireLinks(cfg *config.Config, log *slog.Logger) ([]*wired, error) {
	var out []*wired
	for _, name := range slices.Sorted(maps.Keys(cfg.Links)) {
		w, err := wireLink(cfg.Links[name], markFile(cfg, name), log)
		if err != nil {
			return nil, fmt.Errorf("link %s: %w", name, err)
		}
		out = append(out, w)
	}
	return out, nil
}

// markFile is where a link keeps what must survive a crash, such as how far it has read.
func markFile(cfg *config.Config, link string) string {
	return filepath.Join(cfg.Gateway.StateDir, "links", link+".mark")
}

func wireLink(l config.Link, mark string, log *slog.Logger) (*wired, error) {
	w := &wired{name: l.Name, kind: l.Kind}
	if l.SMSModem != nil {
		w.device = l.SMSModem.Device
	}
	var err error
	switch {
	case l.UDP != nil:
		w.udp, err = udp.New(l.Name, *l.UDP, log)
		w.transport, w.socket = w.udp, w.udp
	case l.SMSModem != nil:
		c := l.SMSModem.Driver(l.Name)
		c.Log = log
		w.modem, err = smsmodem.New(c)
		w.transport, w.metered = w.modem, true
	case l.SBDModem != nil:
		w.device = l.SBDModem.Device
		c := *l.SBDModem
		c.State = mark
		w.sbd, err = sbdmodem.New(l.Name, c, log)
		w.transport, w.metered = w.sbd, true
	case l.IDPModem != nil:
		w.device = l.IDPModem.Device
		w.term, err = idpmodem.New(l.Name, *l.IDPModem, log)
		w.transport, w.metered = w.term, true
	case l.DirectIP != nil:
		w.sat, err = directip.New(l.Name, *l.DirectIP, log)
		w.transport, w.socket, w.metered = w.sat, w.sat, true
	case l.RockBLOCK != nil:
		w.rock, err = rockblock.New(l.Name, l.RockBLOCK.Driver(), log)
		w.transport, w.socket, w.metered = w.rock, w.rock, true
	case l.IDP != nil:
		w.device = l.IDP.URL
		w.idp, err = idp.New(l.Name, l.IDP.Driver(mark), log)
		w.transport, w.metered = w.idp, true
	case l.Cloudloop != nil:
		w.device = l.Cloudloop.API
		w.loop, err = cloudloop.New(l.Name, l.Cloudloop.Driver(mark), log)
		w.transport, w.metered = w.loop, true
	default:
		err = fmt.Errorf("no driver for kind %q", l.Kind)
	}
	return w, err
}

// hubLinks is what the hub must know of the links.
func hubLinks(cfg *config.Config, links []*wired) []hub.Link {
	out := make([]hub.Link, len(links))
	for i, w := range links {
		l := cfg.Links[w.name]
		out[i] = hub.Link{Name: w.name, Bearer: w.transport.Bearer(), Ack: l.AckPolicy(), Metered: w.metered, Transport: w.transport}
	}
	return out
}

// listen takes the link's address, if it has one, so that a wrong one ends the start and not only the link.
func (w *wired) listen() error {
	if w.socket == nil {
		return nil
	}
	if err := w.socket.Listen(); err != nil {
		return fmt.Errorf("link %s: %w", w.name, err)
	}
	return nil
}

// close gives back what listen took, if the link never ran.
func (w *wired) close() error {
	if w.socket == nil {
		return nil
	}
	return w.socket.Close()
}

// address is where the link is, for people.
func (w *wired) address() string {
	if w.socket != nil {
		return w.socket.Addr().String()
	}
	return w.device
}

// lines are the states of all links, as the API shows them.
func (n *Node) lines() map[string]api.Line {
	out := make(map[string]api.Line, len(n.links))
	for _, l := range n.links {
		out[l.name] = api.Line{Up: l.up(), Restarts: l.restarts.Load()}
	}
	return out
}
