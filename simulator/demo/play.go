package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/godwit-gateway/godwit/simulator/radio"
)

// prepare makes the state folder and everything that the run needs, and returns what removes it again.
func (d *demo) prepare() (remove func() error, err error) {
	dir := d.o.State
	remove = func() error { return nil }
	defer func() {
		if err != nil {
			err = errors.Join(err, remove())
		}
	}()
	if dir == "" {
		if dir, err = os.MkdirTemp("", "godwit-demo-"); err != nil {
			return remove, fmt.Errorf("state folder: %w", err)
		}
		remove = func() error { return os.RemoveAll(dir) }
	}
	if d.site, err = newSite(dir, &d.o); err != nil {
		return remove, err // not nil: the deferred function calls it
	}
	forgot, err := renew(d.site.Dir, d.site.State)
	if err != nil {
		return remove, err
	}
	if forgot {
		d.o.Say("the gateway's state is gone from %s: its devices begin anew as well", d.site.Dir)
	}
	if d.flash, err = openFlash(d.site.Dir); err != nil {
		return remove, err
	}
	return remove, nil
}

// run starts everything in order, plays, drains and stops everything in reverse.
func (d *demo) run(ctx context.Context) (summary *Summary, err error) {
	// The parts below end in their turn, not when ctx does.
	back := context.WithoutCancel(ctx)
	o := d.site.networks(&d.o)
	d.kept, err = o.networks(d.air, imeis(o.Devices/satOneIn+1))
	defer func() { err = errors.Join(err, closeAll(d.kept)) }()
	if err != nil {
		return nil, err
	}
	if d.gateway, err = startGateway(back, d.site, d.o.Log); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.gateway.stop()) }()
	if d.software, err = newSoftware(d.site.Dir, d.o.Seed); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.software.close()) }()
	members, err := plan(d.o, d.gateway.templates())
	if err != nil {
		return nil, err
	}
	d.members, d.release = members, d.gateway.releases()+1
	for n, m := range trucks(members) {
		d.software.equip(back, m, n+1, d.release)
	}
	for _, m := range members {
		d.ledger.Device(m.name, m.Number, d.flash.get(m.Number).Reserved)
	}
	if err := d.gateway.importDevices(ctx, members); err != nil {
		return nil, err
	}
	if d.watcher, err = newWatcher(d.site.NATS, streamName, d.ledger); err != nil {
		return nil, err
	}
	defer d.watcher.close()
	return d.play(ctx, back, members)
}

// air is what the devices of a link share.
func (d *demo) air(link string) air {
	d.traffic[link] = &traffic{}
	return air{
		link: link, ledger: d.ledger, flash: d.flash, traffic: d.traffic[link], waiting: d.waiting, quiet: d.quiet, now: time.Now,
		dismissed: d.dismissed,
	}
}

// play has the fleet talk until it is time, then drains. The goroutines that it starts end before it returns.
func (d *demo) play(ctx, back context.Context, members []member) (*Summary, error) {
	background, cancel := context.WithCancel(back)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	failed := make(chan error, 5+len(d.kept))
	start := func(run func(context.Context) error) {
		wg.Go(func() {
			if err := run(background); err != nil {
				failed <- err
			}
		})
	}
	gateway, err := addrUDP(d.site.UDP)
	if err != nil {
		return nil, err
	}
	d.udp = &udpFleet{air: d.air(linkUDP), gateway: gateway, radio: radio.Cellular()}
	start(d.watcher.run)
	start(func(ctx context.Context) error { return d.udp.run(ctx, of(members, linkUDP)) })
	for _, f := range d.kept {
		start(func(ctx context.Context) error { return f.run(ctx, of(members, f.link)) })
	}
	start(d.software.run)
	start(func(ctx context.Context) error { return d.operate(ctx, members) })
	start(func(ctx context.Context) error { return d.rollOut(ctx, trucks(members)) })
	d.announce(members)
	if err := d.until(ctx, failed); err != nil {
		return d.summary(), err
	}
	close(d.quiet)
	err = d.drain(background, failed)
	s := d.summary()
	return s, errors.Join(err, s.Err())
}

