package hub_test

import (
	"context"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/transports"
)

// answerable hands over a datagram whose sender can be answered.
func (b *bench) answerable(source string, payload []byte) transports.Verdict {
	b.t.Helper()
	return b.send(transports.Uplink{
		Transport: "udp", From: transports.Address{Bearer: transports.UDP, ID: source}, Payload: payload,
		Window: transports.Window{ID: 1, Until: b.clock.t.Add(time.Minute)},
	})
}

// An acknowledgement that waits for a paid link is not sent once the device was told as much for nothing. It is where that may have gone to somebody else who
// sends a recording, where it does not say as much, and where the device evidently does not hear it.
func TestAcknowledgementForNothing(t *testing.T) {
	const other = "10.0.0.1:9"
	tests := map[string]struct {
		since  func(t *testing.T, b *bench, d *device, asked []byte)
		inHand bool // the paid one is in the hands of the network meanwhile, which does not say whether it left
		want   int
	}{
		"a newer frame": {since: func(_ *testing.T, b *bench, d *device, _ []byte) {
			b.settled(b.answerable(other, d.to(d.status(3.5))), transports.Stored)
		}},
		"a newer frame, in hand": {inHand: true, want: 1, since: func(_ *testing.T, b *bench, d *device, _ []byte) {
			b.settled(b.answerable(other, d.to(d.status(3.5))), transports.Stored)
		}},
		"the same frame": {since: func(_ *testing.T, b *bench, d *device, asked []byte) {
			b.settled(b.answerable(own, d.to(asked)), transports.Duplicate)
		}},
		"the same frame from elsewhere": {want: 1, since: func(_ *testing.T, b *bench, d *device, asked []byte) {
			b.settled(b.answerable(other, d.to(asked)), transports.Duplicate)
		}},
		"an older frame that was held back": {want: 1, since: func(t *testing.T, b *bench, d *device, _ []byte) {
			t.Helper()
			held := d.to(d.status(3.5))
			b.settled(b.smsFrom(msisdn, d.asks()), transports.Stored)
			if v := b.answerable(other, held); v.Settlement != transports.Stored || len(v.Reply) == 0 {
				t.Errorf("%+v", v)
			}
		}},
		"a frame of the epoch before": {want: 1, since: func(t *testing.T, b *bench, d *device, _ []byte) {
			t.Helper()
			held, counter := d.to(d.status(3.5)), d.next
			j, request := d.request(1, 1)
			d.accepted(b.answerable(own, request).Reply, j)
			for d.next < counter-1 {
				b.settled(b.smsFrom(msisdn, d.status(3.5)), transports.Stored)
			}
			b.settled(b.smsFrom(msisdn, d.asks()), transports.Stored)
			if v := b.answerable(own, held); v.Settlement != transports.Stored || len(v.Reply) == 0 {
				t.Errorf("%+v", v)
			}
		}},
		"the device asks once more": {want: 1, since: func(_ *testing.T, b *bench, d *device, asked []byte) {
			b.settled(b.answerable(own, d.to(asked)), transports.Duplicate)
			b.settled(b.smsFrom(msisdn, asked), transports.Duplicate)
			b.clock.t = b.clock.t.Add(2 * time.Second)
			b.settled(b.answerable(own, d.to(asked)), transports.Duplicate)
			b.settled(b.answerable(own, d.to(d.status(3.5))), transports.Stored)
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			d := b.importOne(8)
			b.settled(b.answerable(own, d.to(d.hello("1.0.0"))), transports.Stored)
			asked := d.asks()
			b.settled(b.smsFrom(msisdn, asked), transports.Stored)
			if b.sms.err = errNoAnswer; tt.inHand {
				b.clock.t = b.clock.t.Add(time.Minute)
				b.sms.hold = func(context.Context, transports.Downlink) { tt.since(t, b, d, asked) }
				b.attempt("sms")
			} else {
				tt.since(t, b, d, asked)
			}
			b.sms.err, b.sms.hold = nil, nil
			for range 5 {
				b.clock.t = b.clock.t.Add(15 * time.Minute)
				b.attempt("sms")
			}
			list := b.ofKind("ack")
			if r := list[len(list)-1]; len(b.sms.sent) != tt.want || tt.want == 0 && (r.State != hub.DownlinkExpired || r.Error == "") {
				t.Errorf("%d paid for, want %d: %+v", len(b.sms.sent), tt.want, list)
			}
		})
	}
}
