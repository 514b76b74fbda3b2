package smsmodem_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/atmodem"
	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/smsmodem"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

// site is a simulated modem on a pseudo-terminal, and what its network saw.
type site struct {
	modem *atmodem.Modem
	tr    *smsmodem.Transport
	sink  *transporttest.Sink
	ctx   context.Context

	mu      transporttest.Monitor
	settled map[uint64]atmodem.Outcome // by id; guarded by mu
	submits map[string]int             // by payload; guarded by mu
}

func (s *site) await(t *testing.T, what string, done func() bool) {
	t.Helper()
	if !s.mu.Await(s.ctx, done) {
		t.Fatalf("did not happen: %s\nmodem: %+v\ndriver: %+v", what, s.modem.Stats(), s.tr.Stats())
	}
}

// newSite starts a modem and a driver that is run again whenever it loses its line.
func newSite(t *testing.T, o atmodem.Options, change ...func(*smsmodem.Config)) *site {
	t.Helper()
	return startSite(t, o, (*smsmodem.Transport).Hasten, change...)
}

// newPatientSite is the same with a driver that takes no slow answer of a busy machine for silence.
func newPatientSite(t *testing.T, o atmodem.Options) *site {
	t.Helper()
	return startSite(t, o, (*smsmodem.Transport).HastenPauses)
}

func startSite(t *testing.T, o atmodem.Options, hasten func(*smsmodem.Transport), change ...func(*smsmodem.Config)) *site {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	s := &site{
		sink: &transporttest.Sink{}, ctx: ctx, settled: map[uint64]atmodem.Outcome{},
		submits: map[string]int{},
	}
	o.Path = filepath.Join(t.TempDir(), "modem")
	o.OnSettled = func(m atmodem.Message, outcome atmodem.Outcome) { s.mu.Change(func() { s.settled[m.ID] = outcome }) }
	o.OnSubmit = func(m atmodem.Submit) { s.mu.Change(func() { s.submits[string(m.Payload)]++ }) }
	var err error
	if s.modem, err = atmodem.New(o); err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	cfg := smsmodem.Config{Name: "modem0", Device: o.Path, Sweep: time.Second}
	for _, c := range change {
		c(&cfg)
	}
	if s.tr, err = smsmodem.New(cfg); err != nil {
		t.Fatal(err)
	}
	hasten(s.tr)
	s.tr.CheckEvery(100 * time.Millisecond)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.modem.Run(ctx); err != nil {
			t.Errorf("modem: %v", err)
		}
	})
	wg.Go(func() {
		for ctx.Err() == nil {
			if err := s.tr.Run(ctx, s.sink); err != nil {
				pause(ctx, 20*time.Millisecond)
			}
		}
	})
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	return s
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func TestSimulatedModem(t *testing.T) {
	s := newSite(t, atmodem.Options{Seed: 1, Profile: atmodem.Profile{PIN: "1234", Boot: 50 * time.Millisecond, ReportStore: true}}, withPIN)
	long := make([]byte, 200)
	if err := s.modem.Deliver(s.ctx, atmodem.Message{ID: 1, From: sender, Payload: []byte("up")}); err != nil {
		t.Fatal(err)
	}
	if err := s.modem.Deliver(s.ctx, atmodem.Message{ID: 2, From: sender, Payload: long}); err != nil {
		t.Fatal(err)
	}
	s.await(t, "both messages are deleted", func() bool { return len(s.settled) == 2 })
	us := s.sink.Received()
	if len(us) != 3 || string(us[0].Payload) != "up" || us[0].From.ID != sender || us[1].Part.Total != 2 || us[2].Part.Ref != us[1].Part.Ref {
		t.Errorf("uplinks %+v", us)
	}
	receipt, err := s.tr.Send(s.ctx, transports.Downlink{To: address(sender), Payload: long, WantReport: true, Expires: time.Now().Add(time.Hour)})
	if err != nil || receipt.Parts != 2 {
		t.Fatalf("receipt %+v (%v)", receipt, err)
	}
	s.await(t, "the network has the downlink", func() bool { return s.submits[string(long)] == 1 })
	if r, ok := s.sink.AwaitReport(s.ctx, receipt.Ref, 2); !ok || r.State != transports.ReportDelivered {
		t.Errorf("report %+v (%t), want delivered", r, ok)
	}
}

