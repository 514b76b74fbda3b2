package satbench

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/godwit-gateway/godwit/gateway/config"
	"github.com/godwit-gateway/godwit/gateway/node"
)

// Names of the links.
const (
	linkName    = "sat0"
	webhookLink = "rock0"
)

// fleetSecret is the fleet key of the devices.
var fleetSecret = [32]byte{42}

// configText is the configuration of the gateway, with its folder and the number of connections left open.
const configText = `
[gateway]
id = "bench"
state_dir = %q
[api]
listen = "127.0.0.1:0"
[[fleet_key]]
id = "bench"
file = %q
numbers = "1-1000"
product = "buoy-demo"
customer = "acme"
register = "auto"
[link.sat0]
kind = "directip"
listen = "127.0.0.1:0"
allow = ["127.0.0.1"]
confirm = true
ack = "never"
connections = %d
per_source = %[3]d
`

// webhookText is what is added to take webhooks.
const webhookText = `
[link.rock0]
kind = "rockblock"
listen = "127.0.0.1:0"
key_file = %q
ack = "never"
`

// gateway is a whole one, which runs.
type gateway struct {
	node    *node.Node
	address string // of the link
	cancel  context.CancelFunc
	done    chan error
}

// startGateway starts one. With the public key of a web service it takes that one's webhooks too.
func startGateway(ctx context.Context, o Options, public string) (*gateway, error) {
	key := filepath.Join(o.Dir, "fleet.key")
	if err := os.WriteFile(key, []byte(hex.EncodeToString(fleetSecret[:])+"\n"), 0o600); err != nil {
		return nil, fmt.Errorf("fleet key: %w", err)
	}
	// A connection may be about to end when its successor is there.
	text := fmt.Sprintf(configText, filepath.Join(o.Dir, "state"), key, 2*o.Senders)
	if public != "" {
		path := filepath.Join(o.Dir, "key.pem")
		if err := os.WriteFile(path, []byte(public), 0o600); err != nil {
			return nil, fmt.Errorf("public key: %w", err)
		}
		text += fmt.Sprintf(webhookText, path)
	}
	cfg, err := config.Load(config.Source{Text: text})
	if err != nil {
		return nil, err
	}
	n, err := node.New(ctx, cfg, o.Log)
	if err != nil {
		return nil, fmt.Errorf("start the gateway: %w", err)
	}
	g := &gateway{node: n, address: n.LinkAddress(linkName), done: make(chan error, 1)}
	ctx, g.cancel = context.WithCancel(context.WithoutCancel(ctx))
	started := make(chan struct{})
	go func() { g.done <- n.Run(ctx, func() { close(started) }) }()
	select {
	case <-started:
		return g, nil
	case err := <-g.done:
		g.cancel()
		return nil, fmt.Errorf("start the gateway: %w", err)
	}
}

// check holds the gateway to what it confirmed.
func (g *gateway) check(link string, want int) error {
	for _, l := range g.node.Hub().Links() {
		if l.Name == link && l.Stored != uint64(want) { //nolint:gosec // a count
			return fmt.Errorf("%w: %d messages were confirmed and %d stored", errNotTaken, want, l.Stored)
		}
	}
	return nil
}

func (g *gateway) stop() error {
	g.cancel()
	return <-g.done
}

// bare is a server that takes messages and keeps nothing.
type bare struct {
	socket net.Listener
	wg     sync.WaitGroup
}

func startBare() (*bare, error) {
	socket, err := net.Listen("tcp4", "127.0.0.1:0") //nolint:noctx // it returns at once
	if err != nil {
		return nil, fmt.Errorf("bare server: %w", err)
	}
	s := &bare{socket: socket}
	s.wg.Go(func() {
		for {
			conn, err := socket.Accept()
			if err != nil {
				return
			}
			s.wg.Go(func() { take(conn) })
		}
	})
	return s, nil
}

// take reads a message, confirms it and closes.
func take(conn net.Conn) {
	defer func() { _ = conn.Close() }() // nothing depends on it
	var head [3]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return
	}
	if _, err := io.CopyN(io.Discard, conn, int64(head[1])<<8|int64(head[2])); err != nil {
		return
	}
	_, _ = io.WriteString(conn, confirmation)
}

func (s *bare) address() string { return s.socket.Addr().String() }

func (s *bare) close() error {
	err := s.socket.Close()
	s.wg.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