// dismissed reports whether somebody retired or rejected a device since.
func (d *demo) dismissed(number uint32) bool {
	dev, err := d.gateway.node.Hub().Device(strconv.FormatUint(uint64(number), 10))
	return err == nil && dev.State.Dismissed()
}

// underWay is how many frames the gateway may still take: those that devices repeat, and those that networks have for it.
func (d *demo) underWay() int {
	n := d.waiting.total(d.dismissed)
	for _, f := range d.kept {
		n += f.underWay()
	}
	return n
}

func of(members []member, link string) []member {
	var some []member
	for _, m := range members {
		if m.link == link {
			some = append(some, m)
		}
	}
	return some
}

// trucks are the members that are.
func trucks(members []member) (some []*member) {
	for i := range members {
		if members[i].Product == truckProduct {
			some = append(some, &members[i])
		}
	}
	return some
}

func (d *demo) announce(members []member) {
	d.o.Say("state folder %s (configuration %s)", d.site.Dir, filepath.Base(d.site.Config))
	d.o.Say("%d devices: %d over UDP to %s, %d over SMS to the modem at %s", len(members), len(of(members, linkUDP)), d.site.UDP,
		len(of(members, linkSMS)), d.site.Modem)
	d.o.Say("over satellites: Iridium %d by DirectIP, %d by webhooks, %d by long polls, %d by a transceiver; IsatData Pro %d by a message gateway, %d by a terminal",
		len(of(members, linkSat)), len(of(members, linkRock)), len(of(members, linkCloud)), len(of(members, linkSBD)), len(of(members, linkOrb)),
		len(of(members, linkIDP)))
	d.o.Say("events on nats://%s, subjects godwit.v1.%s.event.>", d.site.NATS, gatewayID)
	d.o.Say("API on %s; try: %s --config %s device list", d.gateway.api(), d.o.Program, d.site.Config)
}

// until waits until the demo's time is over or ctx is done. An error is one that ended the gateway or a fleet before.
func (d *demo) until(ctx context.Context, failed <-chan error) error {
	if d.o.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.o.For)
		defer cancel()
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		case err := <-d.gateway.ended:
			return fmt.Errorf("the gateway ended: %w", err)
		case <-tick.C:
			d.o.Progress(d.summary().line())
		}
	}
}

// drain waits until every device has its acknowledgements, every event is on the stream, and the stream has been still for a while.
func (d *demo) drain(ctx context.Context, failed <-chan error) error {
	ctx, cancel := context.WithTimeout(ctx, drainMax)
	defer cancel()
	tick := time.NewTicker(drainPoll)
	defer tick.Stop()
	still := time.Duration(0)
	for still < settleAfter {
		select {
		case <-ctx.Done():
			return nil // what is missing now is lost: the ledger says so
		case err := <-failed:
			return err
		case err := <-d.gateway.ended:
			return fmt.Errorf("the gateway ended: %w", err)
		case <-tick.C:
		}
		last, err := d.watcher.last(ctx)
		if err != nil || d.underWay() > 0 || !d.ledger.Complete() || d.watcher.read.Load() < last {
			still = 0
			d.o.Progress(d.summary().line())
			continue
		}
		still += drainPoll
	}
	return nil
}

// summary is how things stand.
func (d *demo) summary() *Summary {
	r := d.ledger.Result()
	s := &Summary{
		Links: make(map[string]Link), Acknowledged: r.Acknowledged, Events: r.Events, Lost: len(r.Lost), Doubled: len(r.Doubled), Kinds: r.Kinds,
		result: r, pending: d.underWay(),
	}
	counts := d.gateway.counts()
	for name, t := range d.traffic {
		l := counts[name]
		l.Sent, l.Bytes, l.BytesBilled, l.Events = t.sent.Load(), t.bytes.Load(), t.billed.Load(), uint64(r.Links[name]) //nolint:gosec // a count
		s.Links[name] = l
	}
	d.gateway.schedule(s, d.members)
	s.Rollout = d.gateway.view(d.rollout.Load())
	return s
}