// With everything going wrong that can: what the network was told is received has been settled, all comes in, and what Send says is true.
func TestSimulatedModemWithFaults(t *testing.T) {
	const messages, downlinks = 40, 10
	for seed := range uint64(2) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			s := newSite(t, atmodem.Options{
				Seed: seed, SMSlots: 8, MESlots: 8, Retry: 50 * time.Millisecond, Profile: atmodem.Profile{FlapCounts: true, Boot: 20 * time.Millisecond},
				Faults: atmodem.Faults{
					URCInReply: 0.3, URCLost: 0.2, Garbage: 0.05, Busy: 0.03, Mute: 0.01, Late: 0.01, Unplug: 0.01, Reboot: 0.01, SendFail: 0.1,
					PartTwice: 0.1, PartSwap: 0.1, LateBy: 400 * time.Millisecond, Away: 50 * time.Millisecond,
				},
			})
			for i := range uint64(messages) {
				if err := s.modem.Deliver(s.ctx, atmodem.Message{ID: i, From: sender, Payload: fmt.Appendf(nil, "up %d", i)}); err != nil {
					t.Fatal(err)
				}
			}
			results := map[string]error{}
			for i := range downlinks {
				payload := fmt.Sprintf("down %d", i)
				results[payload] = s.send(t, payload)
			}
			s.await(t, "all messages are deleted", func() bool { return len(s.settled) == messages })
			for i := range messages {
				if _, ok := s.sink.Await(s.ctx, fmt.Appendf(nil, "up %d", i), 1); !ok {
					t.Errorf("message %d was deleted and never handed over", i)
				}
			}
			for payload, err := range results {
				s.check(t, payload, err)
			}
			t.Logf("driver: %+v", s.tr.Stats())
		})
	}
}

// send tries until the network has a downlink, or may have it.
func (s *site) send(t *testing.T, payload string) error {
	t.Helper()
	for {
		_, err := s.tr.Send(s.ctx, transports.Downlink{To: address(sender), Payload: []byte(payload)})
		var failed *transports.SendError
		if err == nil || s.ctx.Err() != nil || !errors.As(err, &failed) || failed.Outcome != transports.NotSent {
			return err
		}
		s.check(t, payload, err)
		pause(s.ctx, 20*time.Millisecond)
	}
}

// check compares what Send said of a downlink with what the network has of it.
func (s *site) check(t *testing.T, payload string, err error) {
	t.Helper()
	if err == nil { // the modem may answer before its network has it
		s.await(t, payload+" reaches the network", func() bool { return s.submits[payload] > 0 })
	}
	s.mu.Lock()
	n := s.submits[payload]
	s.mu.Unlock()
	var failed *transports.SendError
	switch {
	case err == nil && n != 1:
		t.Errorf("%s was accepted, and the network has it %d times", payload, n)
	case err != nil && !errors.As(err, &failed):
		t.Errorf("%s: %v is no *SendError", payload, err)
	case err != nil && failed.Outcome != transports.MaybeSent && n != 0:
		t.Errorf("%s: %v, and the network has it", payload, err)
	case n > 1:
		t.Errorf("%s was sent %d times", payload, n)
	}
}

// The modem is unplugged, comes back under the same name, and has kept what the SIM had.
func TestSimulatedUnplug(t *testing.T) {
	s := newSite(t, atmodem.Options{Seed: 1, Profile: atmodem.Profile{Boot: 20 * time.Millisecond}})
	for i := range uint64(3) {
		s.modem.Unplug()
		if err := s.modem.Deliver(s.ctx, atmodem.Message{ID: i, From: sender, Payload: fmt.Appendf(nil, "up %d", i)}); err != nil {
			t.Fatal(err)
		}
		if err := s.modem.Plug(); err != nil {
			t.Fatal(err)
		}
		s.await(t, "the message is deleted", func() bool { return len(s.settled) == int(i)+1 })
	}
}
