package device_test

import (
	"testing"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/simulator/device"
)

// F-131: a status is counted from one that the gateway acknowledged and from no other, and a keyframe comes at least every 32nd time.
func TestCountsFromAcknowledgedStatusesOnly(t *testing.T) {
	c := config(t)
	d := boot(t, c, device.Memory{}, start)
	g := gateway{c: c}
	now := start
	acked := make(map[uint64]codec.State) // statuses that the device knows to be on disk
	deltas, run := 0, 0
	for round := range 200 {
		for _, tx := range poll(t, d, now) {
			s, counter, plaintext := g.open(t, tx.Payload)
			first := g.frames[counter] == nil
			g.take(t, tx.Payload)
			var after codec.State
			var status codec.Status
			switch s.Header.Kind() {
			case codec.KindKeyframe:
				if err := c.Template.DecodeKeyframe(&status, s.Header, plaintext, now); err != nil {
					t.Fatal(err)
				}
				after.SetKeyframe(c.Template, &status)
				if first {
					run = 0
				}
			case codec.KindDelta:
				distance, _, err := codec.DeltaBase(s.Header, plaintext)
				if err != nil {
					t.Fatal(err)
				}
				base, ok := acked[counter-uint64(distance)]
				if !ok && first {
					t.Fatalf("counter %d is counted from %d, which nobody acknowledged", counter, counter-uint64(distance))
				}
				if !ok {
					continue // said again after its base was forgotten here
				}
				after.CopyFrom(&base)
				if err := c.Template.DecodeDelta(&status, &after, s.Header, plaintext, now); err != nil {
					t.Fatalf("counter %d: %v", counter, err)
				}
				if !first {
					break
				}
				deltas++
				if run++; run > 31 {
					t.Fatalf("%d statuses without a keyframe", run)
				}
			default:
				continue
			}
			if round%3 != 0 { // every third is lost on the way back
				if _, err := d.Receive(g.ack(counter, 0)); err != nil {
					t.Fatal(err)
				}
				acked[counter] = after
			}
		}
		now = now.Add(c.Interval)
	}
	if deltas < 100 {
		t.Errorf("%d deltas in 200 rounds", deltas)
	}
}
