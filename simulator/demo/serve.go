package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/manifest"
	"github.com/godwit-gateway/godwit/simulator/check"
	"github.com/godwit-gateway/godwit/simulator/device"
	"github.com/godwit-gateway/godwit/simulator/radio"
)

// ServeOptions say which endpoints are played for a gateway that runs elsewhere. At least one of Gateway, Modem, DirectIP, Webhook, Cloud, SBDModem, IGWS and IDPModem must be set.
type ServeOptions struct {
	Gateway  string          // address of the gateway's UDP link; "": no devices on UDP
	Modem    string          // path of the symbolic link to the simulated modem's pty; "": none
	DirectIP string          // address of the gateway's DirectIP link; "": no satellites
	MT       string          // address where what goes to satellite modems is taken; "": a free port
	Confirm  bool            // the account has MO confirmations
	Webhook  string          // URL of the gateway's RockBLOCK link; "": no RockBLOCKs
	RockMT   string          // address where what goes to RockBLOCKs is taken; "": a free port
	Cloud    string          // address where a Cloudloop listens that the gateway asks; "": none
	SBDModem string          // path of the symbolic link to the simulated transceiver's pty; "": none
	IGWS     string          // address of a message gateway that the gateway polls; "": no terminals of IsatData Pro
	IDPModem string          // path of the symbolic link to the simulated IsatData Pro terminal's pty; "": none
	Devices  int             // on each of them
	First    uint32          // number of the first device; then all links go on from each other in the order above
	FleetKey [32]byte        // from which the devices' keys are derived
	Product  string          // as the devices call themselves
	Template *codec.Template // of the product
	CTRBits  uint8
	Interval time.Duration
	State    string // folder of the devices' permanent memory
	Seed     uint64
	Speed    float64
	Perfect  bool // the radio loses, repeats and reorders nothing
	Progress func(line string)

	Signers []manifest.PublicKey // whose updates the devices install, which they fetch over HTTP; none: they play any update that they are offered
}

func (o *ServeOptions) validate() error {
	switch {
	case cmp.Or(o.Gateway, o.Modem, o.DirectIP, o.Webhook, o.Cloud, o.SBDModem, o.IGWS, o.IDPModem) == "":
		return fmt.Errorf("%w: nothing to serve: name the gateway's UDP or DirectIP address, the URL of its webhook, an address for Cloudloop or a message gateway, a path for a modem, or several of them", ErrOptions)
	case o.Devices < 0 || o.Devices > perKind:
		return fmt.Errorf("%w: %d devices, want 0 to %d", ErrOptions, o.Devices, perKind)
	case o.Interval <= 0:
		return fmt.Errorf("%w: interval %s", ErrOptions, o.Interval)
	}
	return nil
}

// server is a Serve while it runs.
type server struct {
	o       ServeOptions
	ledger  *check.Ledger
	flash   *flash
	waiting *waiting
	quiet   chan struct{}
	traffic map[string]*traffic
	kept    []*keptFleet // all but UDP

	publisher *device.Publisher
}

// Serve plays devices and a modem until ctx is done. What the gateway does with their frames is for others to check: Serve says what was sent
// and what was acknowledged.
func Serve(ctx context.Context, o ServeOptions) (err error) {
	if err := o.validate(); err != nil {
		return err
	}
	s := &server{o: o, ledger: check.New(), waiting: newWaiting(), quiet: make(chan struct{}), traffic: map[string]*traffic{}}
	for _, link := range serveLinks {
		s.traffic[link] = &traffic{}
	}
	if s.flash, err = openFlash(o.State); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.flash.close()) }()
	if len(o.Signers) > 0 {
		s.publisher = publisher(ctx, o.Signers)
	}
	s.kept, err = o.networks(s.air, imeis(len(satLinks)*o.Devices+1))
	defer func() { err = errors.Join(err, closeAll(s.kept)) }()
	if err != nil {
		return err
	}
	return s.run(ctx)
}

// serveLinks are what devices can be on, in the order in which they get their numbers.
var serveLinks = []string{linkUDP, linkSMS, linkSat, linkRock, linkCloud, linkSBD, linkOrb, linkIDP}

// dismissedNone says of each device that it is in service: nobody here knows better.
func dismissedNone(uint32) bool { return false }

func (s *server) air(link string) air {
	return air{
		link: link, ledger: s.ledger, flash: s.flash, traffic: s.traffic[link], waiting: s.waiting, quiet: s.quiet, now: time.Now,
		dismissed: dismissedNone,
	}
}

func (s *server) members(link string) []member {
	members := make([]member, 0, s.o.Devices)
	first := s.o.First + uint32(slices.Index(serveLinks, link)*s.o.Devices) //nolint:gosec // at most perKind
	for i := range s.o.Devices {
		m := member{link: link, name: fmt.Sprintf("%s-%d", link, i), address: msisdn(i + 1)}
		m.Number = first + uint32(i)
		m.Key, m.Template, m.Product = codec.FleetDeviceKey(s.o.FleetKey, m.Number), s.o.Template, s.o.Product
		m.CTRBits, m.TagLen, m.Interval, m.Stored = s.o.CTRBits, 8, s.o.Interval, link != linkUDP
		if k := slices.Index(farLinks, link); k >= 0 {
			if k > len(satLinks) { // no Iridium modem
				k = 0
			}
			m.atSea(k*s.o.Devices + i + 1)
		}
		m.Version, m.Hardware, m.Build = firmware, hardware, build
		m.Publisher = s.publisher
		m.Seed, m.Speed = s.o.Seed*seedStep+uint64(m.Number), s.o.Speed
		members = append(members, m)
	}
	return members
}

func (s *server) run(ctx context.Context) error {
	background, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	failed := make(chan error, 1+len(s.kept))
	start := func(run func(context.Context, []member) error, members []member) {
		wg.Go(func() {
			if err := run(background, members); err != nil {
				failed <- err
			}
		})
	}
	if s.o.Gateway != "" {
		gateway, err := addrUDP(s.o.Gateway)
		if err != nil {
			return err
		}
		udp := &udpFleet{air: s.air(linkUDP), gateway: gateway, radio: s.o.model(radio.Cellular())}
		start(udp.run, s.members(linkUDP))
	}
	for _, f := range s.kept {
		start(f.run, s.members(f.link))
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		case <-tick.C:
			satellites := uint64(0)
			for _, link := range serveLinks[2:] {
				satellites += s.traffic[link].sent.Load()
			}
			s.o.Progress(fmt.Sprintf("sent %d over UDP, %d over SMS, %d over satellites; acknowledged %d, waiting %d",
				s.traffic[linkUDP].sent.Load(), s.traffic[linkSMS].sent.Load(), satellites, s.ledger.AcknowledgedLen(), s.waiting.total(dismissedNone)))
		}
	}
}
