package publish

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// EmbeddedOptions describe the nats-server in this process.
type EmbeddedOptions struct {
	Dir    string // of the streams
	Listen string // address for others to connect to, "" for none
	Log    *slog.Logger
}

// startTimeout is how long the embedded server may take to read its streams.
const startTimeout = 60 * time.Second

// ErrServer is wrapped by the errors of the embedded server.
var ErrServer = errors.New("embedded nats-server")

// StartEmbedded starts a nats-server in this process. It syncs every write before it acknowledges it: by default JetStream syncs every two
// minutes, and a power failure takes along what came since, or the whole stream. Stop it with Shutdown and WaitForShutdown.
func StartEmbedded(o EmbeddedOptions) (*server.Server, error) {
	opts := &server.Options{
		ServerName: "godwit", JetStream: true, StoreDir: o.Dir, SyncAlways: true, SyncInterval: 2 * time.Minute,
		DontListen: o.Listen == "", NoSigs: true, NoLog: o.Log == nil, MaxPayload: 1 << 20, JetStreamMaxMemory: 64 << 20,
		JetStreamMaxStore: 1 << 50, // the disk is watched by the gateway
	}
	if o.Listen != "" {
		host, port, err := net.SplitHostPort(o.Listen)
		if err != nil {
			return nil, fmt.Errorf("%w: listen on %q: %w", ErrServer, o.Listen, err)
		}
		n, err := strconv.Atoi(port)
		if err != nil {
			return nil, fmt.Errorf("%w: listen on %q: %w", ErrServer, o.Listen, err)
		}
		if n == 0 {
			n = server.RANDOM_PORT
		}
		opts.Host, opts.Port = host, n
	}
	s, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrServer, err)
	}
	if o.Log != nil {
		s.SetLoggerV2(serverLogger{o.Log}, false, false, false)
	}
	s.Start()
	if !s.ReadyForConnections(startTimeout) {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, fmt.Errorf("%w: not ready after %s", ErrServer, startTimeout)
	}
	return s, nil
}

// An Embedded is the nats-server in this process, which can be started anew under the connections to it. Safe for concurrent use.
type Embedded struct {
	options EmbeddedOptions

	mu     sync.Mutex
	server *server.Server // nil: the last start failed, or it was stopped; guarded by mu
}

// NewEmbedded starts the server.
func NewEmbedded(o EmbeddedOptions) (*Embedded, error) {
	e := &Embedded{options: o}
	if err := e.Restart(); err != nil {
		return nil, err
	}
	return e, nil
}

// Restart stops the server and starts it on the same files. Connections find the new one by themselves. After a write error, as of a full disk,
// JetStream takes no more writes into a stream until its server was started anew, whatever becomes of the disk.
func (e *Embedded) Restart() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stopLocked()
	s, err := StartEmbedded(e.options)
	if err != nil {
		return err
	}
	e.server = s
	return nil
}

// Stop ends the server.
func (e *Embedded) Stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stopLocked()
}

func (e *Embedded) stopLocked() {
	if e.server == nil {
		return
	}
	e.server.Shutdown()
	e.server.WaitForShutdown()
	e.server = nil
}

// InProcessConn implements nats.InProcessConnProvider.
func (e *Embedded) InProcessConn() (net.Conn, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.server == nil {
		return nil, fmt.Errorf("%w: it is not running", ErrServer)
	}
	return e.server.InProcessConn()
}

// ConnectEmbedded connects to the server in this process without a socket.
func ConnectEmbedded(s nats.InProcessConnProvider, name string) (*nats.Conn, error) {
	nc, err := nats.Connect("", append(connectOptions(name), nats.InProcessServer(s))...)
	if err != nil {
		return nil, fmt.Errorf("connect to the embedded nats-server: %w", err)
	}
	return nc, nil
}

// ConnectExternal connects to a server elsewhere, whose address may hold a user and a password; credentials is a file as nsc makes them, ""
// for none. It returns also while the server is away, and goes on trying. One that is too old is refused with ErrServerOld, here or, if it
// was away, by the stream's Info.
func ConnectExternal(address, credentials, name string) (*nats.Conn, error) {
	opts := append(connectOptions(name), nats.RetryOnFailedConnect(true), nats.IgnoreAuthErrorAbort(), nats.PingInterval(20*time.Second), nats.MaxPingsOutstanding(2))
	if credentials != "" {
		opts = append(opts, nats.UserCredentials(credentials))
	}
	nc, err := nats.Connect(address, opts...)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", redacted(address), err)
	}
	if nc.IsConnected() {
		if err := checkServer(nc); err != nil {
			nc.Close()
			return nil, err
		}
	}
	return nc, nil
}

// redacted is a list of addresses without the passwords.
func redacted(addresses string) string {
	list := strings.Split(addresses, ",")
	for i, a := range list {
		if u, err := url.Parse(strings.TrimSpace(a)); err == nil {
			list[i] = u.Redacted()
		} else {
			list[i] = "(an address that cannot be read)"
		}
	}
	return strings.Join(list, ",")
}

func connectOptions(name string) []nats.Option {
	return []nats.Option{
		nats.Name(name), nats.MaxReconnects(-1), nats.ReconnectWait(time.Second), nats.ReconnectBufSize(-1),
		nats.Timeout(5 * time.Second), nats.CustomInboxPrefix("_INBOX_" + name),
	}
}

// serverLogger brings the server's log into ours.
type serverLogger struct{ log *slog.Logger }

func (l serverLogger) line(level func(string, ...any), format string, args []any) {
	level("nats-server", slog.String("text", fmt.Sprintf(format, args...)))
}

// Noticef implements server.Logger.
func (l serverLogger) Noticef(format string, v ...any) { l.line(l.log.Debug, format, v) }

// Warnf implements server.Logger.
func (l serverLogger) Warnf(format string, v ...any) { l.line(l.log.Warn, format, v) }

// Fatalf implements server.Logger. The server does not end the process by itself.
func (l serverLogger) Fatalf(format string, v ...any) { l.line(l.log.Error, format, v) }

// Errorf implements server.Logger.
func (l serverLogger) Errorf(format string, v ...any) { l.line(l.log.Error, format, v) }

// Debugf implements server.Logger.
func (l serverLogger) Debugf(string, ...any) {}

// Tracef implements server.Logger.
func (l serverLogger) Tracef(string, ...any) {}
