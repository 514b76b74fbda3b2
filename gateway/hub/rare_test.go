package hub_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/transports"
)

// What a rare block says is said in the event: the version, the update, and which policy the device runs.
func TestRareBlockInEvents(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)
	f := d.tm.Fields()
	for _, rare := range []codec.Rare{
		{},
		{Present: true, VersionIndex: 2, HasPolicy: true, Policy: 200},
		{Present: true, VersionIndex: 63, Build: 0xdeadbeef, BootChanged: true, HasStep: true, Step: 9, StepCode: 1},
	} {
		body, h, err := d.tm.AppendKeyframe(nil, 0, &codec.Status{Values: []codec.Value{f[0].Quantize(3.7), f[1].Quantize(-3.5)}, Rare: rare})
		if err != nil {
			t.Fatal(err)
		}
		b.settled(b.udp(d.to(d.seal(h, d.next, body))), transports.Stored)
		d.next++
	}
	type said struct {
		Version string `json:"version"`
		Index   *int   `json:"version_index"`
		Build   string `json:"build"`
		Boot    bool   `json:"boot_changed"`
		Step    *int   `json:"update_step"`
		Code    *int   `json:"update_code"`
		Policy  *int   `json:"policy_revision"`
	}
	var got []said
	for _, e := range b.events() {
		var event struct {
			Type string
			Data said
		}
		if err := json.Unmarshal(e.Payload, &event); err != nil {
			t.Fatal(err)
		}
		if event.Type == "io.godwit.status" {
			got = append(got, event.Data)
		}
	}
	n := func(v int) *int { return &v }
	want := []said{
		{Version: "1.0.0"},
		{Version: "2.0.0", Index: n(2), Policy: n(200)},
		{Version: "2.0.0", Index: n(63), Build: "deadbeef", Boot: true, Step: n(9), Code: n(1)},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
