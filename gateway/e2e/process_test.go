//go:build e2e

package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// programDir is where the programs are built.
var programDir = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "godwit-e2e-") })

// programs are built once for all tests, each when it is first asked for, by name.
var programs = map[string]func() (string, error){
	"godwit":     sync.OnceValues(func() (string, error) { return build("godwit", "gateway") }),
	"godwit-sim": sync.OnceValues(func() (string, error) { return build("godwit-sim", "simulator") }),
	"failing":    sync.OnceValues(func() (string, error) { return build("failing", "gateway", "-tags", "failpoints") }), // godwit with failpoints
}

func build(name, folder string, flags ...string) (string, error) {
	dir, err := programDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, name)
	args := append([]string{"build", "-o", path}, flags...)
	if raceEnabled {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, "github.com/godwit-gateway/godwit/"+folder)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", name, err, out)
	}
	return path, nil
}

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := programDir(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

func program(t *testing.T, name string) string {
	t.Helper()
	path, err := programs[name]()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// process is a running program of ours.
type process struct {
	cmd  *exec.Cmd
	out  *lockedBuffer
	done chan error
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func start(t *testing.T, name string, args ...string) *process {
	t.Helper()
	return startWith(t, nil, name, args...)
}

// startWith starts a program with further variables of the environment.
func startWith(t *testing.T, environ []string, name string, args ...string) *process {
	t.Helper()
	return startPath(t, environ, program(t, name), args...)
}

func startPath(t *testing.T, environ []string, path string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(path, args...), out: &lockedBuffer{}, done: make(chan error, 1)}
	p.cmd.Env = append(os.Environ(), environ...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.done <- p.cmd.Wait() }()
	t.Cleanup(func() { p.kill(t) })
	return p
}

// kill ends the process at once, as a power failure of the process would, and waits for it to be gone.
func (p *process) kill(t *testing.T) {
	t.Helper()
	_ = p.cmd.Process.Kill()
	p.wait(t)
}

// dump ends the process with a picture of its goroutines in its output.
func (p *process) dump(t *testing.T) {
	t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGQUIT)
	_ = p.wait(t)
}

// stop ends the process as an operator does and returns how it ended.
func (p *process) stop(t *testing.T) error {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return nil //nolint:nilerr // it has ended
	}
	return p.wait(t)
}

// stopped ends the process as an operator does; it must end well.
func (p *process) stopped(t *testing.T) {
	t.Helper()
	if err := p.stop(t); err != nil {
		t.Fatalf("stop: %v\n%s", err, p.out)
	}
}

// failed waits until the process has ended by itself with exit code 1, and says what it said.
func (p *process) failed(t *testing.T) string {
	t.Helper()
	var ended *exec.ExitError
	if err := p.wait(t); !errors.As(err, &ended) || ended.ExitCode() != 1 {
		t.Fatalf("%v, want exit code 1\n%s", err, p.out)
	}
	return p.out.String()
}

// ended reports whether the process has ended.
func (p *process) ended() bool {
	select {
	case err := <-p.done:
		p.done <- err
		return true
	default:
		return false
	}
}

func (p *process) wait(t *testing.T) error {
	t.Helper()
	select {
	case err := <-p.done:
		p.done <- err
		return err
	case <-time.After(60 * time.Second):
		t.Fatalf("%s did not end:\n%s", p.cmd.Path, p.out)
		return nil
	}
}

// command runs a command of godwit to its end.
func command(t *testing.T, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, program(t, "godwit"), args...).CombinedOutput()
	return string(out), err
}

// ports are given out one after the other, from below those that systems give to sockets without a port of their own. Else a gateway that was killed could
// find its port taken at its next start, by a device's socket, a connection, or the gateway of another test.
var ports atomic.Uint32

const (
	portsFrom = 10000
	portsMost = 20000
)

// freePort finds a port of the loopback interface that nobody uses now, and that no other test of this process gets.
func freePort(t *testing.T, network string) int {
	t.Helper()
	for range 100 {
		port := portsFrom + (os.Getpid()*97+int(ports.Add(1)))%portsMost
		if portFree(network, fmt.Sprintf("127.0.0.1:%d", port)) {
			return port
		}
	}
	t.Fatalf("no %s port is free", network)
	return 0
}

