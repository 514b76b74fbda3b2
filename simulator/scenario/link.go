package scenario

import (
	"fmt"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/simulator/radio"
	"github.com/godwit-gateway/godwit/simulator/world"
	"github.com/godwit-gateway/godwit/transports"
)

// usual is what a gateway configures for a network: datagrams are acknowledged always and kept by nobody; where each message is paid for, the
// network keeps what it took, and acknowledgements are sent where they are asked for.
func usual(network string, n *radio.Network) linkTable {
	const datagram = 1200
	t := linkTable{Bearer: string(transports.UDP), Ack: "always", UplinkMax: datagram, DownlinkMax: datagram}
	switch network {
	case "sms", "sms-roaming":
		t.Bearer = string(transports.SMS)
	case "iridium", "orbcomm":
		t.Bearer = "sbd"
	default:
		return t
	}
	t.Ack, t.Metered, t.Keeps = "asked", true, true
	t.UplinkMax, t.DownlinkMax, t.PerMessage = n.Up.SizeMax, n.Down.SizeMax, n.Down.SizeMax
	return t
}

// link is a link and the network that its groups are on unless they say otherwise.
type link struct {
	world.Link

	network radio.Network
}

var acks = map[string]hub.AckPolicy{"never": hub.AckNever, "asked": hub.AckAsked, "always": hub.AckAlways}

func (p *parser) links() map[string]*link {
	found := make(map[string]*link)
	for i, table := range p.tables("link") {
		path := fmt.Sprintf("link[%d]", i)
		network, name := p.network(path, table)
		t := usual(name, &network)
		network = p.overlay(path, table, network)
		p.doc.Bind(path, without(table, "radio", "up", "down"), &t)
		l := &link{network: network, Link: world.Link{
			Name: t.Name, Bearer: transports.Bearer(t.Bearer), Metered: t.Metered, Keeps: t.Keeps, Linger: t.Linger,
			Limits: transports.Limits{UplinkMax: t.UplinkMax, DownlinkMax: t.DownlinkMax, PerMessage: t.PerMessage},
		}}
		var known bool
		if l.Ack, known = acks[t.Ack]; !known {
			p.doc.Add(path+".ack", "never, asked or always", "%q is not a policy", t.Ack)
		}
		if t.Bearer == "" {
			p.doc.Add(path+".bearer", "udp, sms, or a name of your own", "is missing")
		}
		if t.Linger < 0 {
			p.doc.Add(path+".linger", "", "%s is below zero", t.Linger)
		}
		if l.Limits.UplinkMax < 1 || l.Limits.DownlinkMax < 1 || l.Limits.PerMessage < 0 {
			p.doc.Add(path, "", "uplink_max is %d, downlink_max %d, per_message %d: want bytes", t.UplinkMax, t.DownlinkMax, t.PerMessage)
		}
		switch {
		case !fleet.ValidToken(t.Name):
			p.doc.Add(path+".name", "1 to 32 of A-Z a-z 0-9 _ -", "%q cannot name a link", t.Name)
		case found[t.Name] != nil:
			p.doc.Add(path+".name", "", "there is a link %q already", t.Name)
		default:
			found[t.Name] = l
			p.setup.Links = append(p.setup.Links, l.Link)
		}
	}
	if len(p.setup.Links) == 0 && p.doc.Err() == nil {
		p.doc.Add("link", `[[link]] with name = "sms" and network = "sms"`, "there is none")
	}
	return found
}

// network is the ready network that a table names, and its name; without one it is perfect.
func (p *parser) network(path string, table map[string]any) (radio.Network, string) {
	v, ok := table["network"]
	if !ok {
		return radio.Network{}, ""
	}
	name, ok := v.(string)
	if !ok {
		return radio.Network{}, "" // told when it is bound
	}
	n, err := radio.FindNetwork(name)
	if err != nil {
		p.doc.Add(path+".network", "", "%s", err)
	}
	return n, name
}
