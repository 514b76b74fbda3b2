package presence_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/godwit-gateway/godwit/scheduler/presence"
)

// TestModelSnapshot: a model that was written and read in between comes to the same bits as one that went on.
func TestModelSnapshot(t *testing.T) {
	live := func(m *presence.Model, from, to int64) {
		for now := from; now < to; now += hour {
			d := presence.NewDevice(now, presence.Policy{Interval: hour, Link: uint8(now % 3)}, uint16(now%2), uint16(now%4))
			m.Check(&d, now+2*hour)
			m.Contact(&d, now+now/hour%5*hour+hour)
		}
	}
	a, b := model(t), model(t)
	live(a, start, start+20*day)
	written, err := a.AppendBinary(nil)
	if err != nil || b.UnmarshalBinary(written) != nil {
		t.Fatalf("%v, %v", err, b.UnmarshalBinary(written))
	}
	live(a, start+20*day, start+40*day)
	live(b, start+20*day, start+40*day)
	of, _ := a.AppendBinary(nil)
	back, _ := b.AppendBinary(nil)
	if !bytes.Equal(of, back) || bytes.Equal(of, written) {
		t.Error("a model that was read goes another way")
	}
	for n := range 40 {
		if err := b.UnmarshalBinary(written[:len(written)*n/40]); !errors.Is(err, presence.ErrSnapshot) {
			t.Errorf("%d of 40 parts: %v", n, err)
		}
	}
	if err := b.UnmarshalBinary(append(written, 0)); !errors.Is(err, presence.ErrSnapshot) {
		t.Errorf("a byte more: %v", err)
	}
	if again, _ := b.AppendBinary(nil); !bytes.Equal(again, back) {
		t.Error("bad snapshots changed the model")
	}
}
