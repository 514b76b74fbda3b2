package directip_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/gss"
	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/directip"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

// The simulated network, which knows DirectIP from nobody here, delivers all that modems sent, although confirmations are lost, sessions fail and the
// sink has troubles; and what is sent to modems they get.
func TestSimulatedNetwork(t *testing.T) {
	for name, confirm := range map[string]bool{"with confirmations": true, "without confirmations": false} {
		t.Run(name, func(t *testing.T) { simulate(t, confirm) })
	}
}

func simulate(t *testing.T, confirm bool) {
	t.Helper()
	const modems, each = 3, 30
	tr := newTransport(t, func(c *directip.Config) { c.Confirm = confirm })
	var calls atomic.Uint64
	sink := &transporttest.Sink{Judge: func(context.Context, transports.Uplink) (transports.Settlement, error) {
		if calls.Add(1)%7 == 0 {
			return transports.Unsettled, transporttest.ErrSink
		}
		return transports.Stored, nil
	}}
	var mu sync.Mutex
	rng := rand.New(rand.NewPCG(1, 2)) // guarded by mu
	chance := func(p float64) bool {
		mu.Lock()
		defer mu.Unlock()
		return rng.Float64() < p
	}
	g, err := gss.New(gss.Options{
		Destinations: []string{tr.Addr().String()}, Confirm: confirm, Second: 10 * time.Microsecond, Forget: func() bool { return chance(0.2) },
	})
	if err != nil {
		t.Fatal(err)
	}
	transporttest.Background(t, g.Run)
	transporttest.Start(t, tr, sink)
	var want []string
	for i := range each {
		for m := range modems {
			if err := g.Add(imei(m)); err != nil {
				t.Fatal(err)
			}
			payload := fmt.Sprintf("modem %d payload %d", m, i)
			for failed := true; failed; {
				s := gss.Session{IMEI: imei(m), Payload: []byte(payload)}
				if failed = chance(0.3); failed {
					s.Status = gss.StatusIncomplete
				}
				if _, err := g.Session(s); err != nil {
					t.Fatal(err)
				}
			}
			want = append(want, payload)
		}
	}
	transporttest.Until(t, "the network to be rid of its messages", func() bool { return g.Waiting() == 0 })
	var got []string
	for _, u := range sink.Received() {
		if u.Missing != 0 {
			t.Errorf("%d messages before %q are missing", u.Missing, u.Payload)
		}
		got = append(got, string(u.Payload))
	}
	slices.Sort(want)
	slices.Sort(got)
	if got = slices.Compact(got); !slices.Equal(got, want) {
		t.Errorf("%d payloads came, want %d", len(got), len(want))
	}
	if s := tr.Stats(); s.Stored != modems*each || s.Repeated == 0 || s.Failed == 0 || s.Unconfirmed == 0 || s.Missing != 0 {
		t.Errorf("%+v, want %d stored, some repeated, failed and unconfirmed", s, modems*each)
	}
}

// A message longer than any that is known, since it has elements that nobody knows, gives up its payload and holds up nothing that is behind it.
func TestLongMessageHoldsUpNothing(t *testing.T) {
	tr, sink := newTransport(t, nil), &transporttest.Sink{}
	settled := make(chan gss.Outcome, 2)
	g, err := gss.New(gss.Options{
		Destinations: []string{tr.Addr().String()}, Confirm: true, Modems: []string{imei(0)}, OnSettled: func(m gss.Message, o gss.Outcome) {
			if m.Tries != 1 {
				t.Errorf("message %d took %d tries", m.Tag, m.Tries)
			}
			settled <- o
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	transporttest.Start(t, tr, sink)
	transporttest.Background(t, g.Run)
	for tag, s := range []gss.Session{
		{Payload: bytes.Repeat([]byte("a"), 1960), Extra: make([]byte, 60_000)},
		{Payload: []byte("b")},
	} {
		s.IMEI, s.Tag = imei(0), uint64(tag)
		if _, err := g.Session(s); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if o := <-settled; o != gss.Delivered {
			t.Errorf("%s", o)
		}
	}
	got := sink.Received()
	if len(got) != 2 || len(got[0].Payload) != 1960 || string(got[1].Payload) != "b" {
		t.Errorf("%d uplinks", len(got))
	}
}

// With flush a message takes the place of those that wait for its modem, and of no other's; and it is handed over in the session that the modem has next.
func TestFlushTakesThePlaceOfOthers(t *testing.T) {
	g, err := gss.New(gss.Options{Modems: []string{imei(0), imei(1)}})
	if err != nil {
		t.Fatal(err)
	}
	transporttest.Background(t, g.Run)
	tr := newTransport(t, func(c *directip.Config) { c.MT, c.Flush = []string{g.Addr()}, true })
	transporttest.Start(t, tr, &transporttest.Sink{})
	transporttest.Until(t, "the transport to be up", tr.Up)
	for _, d := range []struct {
		modem int
		text  string
	}{{0, "old"}, {1, "other"}, {0, "new"}} {
		if _, err := tr.Send(t.Context(), transports.Downlink{To: transports.Address{Bearer: transports.SBD, ID: imei(d.modem)}, Payload: []byte(d.text)}); err != nil {
			t.Fatal(err)
		}
	}
	for modem, want := range []string{"new", "other"} {
		if r, err := g.Session(gss.Session{IMEI: imei(modem), Payload: []byte("up")}); err != nil || string(r.MT) != want || r.Queued != 0 {
			t.Errorf("modem %d: %+v, %v, want %q alone", modem, r, err, want)
		}
	}
}

func TestSimulatedNetworkTakesMessages(t *testing.T) {
	g, err := gss.New(gss.Options{Modems: []string{imei(0)}, MTQueue: 2})
	if err != nil {
		t.Fatal(err)
	}
	transporttest.Background(t, g.Run)
	tr := newTransport(t, func(c *directip.Config) { c.MT, c.Priority = []string{g.Addr()}, 2 })
	transporttest.Start(t, tr, &transporttest.Sink{})
	transporttest.Until(t, "the transport to be up", tr.Up)
	d := transports.Downlink{To: transports.Address{Bearer: transports.SBD, ID: imei(0)}, Payload: []byte("down")}
	for range 2 {
		if _, err := tr.Send(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	for code, change := range map[int]func(*transports.Downlink){-5: func(*transports.Downlink) {}, -2: func(d *transports.Downlink) { d.To.ID = imei(9) }} {
		d := d
		change(&d)
		_, err := tr.Send(t.Context(), d)
		if failed, ok := err.(*transports.SendError); !ok || failed.Code != code { //nolint:errorlint // the contract says so
			t.Errorf("%v, want code %d", err, code)
		}
	}
	if r, err := g.Session(gss.Session{IMEI: imei(0)}); err != nil || string(r.MT) != "down" || r.Queued != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if s := tr.Stats(); s.Sent != 2 || s.SentBytes != 8 || s.SendErrors != 2 {
		t.Errorf("%+v", s)
	}
}
