package demo_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/simulator/demo"
	"github.com/godwit-gateway/godwit/simulator/radio"
	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/sbdmodem"
	"github.com/godwit-gateway/godwit/transports/transporttest"
	"github.com/godwit-gateway/godwit/transports/tty"
)

// The transceiver hears each ring alert, also while the devices see no satellite: nothing but the next message would tell of one that it missed, and a demo that
// ends has none.
func TestTransceiverStandsInTheOpen(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	path := filepath.Join(t.TempDir(), "sbd0")
	passes := radio.Satellite().Passes
	hidden := (passes.Length + passes.Period) / 2 // after which no satellite is in sight
	ended, err := demo.RunTransceiver(ctx, path, time.Now().Add(-hidden))
	if err != nil {
		cancel()
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	port, err := tty.Open(path, sbdmodem.BaudDefault)
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	if _, err := port.Write([]byte("AT+CSQF\r")); err != nil {
		t.Fatal(err)
	}
	deadline, _ := ctx.Deadline()
	if err := port.SetReadDeadline(deadline); err != nil {
		t.Fatal(err)
	}
	answer, buf := "", make([]byte, 64)
	for !strings.HasSuffix(answer, "OK\r\n") {
		n, err := port.Read(buf)
		if err != nil {
			t.Fatalf("%q: %v", answer, err)
		}
		answer += string(buf[:n])
	}
	if !strings.Contains(answer, "+CSQF:5") {
		t.Errorf("the signal is %q", answer)
	}
}

// What devices say comes through a simulated transceiver to the gateway's driver, and what that sends goes to them. The link names nobody: each frame carries the
// connection id, also after the device has been heard.
func TestServeTransceiver(t *testing.T) {
	template, err := demo.ProductTemplate("buoy-demo")
	if err != nil {
		t.Fatal(err)
	}
	const devices = 2
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	path := filepath.Join(t.TempDir(), "sbd0")
	served, ran := make(chan error, 1), make(chan error, 1)
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-served, <-ran); err != nil {
			t.Error(err)
		}
	})
	up := make(chan struct{}, 1)
	go func() {
		served <- demo.Serve(ctx, demo.ServeOptions{
			SBDModem: path, Devices: devices, First: 100, FleetKey: fleetKey, Product: "buoy-demo", Template: template, CTRBits: 16, Interval: 50 * time.Millisecond,
			State: t.TempDir(), Seed: 1, Speed: 1, Perfect: true, Progress: func(string) {
				select {
				case up <- struct{}{}:
				default:
				}
			},
		})
	}()
	select {
	case <-up: // the line is there
	case <-ctx.Done():
		t.Fatal("nothing is served")
	}
	tr, err := sbdmodem.New("sbd0", sbdmodem.Config{Device: path}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	const each = 12 // more than a device says with its connection id where the link has a name for it
	seen, talkative, enough := map[uint32]int{}, 0, make(chan struct{})
	sink := &transporttest.Sink{Judge: func(_ context.Context, u transports.Uplink) (transports.Settlement, error) {
		item, _, err := codec.NextItem(u.Payload)
		if err != nil || item.Form != codec.FormAddressed || u.From.ID != "" {
			t.Errorf("uplink %+v: %v, want one with a connection id, from nobody", u, err)
		}
		seen[item.CID]++ // the driver hands over one at a time
		if seen[item.CID] == each {
			if talkative++; talkative == devices {
				close(enough)
			}
		}
		return transports.Stored, nil
	}}
	go func() { ran <- tr.Run(ctx, sink) }()
	select {
	case <-enough:
	case <-ctx.Done():
		t.Fatalf("frames by device: %d uplinks", len(sink.Received()))
	}
	d := transports.Downlink{To: transports.Address{Bearer: transports.SBD, ID: "300234010700001"}, Payload: []byte("for neither of them")}
	if _, err := tr.Send(ctx, d); err != nil {
		t.Error(err)
	}
}
