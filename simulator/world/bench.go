package world

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/simulator/device"
	"github.com/godwit-gateway/godwit/simulator/radio"
	"github.com/godwit-gateway/godwit/transports"
)

// Fleet is a mixed fleet without incidents: buoys and vehicles that speak datagrams, tanks that speak short messages, each with two statuses a day.
// It is what the speed of worlds is measured on.
func Fleet(devices int, length time.Duration) (Setup, error) {
	template, err := product()
	if err != nil {
		return Setup{}, err
	}
	const day = 24 * time.Hour
	s := Setup{
		Seed: 1, Length: length, Publish: 5 * time.Minute, Keep: 7 * day, Stream: 3 * day,
		Products: []hub.Product{{Name: "buoy", Template: template, Releases: map[uint8]string{}}},
		Links: []Link{
			{Name: linkUDP, Bearer: transports.UDP, Ack: hub.AckAlways, Limits: transports.Limits{UplinkMax: 1200, DownlinkMax: 1200}},
			{
				Name: linkSMS, Bearer: transports.SMS, Ack: hub.AckAsked, Metered: true, Keeps: true, Linger: time.Minute,
				Limits: transports.Limits{UplinkMax: 140, DownlinkMax: 140, PerMessage: 140},
			},
		},
	}
	config := device.Config{
		Version: "1.0.0", Hardware: "rev-a", Build: []byte{1}, CTRBits: 16, TagLen: 8, Interval: 12 * time.Hour, Silence: 7 * day, Retry: 10 * time.Second,
		RetryMax: time.Hour,
	}
	udp := devices * 6 / 10
	s.Groups = []Group{{Name: "buoys", Count: max(1, udp), First: 1, Product: "buoy", Link: linkUDP, Device: config, Up: radio.Cellular(), Down: radio.Cellular()}}
	config.CTRBits, config.TagLen = 8, 4
	s.Groups = append(s.Groups, Group{
		Name: "tanks", Count: max(1, devices-udp), First: uint32(devices) + 1, Product: "buoy", Link: linkSMS, Device: config, //nolint:gosec // an option
		Up: radio.ShortMessages(), Down: radio.ShortMessages(),
	})
	return s, nil
}

// A Comparison says how much of a world's time is the gateway's.
type Comparison struct {
	Frames int           // that the gateway took
	World  time.Duration // all of it: devices, radio, gateway, checks
	Bare   time.Duration // the same uplinks in the same batches, and the publisher at the same moments, with nothing around
}

// Ratio is the speed of the world, where that of the bare gateway is 1.
func (c *Comparison) Ratio() float64 { return float64(c.Bare) / float64(c.World) }

// A Recording is what a world asked of its gateway.
type Recording struct {
	setup Setup
	calls []call
}

// call is a call of one of the gateway's methods.
type call struct {
	at      time.Time
	work    work
	uplinks []transports.Uplink
	stored  int // of them
}

// work is what a gateway is called for.
type work uint8

const (
	workUplinks work = iota
	workPublish
	workTidy
	workRetain
)

// Record plays a world that needs no joins, and keeps what its gateway was given.
func Record(ctx context.Context, s Setup) (*Recording, error) {
	w, err := newWorld(ctx, s)
	if err != nil {
		return nil, err
	}
	r := &Recording{setup: w.setup}
	w.gateway.tap = r
	return r, errors.Join(w.play(), w.gateway.close())
}

// note adds a call. Payloads belong to devices, which may write over them.
func (r *Recording) note(at time.Time, k work, us []transports.Uplink) {
	if r == nil {
		return
	}
	us = slices.Clone(us)
	for i := range us {
		us[i].Payload = slices.Clone(us[i].Payload)
	}
	r.calls = append(r.calls, call{at: at, work: k, uplinks: us})
}

// settled adds what came of the last call.
func (r *Recording) settled(out []transports.Verdict) {
	if r != nil {
		r.calls[len(r.calls)-1].stored = stored(out)
	}
}

func stored(out []transports.Verdict) (n int) {
	for i := range out {
		if out[i].Settlement == transports.Stored {
			n++
		}
	}
	return n
}

// Compare plays the world again, as far as it was to be played before its end is checked, and then a gateway alone with what was recorded. The
// clock is the caller's: a process that shares its processors may want that of its own time.
func (r *Recording) Compare(ctx context.Context, clock func() time.Duration) (c Comparison, err error) {
	w, err := newWorld(ctx, r.setup)
	if err != nil {
		return c, err
	}
	began := clock()
	w.until(w.now.Add(r.setup.Length))
	c.World = clock() - began
	if err := errors.Join(w.err, w.gateway.close()); err != nil {
		return c, err
	}
	w = emptyWorld(ctx, r.setup)
	if err := w.gateway.start(); err != nil {
		return c, err
	}
	began = clock()
	c.Frames = r.bare(ctx, w)
	c.Bare = clock() - began
	return c, errors.Join(w.err, w.gateway.close())
}

// bare is a gateway without a world: nothing is simulated and nothing is checked.
func (r *Recording) bare(ctx context.Context, w *world) (frames int) {
	var out []transports.Verdict
	end := w.now.Add(r.setup.Length)
	for i := range r.calls {
		c := &r.calls[i]
		if c.at.After(end) {
			break
		}
		w.now = c.at
		switch c.work {
		case workUplinks:
			for len(out) < len(c.uplinks) {
				out = append(out, transports.Verdict{})
			}
			w.fail(w.gateway.hub.Uplinks(ctx, c.uplinks, out[:len(c.uplinks)]))
			n := stored(out[:len(c.uplinks)])
			if n != c.stored {
				w.fail(fmt.Errorf("%w: alone the gateway stored %d of %d uplinks at %s, within the world %d", ErrBroken, n, len(c.uplinks), c.at, c.stored))
			}
			frames += n
		case workPublish:
			w.fail(w.gateway.publish())
		case workTidy:
			w.fail(w.gateway.tidy())
		case workRetain:
			w.fail(w.gateway.retain())
		}
		if w.err != nil {
			return frames
		}
	}
	return frames
}
