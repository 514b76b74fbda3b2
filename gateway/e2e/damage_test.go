//go:build e2e

package e2e_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// refused starts the gateway, which must end by itself with exit code 1, and says what it said.
func (s *site) refused(t *testing.T) string {
	t.Helper()
	return start(t, "godwit", "run", "--config", s.config).failed(t)
}

func (s *site) database() string { return filepath.Join(s.stateDir, "store", "pebble") }

// newestFile is the file of the database with the highest number.
func (s *site) newestFile(t *testing.T, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.database(), pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no %s: %v", pattern, err)
	}
	slices.Sort(files)
	return files[len(files)-1]
}

func change(t *testing.T, file string, f func(content []byte) []byte) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, f(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// written is the number of bytes before the zeros that a log was made with.
func written(content []byte) int {
	n := len(content)
	for n > 0 && content[n-1] == 0 {
		n--
	}
	return n
}

func flipAt(percent int) func([]byte) []byte {
	return func(content []byte) []byte {
		content[written(content)*percent/100] ^= 0x10
		return content
	}
}

// A store that is damaged between two runs, in its log, in a table or by a missing file, is not opened: the gateway ends with exit code 1, says what to
// restore, changes nothing, and says the same when it is started again. Put back as it was, it goes on.
func TestDamagedStoreIsRefused(t *testing.T) {
	s := newSite(t)
	c := s.crewOf(t, 1, 6)
	gw := s.gateway(t)
	c.grow(t, 60)
	gw.kill(t) // the log is not empty
	c.stop()
	whole := filepath.Join(s.dir, "whole")
	if err := os.CopyFS(whole, os.DirFS(s.database())); err != nil {
		t.Fatal(err)
	}
	for _, damage := range []struct {
		name    string
		pattern string
		do      func([]byte) []byte // nil: the file is removed
	}{
		{"a bit at the log's begin", "*.log", flipAt(2)},
		{"a bit within the log", "*.log", flipAt(50)},
		{"no manifest", "MANIFEST-*", nil},
		{"no table", "*.sst", nil},
		{"a bit of the manifest", "MANIFEST-*", flipAt(50)},
	} {
		t.Run(damage.name, func(t *testing.T) {
			file := s.newestFile(t, damage.pattern)
			if damage.do == nil {
				if err := os.Remove(file); err != nil {
					t.Fatal(err)
				}
			} else {
				change(t, file, damage.do)
			}
			for range 2 {
				if out := s.refused(t); !strings.Contains(out, "store: damaged") || !strings.Contains(out, "restore") {
					t.Errorf("the gateway does not say what to do:\n%s", out)
				}
			}
			if out, err := command(t, "store", "check", "--config", s.config); err == nil || !strings.Contains(out, "damaged") {
				t.Errorf("store check: %v\n%s", err, out)
			}
			if err := errors.Join(os.RemoveAll(s.database()), os.CopyFS(s.database(), os.DirFS(whole))); err != nil {
				t.Fatal(err)
			}
		})
	}
	c.start(t)
	c.survived(t, s)
}

// A bit that flipped in a table is found by the first who reads the block: nothing is made of it, the check names it, and the gateway refuses to
// start or takes nothing in.
func TestDamagedTableIsFound(t *testing.T) {
	thoroughOnly(t)
	s := newSite(t)
	c := s.crewOf(t, 1, 6)
	gw := s.gateway(t)
	c.grow(t, 200)
	gw.kill(t)
	gw = s.gateway(t) // writes what the log held into a table
	c.stop()
	gw.stopped(t)
	tables, err := filepath.Glob(filepath.Join(s.database(), "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("no tables: %v", err)
	}
	for _, table := range tables {
		change(t, table, flipAt(30))
	}
	out, err := command(t, "store", "check", "--config", s.config)
	if err == nil || !strings.Contains(out, "damaged") && !strings.Contains(out, "checksum") {
		t.Errorf("store check: %v\n%s", err, out)
	}
	gw = start(t, "godwit", "run", "--config", s.config)
	until(t, time.Minute, "the gateway to end, or not to be ready", func() bool {
		code, text := s.asks(t, "/readyz")
		return gw.ended() || code == http.StatusServiceUnavailable && strings.Contains(text, "store: damaged")
	})
	if out := gw.out.String(); !strings.Contains(out, "store: damaged") && !strings.Contains(out, "store is damaged") {
		t.Errorf("the gateway does not say so:\n%s", out)
	}
}

// A disk that lied about a sync: the end of the log is gone when the gateway starts again. It takes over from the stream what it forgot before it
// accepts a frame, so that none is taken twice and none that was published is lost.
func TestLogWithoutItsEndIsCaughtUp(t *testing.T) {
	s := newSite(t)
	s.withBroker(t)
	c := s.crewOf(t, 1, 6)
	gw := s.gateway(t)
	c.grow(t, 100)
	c.published(t, s)
	gw.kill(t)
	change(t, s.newestFile(t, "*.log"), func(content []byte) []byte {
		n := written(content)
		clear(content[n-min(n, 300):]) // at least the last record
		return content
	})
	gw = s.gateway(t)
	if !hasLine(gw.out.String(), "store is older than the stream") {
		t.Errorf("the log does not say so:\n%s", gw.out)
	}
	c.start(t)
	c.grow(t, 60)
	c.kept(t, s, gw)
}
