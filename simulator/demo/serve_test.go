package demo_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/simulator/demo"
	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/cloudloop"
	"github.com/godwit-gateway/godwit/transports/idp"
	"github.com/godwit-gateway/godwit/transports/rockblock"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

var fleetKey = [32]byte{4, 2}

// peer is the least gateway: it opens frames from the socket and acknowledges them. It tells progress on a channel.
type peer struct {
	conn *net.UDPConn
	mu   sync.Mutex
	seen map[uint32]*session.Counters
	got  map[uint32]int
	tick chan struct{}
}

func listen(t *testing.T) *peer {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{conn: conn, seen: make(map[uint32]*session.Counters), got: make(map[uint32]int), tick: make(chan struct{}, 1)}
	var wg sync.WaitGroup
	wg.Go(func() { p.serve(t) })
	t.Cleanup(func() { _ = conn.Close(); wg.Wait() })
	return p
}

func (p *peer) serve(t *testing.T) {
	t.Helper()
	buf := make([]byte, 2048)
	for {
		n, from, err := p.conn.ReadFromUDP(buf)
		if err != nil {
			return
		}
		ack, err := p.take(buf[:n])
		if err != nil {
			t.Errorf("from %s: %v", from, err)
			return
		}
		_, _ = p.conn.WriteToUDP(ack, from)
		select {
		case p.tick <- struct{}{}:
		default:
		}
	}
}

func (p *peer) take(b []byte) ([]byte, error) {
	item, _, err := codec.NextItem(b)
	if err != nil {
		return nil, err
	}
	s, err := codec.ParseSealed(item.Content, 16, 8)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.seen[item.CID]
	if c == nil {
		c = new(session.Counters)
		p.seen[item.CID] = c
	}
	counter := codec.CompleteCounter(s.CTR, s.CTRBits, c.Highest, c.Seen)
	key := codec.FleetDeviceKey(fleetKey, item.CID)
	_, err = codec.NewCipher(codec.DeriveSealKey(&key, nil, codec.LabelUp8, item.CID, 0)).Open(nil, &s,
		codec.Position{Direction: codec.Up, Number: item.CID, Counter: counter})
	if err != nil {
		return nil, err
	}
	if class := c.Classify(counter); class == session.New || class == session.Missing {
		c.Accept(counter)
		p.got[item.CID]++
	}
	ackKey := codec.DeriveAckKey(&key, nil, item.CID, 0)
	return codec.AppendAck(nil, &ackKey, item.CID, 0, codec.Ack{Counter: c.Highest, Bitmap: uint32(c.Window)}), nil
}

// complete reports whether every device delivered at least n frames and none is missing among the first n counters.
func (p *peer) complete(devices, n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for number := range devices {
		c := p.seen[uint32(100+number)]
		if c == nil || p.got[uint32(100+number)] < n {
			return false
		}
		for counter := range uint64(n) {
			if c.Classify(counter) != session.Duplicate {
				return false
			}
		}
	}
	return true
}

// The radio loses, repeats and reorders; each device must get every frame across in the end, by repeating what was not acknowledged.
func TestDevicesGetEveryFrameAcross(t *testing.T) {
	tpl, err := codec.NewTemplate(codec.Timing{}, []codec.Field{{ID: 1, Name: "battery", Unit: "V", Scale: codec.Decimal{Coef: 1, Exp: -2}, Width: 12}})
	if err != nil {
		t.Fatal(err)
	}
	p := listen(t)
	const devices, frames = 8, 12
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		done <- demo.Serve(ctx, demo.ServeOptions{
			Gateway: p.conn.LocalAddr().String(), Devices: devices, First: 100, FleetKey: fleetKey, Product: "x", Template: tpl, CTRBits: 16,
			Interval: 100 * time.Millisecond, State: t.TempDir(), Seed: 5, Progress: func(string) {},
		})
	}()
	for !p.complete(devices, frames) {
		select {
		case <-p.tick:
		case err := <-done:
			t.Fatalf("the devices ended: %v", err)
		case <-ctx.Done():
			t.Fatalf("not everything came across: %v", p.got)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestServeOptions(t *testing.T) {
	for name, o := range map[string]demo.ServeOptions{
		"nothing":     {Interval: time.Second},
		"interval":    {Gateway: "127.0.0.1:1"},
		"many":        {Gateway: "127.0.0.1:1", Interval: time.Second, Devices: 100_000},
		"not address": {Gateway: "nowhere", Interval: time.Second, State: t.TempDir()},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		err := demo.Serve(ctx, o)
		cancel()
		if err == nil || name != "not address" && !errors.Is(err, demo.ErrOptions) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// freePort is one of the loopback interface that nobody has now.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Devices behind web services: their messages come to a link of each kind.
func TestServeWebServices(t *testing.T) {
	tpl, err := codec.NewTemplate(codec.Timing{}, []codec.Field{{ID: 1, Name: "battery", Unit: "V", Scale: codec.Decimal{Coef: 1, Exp: -2}, Width: 12}})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	key, err := demo.RockKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	hooks, mt, cloud, gateway, quiet := freePort(t), freePort(t), freePort(t), freePort(t), slog.New(slog.DiscardHandler)
	rock, err := rockblock.New("rock", rockblock.Config{Listen: hooks, Key: key, MT: "http://" + mt + "/", Username: "fleet", Password: "simulated"}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	loop, err := cloudloop.New("cloud", cloudloop.Config{API: "http://" + cloud, Token: "simulated", Mark: filepath.Join(dir, "mark")}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	orb, err := idp.New("orb", idp.Config{
		Dialect: idp.OGWS, URL: "http://" + gateway + "/ogws/", Account: "fleet", Password: "simulated", File: filepath.Join(dir, "orb.mark"), Poll: time.Second,
	}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	sinks := map[transports.Transport]*transporttest.Sink{rock: {}, loop: {}, orb: {}}
	for tr, sink := range sinks {
		wg.Go(func() {
			for ctx.Err() == nil { // the web service may not be there yet, or breaks off
				_ = tr.Run(ctx, sink)
			}
		})
	}
	wg.Go(func() {
		err := demo.Serve(ctx, demo.ServeOptions{
			Webhook: "http://" + hooks + "/", RockMT: mt, Cloud: cloud, IGWS: gateway, Devices: 2, First: 100, FleetKey: fleetKey, Product: "x", Template: tpl, CTRBits: 16,
			Interval: 100 * time.Millisecond, State: dir, Seed: 5, Perfect: true, Progress: func(string) {},
		})
		if err != nil {
			t.Error(err)
		}
	})
	for tr, sink := range sinks {
		seen := map[string]bool{}
		for n := 0; len(seen) < 2; n++ {
			got, ok := sink.AwaitCount(ctx, n+1)
			if !ok {
				t.Fatalf("%s: heard of %d modems", tr.Name(), len(seen))
			}
			seen[got[n].From.ID] = true
		}
	}
}
