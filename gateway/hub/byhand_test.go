package hub_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/transports"
)

// Who offers an update by hand needs a release that somebody else made known, unless the configuration says otherwise.
func TestOfferByHandTakesTwo(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	b.settled(b.smsFrom(msisdn, d.hello("1.0.0")), transports.Stored)
	b.release(1000) // by ann
	offer := func(ctx context.Context, change func(*codec.Offer)) error {
		o := codec.Offer{Rollout: 70, Version: "2.0.0", Reference: "https://updates.example/2.0.0.cose", Hash: make([]byte, 32), Size: 1000}
		if change != nil {
			change(&o)
		}
		_, err := b.hub.SendCommand(ctx, "meter-1", hub.Command{Offer: &o})
		return err
	}
	other := func(o *codec.Offer) { o.Hash = append(make([]byte, 31), 1) }
	for _, tt := range []struct {
		name   string
		rule   hub.ByHand
		who    string
		change func(*codec.Offer)
		want   error
	}{
		{"somebody else", hub.ByHandSecond, "ben", nil, nil},
		{"the first half of the hash", hub.ByHandSecond, "ben", func(o *codec.Offer) { o.Hash = o.Hash[:16] }, nil},
		{"the same", hub.ByHandSecond, "ann", nil, rollout.ErrSameActor},
		{"another manifest", hub.ByHandSecond, "ben", other, rollout.ErrForbidden},
		{"no hash", hub.ByHandSecond, "ben", func(o *codec.Offer) { o.Hash = nil }, rollout.ErrForbidden},
		{"no release", hub.ByHandSecond, "ben", func(o *codec.Offer) { o.Version = "2.0.1" }, rollout.ErrUnknown},
		{"alone", hub.ByHandAlone, "ann", other, nil},
		{"never", hub.ByHandNever, "ben", nil, rollout.ErrForbidden},
	} {
		_ = b.store.Close()
		b.byHand = tt.rule
		b.open()
		if err := offer(as(t, tt.who, "approver"), tt.change); !errors.Is(err, tt.want) || tt.want != nil && !errors.Is(err, hub.ErrDownlink) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	b.byHand = hub.ByHandSecond
	b.crash()
	if _, err := b.hub.WithdrawRelease(as(t, "ann", "operator"), "buoy", "2.0.0", "it fails"); err != nil {
		t.Fatal(err)
	}
	if err := offer(as(t, "ben", "approver"), nil); !errors.Is(err, rollout.ErrState) {
		t.Errorf("withdrawn: %v", err)
	}
}

// The number of an offer by hand is that of no rollout, neither before nor after it, also over a power failure.
func TestOfferByHandHasItsNumber(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	b.settled(b.smsFrom(msisdn, d.hello("1.0.0")), transports.Stored)
	b.release(1000)
	if id := b.rolling(nil); id != 1 {
		t.Fatalf("rollout %d", id)
	}
	offer := func(number uint32) error {
		o := codec.Offer{Rollout: number, Version: "3.0.0", Reference: "https://updates.example/3.cose", Hash: make([]byte, 32), Size: 1000}
		_, err := b.hub.SendCommand(t.Context(), "meter-1", hub.Command{Offer: &o})
		return err
	}
	for _, number := range []uint32{0, 1, 1 << 17, math.MaxUint32} {
		if err := offer(number); !errors.Is(err, hub.ErrDownlink) {
			t.Errorf("number %d: %v", number, err)
		}
	}
	malformed := codec.Offer{Rollout: 4, Version: "3.0.0", Hash: make([]byte, 32)} // without a reference: its number stays free
	if _, err := b.hub.SendCommand(t.Context(), "meter-1", hub.Command{Offer: &malformed}); !errors.Is(err, codec.ErrMalformed) {
		t.Errorf("an offer of nothing: %v", err)
	}
	for range 2 { // to two devices, as it were
		if err := offer(7); err != nil {
			t.Fatal(err)
		}
	}
	b.crash()
	if err := offer(2); err != nil {
		t.Fatal(err)
	}
	b.crash()
	for _, want := range []rollout.ID{3, 4, 5, 6, 8} {
		r, err := b.hub.CreateRollout(as(t, "ann", "operator"), rollout.Spec{Name: "next", Product: "buoy", Version: "2.0.0", Waves: []rollout.Wave{{Share: 1}}})
		if err != nil || r.ID != want {
			t.Errorf("a rollout after offers with the numbers 2 and 7 is %d, want %d: %v", r.ID, want, err)
		}
	}
	if err := offer(8); !errors.Is(err, rollout.ErrExists) {
		t.Errorf("the number of a rollout: %v", err)
	}
}
