package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/godwit-gateway/godwit/gateway/store"
)

// No store on a disk is without a log.
func TestVolatileIsOfMemory(t *testing.T) {
	for _, fs := range []vfs.FS{nil, vfs.Default} {
		dir := filepath.Join(t.TempDir(), "db")
		if s, err := store.Open(store.Options{Dir: dir, FS: fs, Volatile: true}); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%T: %v, %v", fs, s, err)
		}
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%T: there is a directory: %v", fs, err)
		}
	}
}

// A store without a log keeps what was committed when it is closed in order, and nothing of it when its process ends at once.
func TestVolatile(t *testing.T) {
	fs := vfs.NewCrashableMem()
	o := store.Options{Dir: "db", FS: fs, Volatile: true}
	s, err := tryOpen(t, o)
	if err != nil {
		t.Fatal(err)
	}
	b := s.NewBatch()
	b.AddEvent([]byte("id"), []byte("subject"), nil, []byte("payload"))
	b.PutDevice(7, []byte("row"))
	if err := s.Commit(b); err != nil {
		t.Fatal(err)
	}
	if err := s.PutPublisherMeta([]byte("meta"), true); err != nil {
		t.Fatal(err)
	}
	crashed := fs.CrashClone(vfs.CrashCloneCfg{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		fs   *vfs.MemFS
		kept bool
	}{{fs, true}, {crashed, false}} {
		o.FS = c.fs
		again := open(t, o)
		_, device, err := again.DeviceRow(7)
		if err != nil || device != c.kept || again.DurableEvents() > 0 != c.kept {
			t.Errorf("after an end in order %v: a device %v, %d events, %v", c.kept, device, again.DurableEvents(), err)
		}
		if meta, err := again.PublisherMeta(); err != nil || string(meta) == "meta" != c.kept {
			t.Errorf("after an end in order %v: %q, %v", c.kept, meta, err)
		}
	}
}
