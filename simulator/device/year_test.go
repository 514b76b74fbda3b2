package device_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/simulator/device"
	"github.com/godwit-gateway/godwit/simulator/radio"
)

// A device with two statuses a day, its radio, and on a link with acknowledgements what the gateway answers.
func BenchmarkYear(b *testing.B) {
	for _, network := range []string{"sms", "cellular"} {
		b.Run(network, func(b *testing.B) { benchmarkYear(b, network) })
	}
}

func benchmarkYear(b *testing.B, network string) {
	b.Helper()
	c := config(b)
	c.Interval, c.Stored = 12*time.Hour, network == "sms"
	if c.Stored {
		c.CTRBits, c.TagLen = 8, 4
	}
	models, err := radio.FindNetwork(network)
	if err != nil {
		b.Fatal(err)
	}
	up, err := radio.New[device.Transmission](models.Up, rand.New(rand.NewPCG(1, 1)))
	if err != nil {
		b.Fatal(err)
	}
	d := boot(b, c, device.Memory{}, start)
	key := codec.DeriveAckKey(&c.Key, nil, c.Number, 0)
	now, statuses := start, 0
	b.ReportAllocs()
	for b.Loop() { // until a status has been said
		for said := false; !said; {
			out, wake, err := d.Poll(now)
			if err != nil {
				b.Fatal(err)
			}
			for i := range out {
				said = said || out[i].Try == 1
				switch {
				case up.SendSized(now, out[i], len(out[i].Payload)) == 0:
					d.Failed(out[i].Frame, now)
				case c.Stored:
					d.Taken(out[i].Frame)
				}
			}
			for r, ok := up.Due(now); ok; r, ok = up.Due(now) {
				if c.Stored || r.Failed {
					continue
				}
				if _, err := d.Receive(codec.AppendAck(nil, &key, c.Number, 0, codec.Ack{Counter: r.Item.Counter})); err != nil {
					b.Fatal(err)
				}
			}
			if at, ok := up.Next(); ok && at.Before(wake) {
				wake = at
			}
			now = wake
		}
		statuses++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(statuses), "ns/status")
}
