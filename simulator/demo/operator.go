package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/simulator/device"
)

// What the operator of the demo has for some of the devices.
const (
	offerOneIn  = 4 // of the devices on UDP; on SMS all that have an address which may be paid for
	updateImage = 256 << 10
	notice      = 300 // bytes: more than one short message carries
	lookEvery   = 500 * time.Millisecond
)

// update is what the operator offers.
func update() *codec.Offer {
	return &codec.Offer{
		Rollout: 1, Version: "2.5.0", Reference: "https://updates.example/2.5.0.cose", Size: updateImage, Hash: make([]byte, 32), Consent: true,
	}
}

// fates makes the n-th device that is offered an update one of those that there are in the field.
func (m *member) fates(n int) {
	m.offered, m.FreeMemory = true, 4*updateImage
	switch n % 4 {
	case 1:
		m.FreeMemory = updateImage // no room for a copy
	case 2:
		m.Owner = device.OwnerDeclines
	case 3:
		m.Mishaps.Start = 1
	}
}

// operate has an operator offer an update to some devices as soon as the gateway knows them, and send a notice to those where it needs several
// messages. It returns when each has been told.
func (d *demo) operate(ctx context.Context, members []member) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	waiting := slices.DeleteFunc(slices.Clone(members), func(m member) bool { return !m.offered })
	for len(waiting) > 0 {
		select {
		case <-ctx.Done():
			return nil
		case <-d.quiet:
			return nil
		case <-tick.C:
		}
		var later []member
		for _, m := range waiting {
			switch err := d.inform(ctx, &m); {
			case errors.Is(err, fleet.ErrUnknownDevice): // it was not heard yet
				later = append(later, m)
			case err != nil && ctx.Err() == nil:
				return fmt.Errorf("operator: %w", err)
			}
		}
		waiting = later
	}
	return nil
}

func (d *demo) inform(ctx context.Context, m *member) error {
	h := d.gateway.node.Hub()
	if _, err := h.SendCommand(ctx, m.name, hub.Command{Offer: update(), Link: m.link}); err != nil {
		return err
	}
	if m.link == linkUDP {
		return nil
	}
	_, err := h.SendMessage(ctx, m.name, hub.Message{Payload: make([]byte, notice), Link: m.link})
	return err
}
