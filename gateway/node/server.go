package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/net/netutil"

	"github.com/godwit-gateway/godwit/gateway/api"
)

// server is the listener of the API.
type server struct {
	listener net.Listener
	http     http.Server
	log      *slog.Logger
}

// connectionsMax bounds the connections to the API. What is beyond waits to be accepted; those that say nothing are gone after headersTimeout.
const (
	connectionsMax = 256
	headersTimeout = 5 * time.Second
	headersMax     = 16 << 10 // bytes
)

// newServer takes the API's address and makes the administrator's token where there is none.
func (n *Node) newServer() (*server, error) {
	now := time.Now()
	tokens, err := api.OpenTokens(filepath.Join(n.cfg.Gateway.StateDir, "tokens.json"), n.cfg.API.TokenFile, now)
	if err != nil {
		return nil, err
	}
	listener, err := listen(n.cfg.API.Listen)
	if err != nil {
		return nil, fmt.Errorf("API: %w", err)
	}
	return serve(listener, api.New(api.Options{
		Gateway: n.cfg.Gateway.ID, Version: Version(), Hub: n.hub, Tokens: tokens, Ready: n.Ready, Alive: n.Alive, Lines: n.lines,
		Outbox: n.publisher.Stats, Tail: n.events.stream.Tail, Metrics: n.metrics(), Checkpoints: n.copies, Tariffs: n.cfg.Book, Signers: n.cfg.Signers, Log: n.log, Now: time.Now,
	}), n.log), nil
}

// serve bounds what callers may take up.
func serve(listener net.Listener, handler http.Handler, log *slog.Logger) *server {
	return &server{listener: netutil.LimitListener(listener, connectionsMax), log: log, http: http.Server{
		Handler: handler, ReadHeaderTimeout: headersTimeout, ReadTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: headersMax,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}}
}

// listen opens "unix:/path" for this user alone, or "host:port". The file of a socket that nobody listens on any more is replaced.
func listen(address string) (net.Listener, error) {
	path, unix := strings.CutPrefix(address, "unix:")
	if !unix {
		return net.Listen("tcp", address) //nolint:noctx // nothing to wait for
	}
	if info, err := os.Stat(path); err == nil && info.Mode()&fs.ModeSocket != 0 {
		if c, err := net.DialTimeout("unix", path, time.Second); err == nil { //nolint:noctx // a file of this machine answers at once
			_ = c.Close() // it was only asked whether somebody is there
			return nil, fmt.Errorf("listen on %s: another gateway listens there", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("listen on %s: %w", path, err)
		}
	}
	l, err := net.Listen("unix", path) //nolint:noctx // nothing to wait for
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func (s *server) address() string {
	if a := s.listener.Addr(); a.Network() == "unix" {
		return "unix:" + a.String()
	}
	return s.listener.Addr().String()
}

func (s *server) close() error {
	if err := s.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// run serves until ctx is done. Streams of events end with ctx; other requests are answered to their end.
func (s *server) run(ctx context.Context, started func()) error {
	requests, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	s.http.BaseContext = func(net.Listener) context.Context { return requests }
	ended := make(chan error, 1)
	go func() { ended <- s.http.Serve(s.listener) }()
	started()
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	cancel()
	stop, done := context.WithTimeout(context.WithoutCancel(ctx), graceAPI-time.Second)
	defer done()
	if err := s.http.Shutdown(stop); err != nil {
		s.log.Warn("API requests were cut off", slog.String("error", err.Error()))
		return errors.Join(s.http.Close(), served(<-ended))
	}
	return served(<-ended)
}

// served is what the end of serving was, nil if it was asked for.
func served(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve: %w", err)
}
