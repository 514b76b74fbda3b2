package publish_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/godwit-gateway/godwit/gateway/publish"
)

// startExternal starts a server as somebody else might have, on a loopback socket.
func startExternal(t testing.TB, o *server.Options) *server.Server {
	t.Helper()
	o.Host, o.NoSigs, o.NoLog, o.JetStream, o.SyncAlways = "127.0.0.1", true, true, true, true
	if o.Port == 0 {
		o.Port = server.RANDOM_PORT
	}
	if o.StoreDir == "" {
		o.StoreDir = t.TempDir()
	}
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { stopServer(s) })
	if !s.ReadyForConnections(patience) {
		t.Fatal("the server does not start")
	}
	return s
}

// usable publishes one message over a connection.
func usable(t *testing.T, nc *nats.Conn) {
	t.Helper()
	s := newJetStream(t, nc)
	events := chained{publisher: "aa"}
	if err := errors.Join(s.Create(t.Context(), 1), s.Publish(t.Context(), events.next(2), 0)); err != nil {
		t.Fatal(err)
	}
	if m, err := s.Get(t.Context(), 2); err != nil || m.Oseq != 2 {
		t.Fatalf("message 2 is %+v, %v", m, err)
	}
}

func TestExternalPassword(t *testing.T) {
	s := startExternal(t, &server.Options{Username: "gw1", Password: "swordfish"})
	nc, err := publish.ConnectExternal("nats://gw1:swordfish@"+s.Addr().String(), "", "gw1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	usable(t, nc)
}

func TestExternalWrongPassword(t *testing.T) {
	s := startExternal(t, &server.Options{Username: "gw1", Password: "swordfish"})
	nc, err := publish.ConnectExternal("nats://gw1:haddock@"+s.Addr().String(), "", "gw1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js := newJetStream(t, nc)
	await(t, "an error that names the authorization", func() bool { // before the first attempt has ended there is no reason yet
		_, err := js.Info(t.Context())
		if err == nil {
			t.Fatal("a wrong password is good enough")
		}
		return strings.Contains(strings.ToLower(err.Error()), "authorization")
	})
}

// TestExternalAddress: an error does not show the password.
func TestExternalAddress(t *testing.T) {
	_, err := publish.ConnectExternal("nats://gw1:swordfish@127.0.0.1:4222", filepath.Join(t.TempDir(), "none.creds"), "gw1")
	if err == nil || strings.Contains(err.Error(), "swordfish") {
		t.Fatalf("ConnectExternal = %v, want an error without the password", err)
	}
}

// must returns a value that there is no reason not to get.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// credentials makes an operator, an account with JetStream and a user, and returns the options of a server that knows them and the file of
// the user's credentials.
func credentials(t *testing.T) (*server.Options, string) {
	t.Helper()
	operator, account, user := must(nkeys.CreateOperator()), must(nkeys.CreateAccount()), must(nkeys.CreateUser())
	oc := jwt.NewOperatorClaims(must(operator.PublicKey()))
	system := must(nkeys.CreateAccount())
	oc.SystemAccount = must(system.PublicKey())
	ac := jwt.NewAccountClaims(must(account.PublicKey()))
	ac.Limits.JetStreamLimits = jwt.JetStreamLimits{DiskStorage: jwt.NoLimit, MemoryStorage: jwt.NoLimit, Streams: jwt.NoLimit, Consumer: jwt.NoLimit}
	sc := jwt.NewAccountClaims(must(system.PublicKey()))
	uc := jwt.NewUserClaims(must(user.PublicKey()))
	resolver := &server.MemAccResolver{}
	for _, c := range []*jwt.AccountClaims{ac, sc} {
		if err := resolver.Store(c.Subject, must(c.Encode(operator))); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "gw1.creds")
	text := must(jwt.FormatUserConfig(must(uc.Encode(account)), must(user.Seed())))
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return &server.Options{
		TrustedOperators: []*jwt.OperatorClaims{must(jwt.DecodeOperatorClaims(must(oc.Encode(operator))))},
		AccountResolver:  resolver, SystemAccount: oc.SystemAccount,
	}, file
}

func TestExternalCredentials(t *testing.T) {
	options, file := credentials(t)
	s := startExternal(t, options)
	nc, err := publish.ConnectExternal("nats://"+s.Addr().String(), file, "gw1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	usable(t, nc)
}

// oldServer says that it is a nats-server of some version, and answers what a client says to greet it.
func oldServer(t *testing.T, version string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				fmt.Fprintf(c, "INFO {\"server_id\":\"OLD\",\"version\":%q,\"max_payload\":1048576,\"headers\":true,\"jetstream\":true}\r\n", version)
				for r := bufio.NewScanner(c); r.Scan(); {
					if strings.HasPrefix(r.Text(), "PING") {
						fmt.Fprint(c, "PONG\r\n")
					}
				}
			}()
		}
	}()
	return "nats://" + l.Addr().String()
}

func TestExternalVersion(t *testing.T) {
	for version, ok := range map[string]bool{
		"2.9.25": false, "2.12.1": false, "2.14.8": false, "2.14.9-RC.1": true, "2.14.9": true, "2.15.2": true, "3.0.0": true, "2.14.10": true, "dev": false,
	} {
		nc, err := publish.ConnectExternal(oldServer(t, version), "", "gw1")
		if ok && err != nil || !ok && !errors.Is(err, publish.ErrServerOld) {
			t.Errorf("ConnectExternal to %s = %v", version, err)
		}
		if err == nil {
			nc.Close()
		}
	}
}

// TestExternalAway: the server, its events, and those who follow them come back after an hour or two of nothing.
func TestExternalAway(t *testing.T) {
	g := newGateway(t)
	dir := t.TempDir()
	s := startExternal(t, &server.Options{StoreDir: dir})
	port := s.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // it listens on TCP
	nc, err := publish.ConnectExternal("nats://"+s.Addr().String(), "", "gw1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	g.nc.Close()
	g.nc, g.stream = nc, newJetStream(t, nc)
	g.startPublisher()

	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- g.p.Run(ctx) }()
	tail := follow(t, g.stream, publish.TailOptions{From: 1})
	g.add(30)
	tail.expect(numbers(1, 30)...)

	stopServer(s)
	g.add(1000)
	await(t, "not ready", func() bool { return g.p.Ready() != nil })
	startExternal(t, &server.Options{StoreDir: dir, Port: port})
	tail.expect(numbers(31, 1030)...)
	await(t, "ready", func() bool { return g.p.Ready() == nil && g.p.Stats().Pending == 0 })
	g.add(5)
	tail.expect(numbers(1031, 1035)...)
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	g.expect(1, numbers(1, 1035))
}

// await looks again and again until something is so.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	within(t, patience, what, so)
}

// within is await with a patience of its own.
func within(t *testing.T, patience time.Duration, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(patience)
	for !so() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("not in time: %s", what)
		}
	}
}
