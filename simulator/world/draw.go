package world

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/simulator/device"
	"github.com/godwit-gateway/godwit/simulator/radio"
	"github.com/godwit-gateway/godwit/transports"
)

// Options bound what is drawn.
type Options struct {
	Seed    uint64
	Devices int           // 0: drawn, 2 to 12
	Faults  time.Duration // how long things fail; 0: drawn, 6 h to 6 days
	Without []string      // kinds of faults that do not happen
	Log     *slog.Logger  // of the gateway; nil: none
}

// size is how many devices there are and how long things fail, drawn from the seed where it is not said.
func (o *Options) size() (devices int, faults time.Duration) {
	s := Setup{Seed: o.Seed}
	rng := s.stream(drawSize)
	devices, faults = 2+rng.IntN(11), time.Duration((6+rng.Float64()*138)*float64(time.Hour)).Truncate(time.Second)
	if o.Devices != 0 {
		devices = o.Devices
	}
	if o.Faults != 0 {
		faults = o.Faults
	}
	return devices, faults
}

// Names of the links of a world that is drawn, and numbers of the devices that speak over each.
const (
	linkUDP  = "udp"
	linkSMS  = "sms"
	firstUDP = 1000
	firstSMS = 2000
)

// Random plays the world of a seed.
func Random(ctx context.Context, o Options) (*Result, error) {
	s, err := Draw(o)
	if err != nil {
		return nil, err
	}
	return Run(ctx, s)
}

// Draw makes a world up: a few devices, each its own group, and everything fails that may.
func Draw(o Options) (Setup, error) {
	devices, length := o.size()
	s := Setup{
		Seed: o.Seed, Length: length, Chaos: true, Without: o.Without, Log: o.Log,
		Links: []Link{
			{Name: linkUDP, Bearer: transports.UDP, Ack: hub.AckAlways, Limits: transports.Limits{UplinkMax: 1200, DownlinkMax: 1200}},
			{
				Name: linkSMS, Bearer: transports.SMS, Ack: hub.AckAsked, Metered: true, Keeps: true,
				Limits: transports.Limits{UplinkMax: 140, DownlinkMax: 140, PerMessage: 140},
			},
		},
	}
	template, err := product()
	if err != nil {
		return Setup{}, err
	}
	s.Products = []hub.Product{{Name: "buoy", Template: template, Releases: map[uint8]string{}}}
	rng := s.stream(drawSetup)
	for i := range devices {
		s.Groups = append(s.Groups, drawGroup(i, rng))
	}
	s.drawOthers()
	s.drawUpdates()
	return s, s.drawSchedule()
}

// drawSeveral is the purpose of random numbers for devices with two links, beyond all others.
const drawSeveral = 1 << 42

// drawOthers gives devices the other link as well, in one world of four.
func (s *Setup) drawOthers() {
	rng := s.stream(drawSeveral)
	if rng.IntN(4) > 0 {
		return
	}
	for i := range s.Groups {
		g := &s.Groups[i]
		if rng.IntN(2) == 0 {
			continue
		}
		other, model := linkSMS, radio.ShortMessages()
		if g.Link == linkSMS {
			other, model = linkUDP, radio.Cellular()
		}
		model.Loss, model.Reorder = rng.Float64()*0.4, rng.Float64()*0.3
		model = drawRadio(model, other == linkSMS, rng)
		g.Others = []Bearer{{Link: other, Up: model, Down: model}}
		g.Device.TagLen, g.Device.UplinkMax = 8, 140
	}
}

// product is what all devices measure.
func product() (*codec.Template, error) {
	tenth := codec.Decimal{Coef: 1, Exp: -1}
	return codec.NewTemplate(codec.Timing{}, []codec.Field{
		{ID: 1, Name: "battery", Unit: "V", Scale: tenth, Width: 8},
		{ID: 2, Name: "air_temperature", Unit: "Cel", Scale: tenth, Offset: -400, Width: 10, Optional: true},
		{ID: 3, Name: "wave_height", Unit: "m", Scale: tenth, Width: 8, Optional: true},
		{ID: 4, Name: "water_level", Unit: "m", Scale: codec.Decimal{Coef: 1, Exp: -2}, Width: 12},
	})
}

