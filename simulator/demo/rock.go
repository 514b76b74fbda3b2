package demo

import (
	"context"
	crand "crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/godwit-gateway/godwit/simulator/peers/rockblock"
	"github.com/godwit-gateway/godwit/simulator/radio"
)

// Account of the simulated web service.
const (
	rockUser     = "fleet"
	rockPassword = "simulated"
)

// rockNetwork is satellites and Ground Control's web service, whose webhooks come to the gateway.
type rockNetwork struct {
	service *rockblock.Service
	mt      *net.TCPListener // where what goes to modems is taken
	sent    chan rockSent
	fleet   *keptFleet
}

type rockSent struct {
	id uint64
	m  rockblock.Message
}

// creditBytes is what a credit of the web service pays for, an empty session included.
const creditBytes = 50

func billCredits(payload int) uint64 {
	return creditBytes * uint64(max(1, (payload+creditBytes-1)/creditBytes))
}

// newRockFleet makes devices with RockBLOCK modems, and the web service. webhook is the gateway's URL, and mt where the service takes what goes to modems.
func newRockFleet(a air, webhook, mt string, key *rsa.PrivateKey, m radio.Model, seed uint64, members []string) (*keptFleet, error) {
	return newKeptFleet(a, billCredits, m, seed, func(f *keptFleet) (network, error) {
		n := &rockNetwork{fleet: f, sent: make(chan rockSent)}
		var err error
		n.service, err = rockblock.New(rockblock.Options{
			Webhook: webhook, Form: rockblock.JSON, Key: key, Second: gssSecond, Username: rockUser, Password: rockPassword, Modems: members,
			Forget: newLuck(seed, 7).loses, OnMT: n.ring,
		})
		if err != nil {
			return nil, err
		}
		n.mt, err = listenTCP(mt, "for messages to RockBLOCKs")
		return n, err
	})
}

// run brings messages to the gateway, each as often as it takes, and takes what goes to modems.
func (n *rockNetwork) run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	wg.Go(func() { ended <- serveUntil(ctx, n.mt, n.service) })
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-ended:
			return err
		case s := <-n.sent:
			wg.Go(func() {
				if _, err := n.service.Deliver(ctx, s.m); err == nil {
					n.fleet.settled(s.id, true)
				}
			})
		}
	}
}

func (n *rockNetwork) deliver(ctx context.Context, id uint64, p *kept) error {
	select {
	case n.sent <- rockSent{id, rockblock.Message{IMEI: p.from, MOMSN: id, At: p.at, Data: p.payload}}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (*rockNetwork) failed(*kept) {} // the web service hears of sessions that went well

// ring has a modem ask for what waits for it, which is a session to pay for.
func (n *rockNetwork) ring(imei string, data []byte, _ bool) (code int) {
	n.fleet.traffic.billed.Add(billCredits(0))
	n.fleet.submitted(imei, data)
	return 0
}

func (n *rockNetwork) close() error { return closeListener(n.mt) }

// rockKey is the key that the web service signs webhooks with, kept in the folder for the next time, and the file with its public half for the gateway.
func rockKey(dir string) (key *rsa.PrivateKey, public string, err error) {
	private, public := filepath.Join(dir, "rockblock.key"), filepath.Join(dir, "rockblock.pem")
	text, err := os.ReadFile(private)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if key, err = rsa.GenerateKey(crand.Reader, 2048); err != nil {
			return nil, "", fmt.Errorf("key of webhooks: %w", err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err == nil {
			err = os.WriteFile(private, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
		}
		if err != nil {
			return nil, "", fmt.Errorf("key of webhooks: %w", err)
		}
	case err != nil:
		return nil, "", fmt.Errorf("key of webhooks: %w", err)
	default:
		block, _ := pem.Decode(text)
		if block == nil {
			return nil, "", fmt.Errorf("%w: %s holds no key", ErrOptions, private)
		}
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		rsaKey, ok := parsed.(*rsa.PrivateKey)
		if err != nil || !ok {
			return nil, "", fmt.Errorf("%w: %s holds no RSA key", ErrOptions, private)
		}
		key = rsaKey
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err == nil {
		err = os.WriteFile(public, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600)
	}
	if err != nil {
		return nil, "", fmt.Errorf("key of webhooks: %w", err)
	}
	return key, public, nil
}
