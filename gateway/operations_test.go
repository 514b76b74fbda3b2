package main_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/node"
	"github.com/godwit-gateway/godwit/gateway/publish"
	"github.com/godwit-gateway/godwit/gateway/store"
)

// operations is the text of OPERATIONS.md, and the rest of it after a heading.
func operations(t *testing.T, heading string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("docs", "OPERATIONS.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut("\n"+string(b), "\n"+heading+"\n")
	if !ok {
		t.Fatalf("OPERATIONS.md has no heading %q", heading)
	}
	return after
}

// TestOperationsHints: an operator finds each error of the store with what to do about it.
func TestOperationsHints(t *testing.T) {
	text := operations(t, "## Error hints")
	for _, err := range []error{
		store.ErrLocked, store.ErrCorrupt, store.ErrNewerFormat, store.ErrNotFound, store.ErrReadOnly, store.ErrLowSpace, store.ErrStalled,
		store.ErrFailed, store.ErrStale, store.ErrOutbox, store.ErrCursor, store.ErrRow, store.ErrKEK, store.ErrWrongKEK,
	} {
		hint := store.Hint(err)
		if hint == "" {
			continue
		}
		if row := fmt.Sprintf("| `%s` | %s |", err, hint); !strings.Contains(text, row) {
			t.Errorf("OPERATIONS.md lacks %s", row)
		}
	}
}

// TestOperationsAlarms: each alarm has a section that says what it means and what to do, and each section is of an alarm that there is.
func TestOperationsAlarms(t *testing.T) {
	metrics, _, _ := strings.Cut(operations(t, "## Metrics"), "\n## ")
	var rules, conditions, codes []string
	for _, m := range regexp.MustCompile(`(?m)^(Godwit\w+) `).FindAllStringSubmatch(metrics, -1) {
		rules = append(rules, m[1])
	}
	for _, err := range node.Conditions() {
		conditions = append(conditions, err.Error())
	}
	for _, a := range hub.Alarms() {
		codes = append(codes, string(a))
	}
	for heading, want := range map[string][]string{"### Alarms of metrics": rules, "### What `/readyz` says": conditions, "### Events of kind `log`": codes} {
		text, _, _ := strings.Cut(operations(t, heading), "\n### ")
		var got []string
		for _, section := range strings.Split(text, "\n#### ")[1:] {
			name, body, _ := strings.Cut(section, "\n")
			got = append(got, strings.Trim(name, "`"))
			if len(strings.TrimSpace(body)) < 20 {
				t.Errorf("OPERATIONS.md has nothing to say of %s", name)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-there are +in OPERATIONS.md):\n%s", heading, d)
		}
		if len(want) == 0 {
			t.Errorf("%s: nothing was found", heading)
		}
	}
}

// TestAlarmsAreListed: hub.Alarms has each alarm that the hub's source names.
func TestAlarmsAreListed(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("hub", "alarm.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`Alarm\w+ +Alarm = "(\w+)"`).FindAllStringSubmatch(string(source), -1)
	if len(found) != len(hub.Alarms()) {
		t.Errorf("%d alarms are named, %d listed", len(found), len(hub.Alarms()))
	}
	for _, m := range found {
		if !slices.Contains(hub.Alarms(), hub.Alarm(m[1])) {
			t.Errorf("alarm %s is not listed", m[1])
		}
	}
}

// An import file that is written as the example is taken.
func TestOperationsImportFile(t *testing.T) {
	_, after, _ := strings.Cut(operations(t, "## Devices"), "```csv\n")
	file, _, ok := strings.Cut(after, "```")
	rows, errs := fleet.ParseImport(strings.NewReader(strings.ReplaceAll(file, "<64 hexadecimal digits>", strings.Repeat("0a", 32))))
	if !ok || len(rows) != 2 || len(errs) > 0 {
		t.Errorf("%d devices, %v", len(rows), errs)
	}
}

// TestOperationsAnchors: a link within the document leads to a heading.
func TestOperationsAnchors(t *testing.T) {
	text := operations(t, "# Operations")
	drop := regexp.MustCompile("[^a-z0-9 _-]")
	anchors := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		anchors[strings.ReplaceAll(drop.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")] = true
	}
	for _, m := range regexp.MustCompile(`\]\(#([^)]*)\)`).FindAllStringSubmatch(text, -1) {
		if !anchors[m[1]] {
			t.Errorf("OPERATIONS.md links to #%s, which is no heading", m[1])
		}
	}
}

// TestOperationsWords: each reason of a refusal and each kind of event is explained.
func TestOperationsWords(t *testing.T) {
	reasons, kinds := operations(t, "### Frames"), operations(t, "### Consuming")
	for _, r := range hub.Reasons() {
		if !strings.Contains(reasons, "| `"+r.String()+"` |") {
			t.Errorf("OPERATIONS.md does not explain the reason %s", r)
		}
	}
	for _, kind := range []string{
		hub.KindStatus, hub.KindHello, hub.KindMessage, hub.KindRaw, hub.KindRegistered, hub.KindAddress, hub.KindEpoch, hub.KindAlarm, hub.KindStep, hub.KindFragment,
		hub.KindSilent, hub.KindRecovered, hub.KindSchedule, hub.KindBudget, hub.KindSuspensions,
		hub.KindConfirmed, hub.KindFailed, hub.KindRolledBack, hub.KindOutside,
	} {
		if !strings.Contains(kinds, "| `"+kind+"` |") {
			t.Errorf("OPERATIONS.md does not explain events of kind %s", kind)
		}
	}
	for _, state := range []string{
		hub.DownlinkQueued, hub.DownlinkSent, hub.DownlinkAccepted, hub.DownlinkDelivered, hub.DownlinkFailed, hub.DownlinkExpired,
	} {
		if !strings.Contains(kinds, "`downlink."+state+"`") && !strings.Contains(kinds, "`."+state+"`") {
			t.Errorf("OPERATIONS.md does not name the event downlink.%s", state)
		}
	}
}

// TestOperationsPermissions runs a publisher with the permissions that the document gives its user: they are enough, and the server refuses
// nothing.
func TestOperationsPermissions(t *testing.T) {
	block := regexp.MustCompile("(?s)```\n(permissions: \\{.*?)```").FindStringSubmatch(operations(t, "## Events on NATS"))
	if block == nil {
		t.Fatal("OPERATIONS.md has no block of permissions")
	}
	conn := restricted(t, block[1])
	stream, err := publish.NewJetStream(conn, publish.JetStreamOptions{Gateway: "gw1", MaxAge: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	b := s.NewBatch()
	for n := range 3 {
		b.AddEvent(fmt.Appendf(nil, "e%d", n), []byte("godwit.v1.gw1.event.acme.buoy.a.status"), nil, []byte("{}"))
	}
	if err := s.Commit(b); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	open := func(age time.Duration) *publish.Publisher {
		changed, err := publish.NewJetStream(conn, publish.JetStreamOptions{Gateway: "gw1", MaxAge: age})
		if err != nil {
			t.Fatal(err)
		}
		p, err := publish.New(publish.Options{Store: s, Stream: changed, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if _, err := open(time.Hour).PublishOnce(t.Context()); err != nil {
		t.Fatalf("make the stream and publish: %v", err)
	}
	p := open(2 * time.Hour)
	if _, err := p.Reconcile(t.Context()); err != nil {
		t.Fatalf("change the stream and read its end: %v", err)
	}
	for range 2 { // what is to be read back has to ripen twice
		if _, err := p.VerifyOnce(t.Context()); err != nil {
			t.Fatalf("read back: %v", err)
		}
		now = now.Add(time.Minute)
	}
	enough := errors.New("enough")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	got := 0
	err = stream.Tail(ctx, publish.TailOptions{From: 1, Subjects: []string{"godwit.v1.gw1.event.>"}}, func(publish.Message) error {
		if got++; got == 3 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Errorf("follow the stream: %d of 3 events, %v", got, err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := conn.LastError(); err != nil {
		t.Errorf("the server refused something: %v", err)
	}
}

// restricted is a connection of a user with these permissions only, to a server of the test's own.
func restricted(t *testing.T, permissions string) *nats.Conn {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nats.conf")
	config := fmt.Sprintf("listen: \"127.0.0.1:-1\"\njetstream: { store_dir: %q }\nauthorization: { users: [ { user: gw, password: secret\n%s} ] }\n",
		t.TempDir(), permissions)
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	o, err := server.ProcessConfigFile(path)
	if err != nil {
		t.Fatal(err)
	}
	o.NoLog, o.NoSigs = true, true
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("nats-server is not ready")
	}
	conn, err := publish.ConnectExternal(strings.Replace(s.ClientURL(), "nats://", "nats://gw:secret@", 1), "", "gw1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}