func portFree(network, address string) bool {
	if network == "udp" {
		c, err := net.ListenPacket("udp4", address)
		return err == nil && c.Close() == nil
	}
	l, err := net.Listen("tcp4", address)
	return err == nil && l.Close() == nil
}

// site is the state folder, configuration and addresses of a gateway under test.
type site struct {
	dir, config string
	stateDir    string // state_dir
	udp, nats   string
	modem       string // path of the modem's line
}

const fleetKeyHex = "5f0e1d2c3b4a59687786958493a2b1c0d0e0f00112233445566778899aabbccd"

func newSite(t *testing.T) *site {
	t.Helper()
	dir := t.TempDir()
	s := &site{
		dir: dir, config: filepath.Join(dir, "godwit.toml"), stateDir: filepath.Join(dir, "state"),
		udp: fmt.Sprintf("127.0.0.1:%d", freePort(t, "udp")), nats: fmt.Sprintf("127.0.0.1:%d", freePort(t, "tcp")),
		modem: filepath.Join(dir, "modem"),
	}
	key := filepath.Join(dir, "fleet.key")
	if err := os.WriteFile(key, []byte(fleetKeyHex+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`
[gateway]
id = "gw1"
state_dir = %q

[nats]
listen = %q

[api]
listen = "unix:%s"

[rollout]
by_hand = "alone"
contact_gap = "1s"

[[fleet_key]]
id = "test"
file = %q
numbers = "1-100000"
product = "buoy-demo"
customer = "acme"
name = "dev-{number}"
ctr_bits = 16
tag = 8
register = "auto"

[link.udp]
kind = "udp"
listen = %q
ack = "always"
`, s.stateDir, s.nats, filepath.Join(dir, "api.sock"), key, s.udp)
	s.configure(t, text)
	return s
}

func (s *site) configure(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// edit changes the configuration.
func (s *site) edit(t *testing.T, change func(text string) string) {
	t.Helper()
	text, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	s.configure(t, change(string(text)))
}

// add adds to the configuration.
func (s *site) add(t *testing.T, format string, args ...any) {
	t.Helper()
	s.edit(t, func(text string) string { return text + "\n" + fmt.Sprintf(format, args...) })
}

// moveState has the gateway keep its state elsewhere from its next start on.
func (s *site) moveState(t *testing.T, dir string) {
	t.Helper()
	s.edit(t, func(text string) string {
		return strings.Replace(text, fmt.Sprintf("state_dir = %q", s.stateDir), fmt.Sprintf("state_dir = %q", dir), 1)
	})
	s.stateDir = dir
}

// asks reads what the gateway answers to a probe, without a token: the status, 0 if nobody answers, and the text.
func (s *site) asks(t *testing.T, path string) (int, string) {
	t.Helper()
	client := http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(s.dir, "api.sock"))
		},
	}}
	res, err := client.Get("http://godwit" + path)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, string(text)
}

// notReady waits until the gateway says that it is not ready, for this reason.
func (s *site) notReady(t *testing.T, why string) {
	t.Helper()
	until(t, time.Minute, "the gateway not to be ready: "+why, func() bool {
		code, text := s.asks(t, "/readyz")
		return code == http.StatusServiceUnavailable && strings.Contains(text, why)
	})
}

// gateway starts the gateway and waits until it says that it is ready.
func (s *site) gateway(t *testing.T) *process {
	t.Helper()
	p := start(t, "godwit", "run", "--config", s.config)
	p.ready(t, false)
	return p
}

// ready waits until a gateway says that it is ready. mayEnd says that one which ends before that is none of a failure.
func (p *process) ready(t *testing.T, mayEnd bool) {
	t.Helper()
	until(t, 30*time.Second, "the gateway to be ready", func() bool {
		if p.ended() {
			if !mayEnd {
				t.Fatalf("the gateway ended: %v\n%s", p.wait(t), p.out)
			}
			return true
		}
		return hasLine(p.out.String(), "gateway is ready")
	})
}

func hasLine(s, part string) bool {
	sc := bufio.NewScanner(strings.NewReader(s))
	for sc.Scan() {
		if strings.Contains(sc.Text(), part) {
			return true
		}
	}
	return false
}

// until waits for a condition outside this process, which can only be asked for.
func until(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	if !eventually(limit, ok) {
		t.Fatalf("waited %s for %s", limit, what)
	}
}

func eventually(limit time.Duration, ok func() bool) bool {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			return false
		case <-tick.C:
		}
	}
	return true
}
