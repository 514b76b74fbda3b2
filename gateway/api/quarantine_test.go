package api_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/api"
	"github.com/godwit-gateway/godwit/transports"
)

// Of what an open link keeps in memory, the newest come first and not more than were asked for; a page behind that is of what is stored, and
// says nothing twice.
func TestQuarantineKeepsToTheLimit(t *testing.T) {
	b := newBench(t)
	const sent, kept = 300, 256
	for n := range sent {
		// The number of no device, so that no key opens it, and something by which to know it.
		payload := []byte{0x82, 0x19, 0x13, 0x88, 0x4c, 0xc0, 0, 0, 1, 2, 3, 4, 5, 6, 7, byte(n >> 8), byte(n)}
		out := make([]transports.Verdict, 1)
		u := transports.Uplink{Transport: "udp0", From: transports.Address{Bearer: transports.UDP, ID: fmt.Sprintf("127.0.0.1:%d", 1024+n)}, ReceivedAt: b.clock.Now(), Payload: payload}
		if err := b.hub.Uplinks(t.Context(), []transports.Uplink{u}, out); err != nil || out[0].Settlement != transports.Rejected {
			t.Fatalf("%+v, %v", out[0], err)
		}
		b.clock.t = b.clock.t.Add(time.Second)
	}
	list := func(query string) (p api.Page[api.Quarantined]) {
		t.Helper()
		a := b.ask(t, "GET", "/api/v1/quarantine?link=udp0"+query, b.token[api.Viewer], "", "")
		if err := json.Unmarshal([]byte(a.body), &p); err != nil || a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		return p
	}
	for limit, want := range map[int]int{1: 1, 3: 3, 255: 255, 256: kept, 257: kept, 1000: kept} {
		p := list(fmt.Sprintf("&limit=%d", limit))
		if len(p.Items) != want {
			t.Fatalf("limit %d gives %d of %d", limit, len(p.Items), kept)
		}
		for i := range p.Items {
			payload, err := hex.DecodeString(p.Items[i].Payload)
			if err != nil || len(payload) != 17 || int(payload[15])<<8|int(payload[16]) != sent-1-i || p.Items[i].Seq != 0 {
				t.Fatalf("limit %d: item %d is %+v", limit, i, p.Items[i])
			}
		}
		if (p.Next != "") != (limit < kept) {
			t.Errorf("limit %d: next %q", limit, p.Next)
		}
		if p.Next != "" {
			if rest := list(fmt.Sprintf("&limit=%d&cursor=%s", limit, p.Next)); len(rest.Items) != 0 || rest.Next != "" {
				t.Errorf("limit %d: the next page has %d items, though nothing is stored", limit, len(rest.Items))
			}
		}
	}
}
