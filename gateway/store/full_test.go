package store_test

import (
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/godwit-gateway/godwit/gateway/store"
)

// fullFS is a disk that takes so many more writes, and is full then.
type fullFS struct {
	left    atomic.Int64
	refused atomic.Bool
}

func (f *fullFS) String() string { return "full disk" }

func (f *fullFS) MaybeError(op errorfs.Op) error {
	switch op.Kind {
	case errorfs.OpCreate, errorfs.OpFileWrite, errorfs.OpFileWriteAt, errorfs.OpMkdirAll, errorfs.OpReuseForWrite:
		if f.left.Add(-1) < 0 {
			f.refused.Store(true)
			return syscall.ENOSPC
		}
	default:
	}
	return nil
}

// started opens a store and closes it, as a process does, which may end by itself and say why. What that was at is then left as it is.
func started(fs vfs.FS) (fatal string, err error) {
	ended, done := make(chan string, 1), make(chan error, 1)
	go func() {
		s, err := store.Open(store.Options{Dir: "db", FS: fs, Fatal: func(msg string) {
			ended <- msg
			select {} // it must not return
		}})
		if err == nil {
			err = s.Close()
		}
		done <- err
	}()
	select {
	case err := <-done:
		return "", err
	case msg := <-ended:
		return msg, nil
	}
}

// A store whose disk is full, or gets so at any step of its start, is not opened, which is said, or opens all the same. It never waits for space with nobody
// knowing, and with space again everything is there that was.
func TestStartOnFullDisk(t *testing.T) {
	for name, rows := range map[string]int{"a new store": 0, "a store with a log to read": 3} {
		t.Run(name, func(t *testing.T) {
			before := vfs.NewCrashableMem()
			if rows > 0 {
				fill(t, open(t, store.Options{Dir: "db", FS: before}), rows)
			}
			refused, ended := 0, 0
			for writes := int64(0); ; writes++ {
				disk := before.CrashClone(vfs.CrashCloneCfg{})
				var full fullFS
				full.left.Store(writes)
				fatal, err := started(errorfs.Wrap(disk, &full))
				switch {
				case fatal != "":
					if !strings.Contains(fatal, syscall.ENOSPC.Error()) {
						t.Errorf("after %d writes: %s", writes, fatal)
					}
					ended++
				case err != nil:
					if !errors.Is(err, store.ErrLowSpace) || !errors.Is(err, syscall.ENOSPC) || store.Hint(err) == "" {
						t.Errorf("after %d writes: %v, want ErrLowSpace with a hint", writes, err)
					}
					refused++
				}
				again := open(t, store.Options{Dir: "db", FS: disk.CrashClone(vfs.CrashCloneCfg{})})
				if got := outbox(t, again, 1); len(got) != rows {
					t.Errorf("after %d writes: %d events with space again, want %d", writes, len(got), rows)
				}
				checked(t, again)
				if !full.refused.Load() {
					t.Logf("a start makes %d writes: %d were refused, at %d more the process ended", writes, refused, ended)
					break
				}
			}
			if refused == 0 {
				t.Error("no start was refused")
			}
		})
	}
}

// A start that may not have the room to end is not begun, and says how much it takes. Reading takes none.
func TestStartWithoutRoom(t *testing.T) {
	fs := &usageFS{FS: vfs.NewMem()}
	fs.free.Store(90 * gib)
	s, err := tryOpen(t, store.Options{Dir: "db", FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, 3)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, v := range []struct {
		free             uint64
		readOnly, opened bool
	}{{0, false, false}, {64<<20 - 1, false, false}, {0, true, true}, {64 << 20, false, true}} {
		fs.free.Store(v.free)
		s, err := tryOpen(t, store.Options{Dir: "db", FS: fs, ReadOnly: v.readOnly})
		if v.opened && err != nil || !v.opened && (!errors.Is(err, store.ErrLowSpace) || store.Hint(err) == "" || !strings.Contains(err.Error(), "a start takes 64")) {
			t.Errorf("%d bytes free, for reading only %t: %v", v.free, v.readOnly, err)
		}
		if err != nil {
			continue
		}
		if got := outbox(t, s, 1); len(got) != 3 {
			t.Errorf("%d bytes free: %d events, want 3", v.free, len(got))
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A full disk has Pebble try again at once, for as long as it is full. The log tells of it, and does not fill what is left of the disk.
func TestFullDiskIsLoggedSeldom(t *testing.T) {
	var full, tries atomic.Int64
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if full.Load() > 0 && op.Kind == errorfs.OpFileWrite && strings.HasSuffix(op.Path, ".sst") {
			tries.Add(1)
			return syscall.ENOSPC
		}
		return nil
	}))
	const told = "store background work: the disk is full"
	c, log := &clock{t: t0}, newMessages()
	s := open(t, store.Options{Dir: "db", FS: fs, Log: slog.New(log), Now: c.Now})
	fill(t, s, 3)
	full.Store(1)
	done := make(chan error)
	go func() { done <- s.Flush() }()
	for range 3 {
		log.await(t, told)
		for from := tries.Load(); tries.Load() < from+20; {
			runtime.Gosched()
		}
		if n := log.count(told); n != 0 {
			t.Errorf("told %d times more within ten seconds", n)
		}
		c.add(10 * time.Second)
	}
	full.Store(0)
	if err := <-done; err != nil {
		t.Error(err)
	}
	checked(t, s)
}

// count takes the messages that the log has by now, and tells how many of them are this one.
func (m messages) count(want string) (n int) {
	for {
		select {
		case got := <-m.c:
			if got == want {
				n++
			}
		default:
			return n
		}
	}
}
