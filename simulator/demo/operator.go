package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/gateway/api"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/simulator/device"
)

// What the operator of the demo has for the devices on paid links.
const (
	byHand      = 1000 // number by which devices report what they were offered by hand: beyond those of rollouts
	updateImage = 256 << 10
	notice      = 300 // bytes: more than one short message carries
	lookEvery   = 500 * time.Millisecond
)

// update is what the operator offers.
func update(link string) *api.OfferRequest {
	return &api.OfferRequest{
		Rollout: byHand, Version: "2.5.0", Reference: "https://updates.example/2.5.0.cose", Size: updateImage, SHA256: strings.Repeat("00", 32), Consent: true,
		Link: link,
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

// operate has an operator offer an update by hand to the devices that have an address which may be paid for, as soon as the gateway knows them, and send
// them a notice that needs several messages. It returns when each has been told.
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

// inform tells one device what it is to know.
func (d *demo) inform(ctx context.Context, m *member) error {
	if _, err := d.gateway.node.Hub().Device(m.name); err != nil {
		return err
	}
	var queued hub.DownlinkRecord
	if err := d.gateway.client.Post(ctx, "/devices/"+m.name+"/offers", nil, update(m.link), &queued); err != nil {
		return err
	}
	message := api.MessageRequest{Payload: strings.Repeat("00", notice), Link: m.link}
	return d.gateway.client.Post(ctx, "/devices/"+m.name+"/messages", nil, &message, &queued)
}
