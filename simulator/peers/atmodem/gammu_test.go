package atmodem_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/atmodem"
)

// needs skips the test where a program of others is missing, unless GODWIT_REQUIRE_GAMMU=1 says that it must not be.
func needs(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		if os.Getenv("GODWIT_REQUIRE_GAMMU") == "1" {
			t.Fatalf("%s is not installed, and GODWIT_REQUIRE_GAMMU=1", program)
		}
		t.Skipf("%s is not installed (apt-get install gammu gammu-smsd)", program)
	}
	if testing.Short() {
		t.Skip("gammu takes seconds to find out what it talks to")
	}
	return path
}

// gammuConfig writes a configuration file. A model saves gammu its search for one.
func gammuConfig(t *testing.T, modem, more string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gammurc")
	text := "[gammu]\ndevice = " + modem + "\nconnection = at\nmodel = at\n" + more
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// gammu has gammu run commands in one session, each session being seconds of its own waiting, and wants each text in what it says.
func gammu(t *testing.T, config, commands string, want ...string) {
	t.Helper()
	batch := filepath.Join(t.TempDir(), "batch")
	if err := os.WriteFile(batch, []byte(commands), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "gammu", "-c", config, "batch", batch)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("gammu: %v\n%s", err, out)
	}
	for _, w := range want {
		if !strings.Contains(string(out), w) {
			t.Errorf("gammu does not say %q:\n%s", w, out)
		}
	}
}

// TestGammu has a program of others use the modem: what it takes for a modem is one.
func TestGammu(t *testing.T) {
	needs(t, "gammu")
	t.Parallel()
	sent, settled := make(chan atmodem.Submit, 8), make(chan uint64, 8)
	m := start(t, atmodem.Options{
		OnSubmit:  func(s atmodem.Submit) { sent <- s },
		OnSettled: func(msg atmodem.Message, _ atmodem.Outcome) { settled <- msg.ID },
	})
	config := gammuConfig(t, m.Path(), "")
	long := strings.TrimSpace(strings.Repeat("0123456789 ", 30))
	deliver(t, m, atmodem.Message{ID: 1, From: sender, Text: "first text"})
	deliver(t, m, atmodem.Message{ID: 2, From: sender, Payload: []byte{0xca, 0xfe, 0xba, 0xbe}, DestPort: 5684})
	deliver(t, m, atmodem.Message{ID: 3, From: sender, Text: long})
	gammu(
		t, config, "identify\nnetworkinfo\ngetsmsc\ngetsecuritystatus\ngetallsms\ngeteachsms\ngetsms 1 1\ndeletesms 1 1\n",
		"Manufacturer         : Godwit", "SIM-900", "356938035643809", "262011234567890", "home network", "262 01", "Godwit Mobile", "+491710760000",
		"Nothing to enter", "first text", sender, "CAFEBABE", "part 3 of 3", "5 SMS parts in 5 SMS sequences", long[:300], "5 SMS parts in 3 SMS sequences",
	)
	if id := <-settled; id != 1 {
		t.Errorf("deleted %d", id)
	}
	gammu(
		t, config, "deleteallsms 1\nsendsms TEXT "+sender+" -text short\nsendsms TEXT "+sender+" -len 400 -text \""+long+"\"\n"+
			"savesms TEXT -folder 2 -text kept\nmonitor 1\n",
		"message reference=1", "message reference=4", "Saved in folder", "Enabling info about incoming SMS    : No error.", "SIM SMS status       : 1 used",
	)
	for id := range 2 {
		if got := <-settled; got != uint64(id+2) {
			t.Errorf("deleted %d, want %d", got, id+2)
		}
	}
	if s := m.Stats(); s.Stored != 1 || s.Deleted != 5 {
		t.Errorf("stats %+v", s)
	}
	if s := <-sent; s.Text != "short" || s.To != sender {
		t.Errorf("sent %+v", s)
	}
	if s := <-sent; s.Text != long || len(s.Refs) != 3 {
		t.Errorf("sent %+v", s)
	}
}

// TestGammuDaemon has gammu-smsd receive and send, by files.
func TestGammuDaemon(t *testing.T) {
	daemon := needs(t, "gammu-smsd")
	t.Parallel()
	sent, settled := make(chan atmodem.Submit, 8), make(chan uint64, 8)
	m := start(t, atmodem.Options{
		OnSubmit:  func(s atmodem.Submit) { sent <- s },
		OnSettled: func(msg atmodem.Message, _ atmodem.Outcome) { settled <- msg.ID },
	})
	dir := t.TempDir()
	spool := "[smsd]\nservice = files\nlogfile = " + dir + "/log\ndebuglevel = 1\ncommtimeout = 1\nloopsleep = 1\ninboxformat = detail\nchecksecurity = 0\nreceivefrequency = 1\n"
	for _, name := range []string{"inbox", "outbox", "sentsms", "errorsms"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		spool += name + "path = " + dir + "/" + name + "/\n"
	}
	if err := os.WriteFile(filepath.Join(dir, "outbox", "OUT"+sender+".txt"), []byte("out of a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	deliver(t, m, atmodem.Message{ID: 1, From: sender, Text: "waited for the daemon"})

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, daemon, "-c", gammuConfig(t, m.Path(), spool))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cancel()
		_ = cmd.Wait() // it was killed
		if log, err := os.ReadFile(filepath.Join(dir, "log")); err == nil && t.Failed() {
			t.Logf("%s", log)
		}
	}()
	wait := func(id uint64) {
		t.Helper()
		select {
		case got := <-settled:
			if got != id {
				t.Errorf("deleted %d, want %d", got, id)
			}
		case <-ctx.Done():
			t.Fatalf("the daemon did not take message %d: %+v", id, m.Stats())
		}
	}
	wait(1)
	deliver(t, m, atmodem.Message{ID: 2, From: sender, Payload: []byte{1, 2, 3}})
	wait(2)
	select {
	case s := <-sent:
		if s.Text != "out of a file" || s.To != sender {
			t.Errorf("sent %+v", s)
		}
	case <-ctx.Done():
		t.Fatal("the daemon sent nothing")
	}
	received := func() (text string) {
		files, err := filepath.Glob(filepath.Join(dir, "inbox", "IN*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			text += string(b)
		}
		return text
	}
	tick := time.NewTicker(50 * time.Millisecond) // it writes files after it deleted
	defer tick.Stop()
	for {
		text := received()
		if strings.Contains(text, "waited for the daemon") && strings.Count(text, "PDU = Deliver") == 2 && strings.Contains(text, sender) {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("files of the daemon: %s", text)
		}
	}
}
