package udp

import "net/netip"

// peersMax bounds each of the two generations of peer names: 32,768 peers use about 3 MiB.
const peersMax = 1 << 15

// peers keeps the text of peers' addresses, which uplinks carry, so that a peer that sends again costs no allocation. Names handed out are
// kept by others and cannot be used again for other peers; so this is a cache of two generations, where those used since the last change of
// generations survive the next. Not safe for concurrent use.
type peers struct {
	young, old map[netip.AddrPort]string
	max        int
}

func newPeers(most int) *peers {
	return &peers{young: map[netip.AddrPort]string{}, old: map[netip.AddrPort]string{}, max: most}
}

// name returns "192.0.2.1:5688" or "[2001:db8::1]:5688".
func (p *peers) name(peer netip.AddrPort) string {
	if s, ok := p.young[peer]; ok {
		return s
	}
	s, ok := p.old[peer]
	if !ok {
		s = peer.String()
	}
	if len(p.young) >= p.max {
		clear(p.old)
		p.young, p.old = p.old, p.young
	}
	p.young[peer] = s
	return s
}
