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
	"github.com/godwit-gateway/godwit/transports"
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
	device  string // serial line, or the service that is polled
	socket  socket // nil: the link listens nowhere
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
	w := &wired{name: l.Name, kind: l.Kind, metered: l.UDP == nil}
	var err error
	if w.transport, w.device, err = newDriver(l, mark, log); err != nil {
		return nil, err
	}
	w.socket, _ = w.transport.(socket)
	return w, nil
}

// newDriver makes the driver of a link, and tells the serial line or the service that it is at; "" if devices' networks come to it.
func newDriver(l config.Link, mark string, log *slog.Logger) (driver transports.Transport, device string, err error) {
	switch {
	case l.UDP != nil:
		driver, err = udp.New(l.Name, *l.UDP, log)
	case l.SMSModem != nil:
		c := l.SMSModem.Driver(l.Name)
		c.Log, device = log, c.Device
		driver, err = smsmodem.New(c)
	case l.SBDModem != nil:
		c := *l.SBDModem
		c.State, device = mark, c.Device
		driver, err = sbdmodem.New(l.Name, c, log)
	case l.IDPModem != nil:
		device = l.IDPModem.Device
		driver, err = idpmodem.New(l.Name, *l.IDPModem, log)
	case l.DirectIP != nil:
		driver, err = directip.New(l.Name, *l.DirectIP, log)
	case l.RockBLOCK != nil:
		driver, err = rockblock.New(l.Name, l.RockBLOCK.Driver(), log)
	case l.IDP != nil:
		device = l.IDP.URL
		driver, err = idp.New(l.Name, l.IDP.Driver(mark), log)
	case l.Cloudloop != nil:
		device = l.Cloudloop.API
		driver, err = cloudloop.New(l.Name, l.Cloudloop.Driver(mark), log)
	default:
		err = fmt.Errorf("no driver for kind %q", l.Kind)
	}
	return driver, device, err
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