// drawGroup makes one device up.
func drawGroup(i int, rng *rand.Rand) Group {
	g := Group{Name: fmt.Sprintf("device %d", i+1), Count: 1, First: firstUDP + uint32(i), Product: "buoy", Link: linkUDP} //nolint:gosec // a few
	c := device.Config{
		Version: "1.0.0", Hardware: "rev-a", Build: []byte{1}, CTRBits: 16, TagLen: 8, NoClock: rng.IntN(4) == 0,
		Interval: time.Duration(5+rng.IntN(115)) * time.Minute, Retry: 10 * time.Second, RetryMax: 30 * time.Minute, PendingMax: 16 + rng.IntN(48),
	}
	model := radio.Cellular()
	if rng.IntN(3) == 0 {
		g.Link, model = linkSMS, radio.ShortMessages()
		g.First += firstSMS - firstUDP
		c.CTRBits, c.TagLen = 8, 4
		c.Interval = time.Duration(60+rng.IntN(1000)) * time.Minute
	}
	c.Thresholds = []device.Threshold{{Field: "wave_height", Code: 11, Limit: 2.5, Clear: 0.5, Text: "high sea"}}
	if rng.IntN(2) == 0 {
		c.Chatter, c.Report, c.ReportBytes = 5*c.Interval, 11*c.Interval, 300+rng.IntN(3000)
	}
	if rng.IntN(3) == 0 {
		c.Sample = c.Interval / time.Duration(2+rng.IntN(8)) // readings that go along
	}
	model.Loss, model.Reorder = rng.Float64()*0.4, rng.Float64()*0.3
	model = drawRadio(model, g.Link == linkSMS, rng)
	g.Device, g.Up, g.Down = c, model, model
	if g.Link == linkSMS && rng.IntN(2) == 0 {
		g.Down.Validity = time.Duration(1+rng.IntN(72)) * time.Hour
	}
	drawLife(&g, rng)
	return g
}

// drawRadio makes more of a model that is worse than usual.
func drawRadio(m radio.Model, keeps bool, rng *rand.Rand) radio.Model {
	if rng.IntN(3) == 0 {
		m.Bursts = radio.Bursts{Good: time.Duration(1+rng.IntN(48)) * time.Hour, Bad: time.Duration(1+rng.IntN(300)) * time.Minute, Loss: 0.5 + 0.5*rng.Float64()}
	}
	if rng.IntN(4) == 0 {
		m.Truncate = 0.05 * rng.Float64()
	}
	if rng.IntN(4) == 0 {
		m.Passes = radio.Passes{Period: 100 * time.Minute, Length: 20 * time.Minute, Jitter: 70 * time.Minute, Hidden: 0.2, Seed: rng.Uint64()}
		m.Pauses = radio.Pauses{10 * time.Second, time.Minute, 5 * time.Minute}
		if keeps {
			m.Passes.Wait = time.Duration(rng.IntN(24)) * time.Hour
		}
	}
	if keeps && rng.IntN(2) == 0 { // hours to days late
		m.Delay = radio.Delay{Least: time.Second, Mean: time.Duration(1+rng.IntN(60)) * time.Minute, Most: 3 * 24 * time.Hour, Tail: 2}
	}
	m.Reports = keeps && rng.IntN(2) == 0
	return m
}

// drawLife makes up what a device lives on, and for how long.
func drawLife(g *Group, rng *rand.Rand) {
	if rng.IntN(8) == 0 {
		g.Attrition = 20 // within weeks
	}
	if rng.IntN(12) == 0 {
		g.Device.Retires = birth.Add(time.Duration(rng.Float64() * 10 * 24 * float64(time.Hour)))
	}
	var p device.Power
	switch rng.IntN(8) {
	case 0: // a cell that ends within days
		p = device.Primary()
		p.Capacity = 0.05 + 2*rng.Float64()
	case 1: // a battery that hardly gets through the night
		p = device.Lead()
		p.Capacity, p.Panel, p.Frame = 1+9*rng.Float64(), 1+4*rng.Float64(), 5
	default:
		return
	}
	g.Device.Power = &p
}
