package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/atomicfs"
)

// Open opens the store in a directory, and makes it if there is none. It returns [ErrLocked], [ErrCorrupt], [ErrNewerFormat], [ErrLowSpace] if there is no space
// for a start or, for reading only, [ErrNotFound] for what an operator can do something about; see [Hint]. If the disk gets full in the middle of it, Options.Fatal
// is called.
func Open(o Options) (*Store, error) {
	o.defaults()
	if _, memory := o.FS.(*vfs.MemFS); o.Volatile && !memory {
		return nil, fmt.Errorf("open the store in %s: without a log: %w", o.Dir, errors.ErrUnsupported)
	}
	s := &Store{
		dir: o.Dir, log: o.Log, now: o.Now, readOnly: o.ReadOnly, volatile: o.Volatile, quarantineMax: o.QuarantineMax, fatal: o.Fatal,
		changed: make(chan struct{}, 1), watchdog: newWatchdog(o.CommitTimeout, o.Log),
	}
	s.fs, s.fsCloser = s.disk(o.FS)
	if err := s.open(&o); err != nil {
		_ = s.fsCloser.Close() // a watcher's end; the error that counts is there already
		if vfs.IsNoSpaceError(err) {
			err = fmt.Errorf("%w: %w", ErrLowSpace, err)
		}
		return nil, fmt.Errorf("open the store in %s: %w", o.Dir, err)
	}
	s.opened.Store(true)
	_ = s.space.check(s) // the log tells at once, not when somebody asks
	return s, nil
}

// The database is one level below the directory of the store, where the lock is. It is made beside its place and moved there when it is
// whole, so that a directory of that name is never one that a power cut left half made: what is missing from it is damage.
const (
	dirDatabase = "pebble"
	dirNew      = "pebble.new"
)

func (s *Store) open(o *Options) (err error) {
	if err := s.prepare(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.lock.Close())
		}
	}()
	if err := s.space.enough(s, uint64(o.MemTable)); err != nil { //nolint:gosec // a setting of the code
		return err
	}
	dir := s.fs.PathJoin(s.dir, dirDatabase)
	_, err = s.fs.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && s.readOnly:
		return ErrNotFound
	case errors.Is(err, fs.ErrNotExist):
		if err := s.create(o, dir); err != nil {
			return fmt.Errorf("create: %w", err)
		}
	case err != nil:
		return fmt.Errorf("look for the database: %w", err)
	}
	if err := formatKnown(s.fs, dir); err != nil {
		return err
	}
	if err := manifestWhole(s.fs, dir); err != nil { // before Pebble deletes what it does not find there
		return err
	}
	if s.db, err = s.pebble(o, dir); err != nil {
		return err
	}
	if err := s.load(); err != nil {
		return errors.Join(err, s.db.Close())
	}
	return nil
}

// pebble opens the database in a directory. All errors but damage are as Pebble gives them.
func (s *Store) pebble(o *Options, dir string) (*pebble.DB, error) {
	p := o.tuning()
	p.FS, p.ErrorIfNotExists = s.fs, dir != s.fs.PathJoin(s.dir, dirNew)
	p.Logger = &pebbleLogger{s}
	p.EventListener = s.listener()
	if o.Tune != nil {
		o.Tune(p)
	}
	s.writes.Store(false)
	db, err := pebble.Open(dir, p)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, pebble.ErrDBDoesNotExist) {
			err = fmt.Errorf("%w: a file is missing: %w", ErrCorrupt, err)
		}
		return nil, asCorrupt(err)
	}
	s.writes.Store(true)
	return db, nil
}

// prepare makes the directory and takes its lock.
func (s *Store) prepare() error {
	if s.readOnly {
		if _, err := s.fs.Stat(s.dir); errors.Is(err, fs.ErrNotExist) {
			return ErrNotFound
		}
	} else if err := makeDir(s.fs, s.dir); err != nil {
		return err
	}
	lock, err := pebble.LockDirectory(s.dir, s.fs)
	if err != nil {
		return fmt.Errorf("%w: %w", lockErr(err), err)
	}
	s.lock = lock
	return nil
}

// lockErr tells a lock that another holds from a directory that cannot be written. Within one process neither Pebble nor its file systems
// have an error value for it; across processes it is fcntl's.
func lockErr(err error) error {
	var errno syscall.Errno
	var path *fs.PathError
	if errors.As(err, &path) || errors.As(err, &errno) && errno != syscall.EAGAIN && errno != syscall.EACCES {
		return errors.New("take the lock")
	}
	return ErrLocked
}

// formatKnown refuses a database whose Pebble format is newer than this program's Pebble, which would say no more than "unknown".
func formatKnown(f vfs.FS, dir string) error {
	value, err := atomicfs.ReadMarker(f, dir, "format-version")
	if err != nil {
		return fmt.Errorf("read the format version: %w", err)
	}
	if value == "" {
		return nil
	}
	n, err := strconv.ParseUint(value, 10, 32)
	if err != nil {
		return fmt.Errorf("%w: format version %q", ErrCorrupt, value)
	}
	if n > uint64(FormatMajorVersion) {
		return fmt.Errorf("%w: pebble format %d, this program knows %d", ErrNewerFormat, n, FormatMajorVersion)
	}
	return nil
}

func (s *Store) load() error {
	value, ok, err := s.get(keyFormat)
	switch {
	case err != nil:
		return err
	case !ok:
		return fmt.Errorf("%w: its marker is missing", ErrCorrupt)
	case len(value) > 0 && value[0] > formatVersion:
		return fmt.Errorf("%w: store format %d, this program knows %d", ErrNewerFormat, value[0], formatVersion)
	}
	if s.marker, err = decodeMarker(value); err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if !s.readOnly {
		// What a crashed process wrote and never synced was read back from its log just now. It becomes durable before anybody
		// is told that it is.
		if err := s.db.Flush(); err != nil {
			return fmt.Errorf("flush what the log held: %w", err)
		}
	}
	if err := s.loadOutbox(); err != nil {
		return err
	}
	seq, err := s.lastSequence(prefixPart, keyPartSeq)
	if err != nil {
		return err
	}
	s.partSeq.Store(seq)
	return s.loadQuarantine()
}

// create makes the database. The flush starts a new log: the first log of a new database is written before its format is settled, and
// damage in the middle of it could be taken for its end. Opening it again has the same effect; both are here on purpose.
func (s *Store) create(o *Options, dir string) error {
	fresh := s.fs.PathJoin(s.dir, dirNew)
	if err := s.fs.RemoveAll(fresh); err != nil {
		return fmt.Errorf("remove what an earlier start left: %w", err)
	}
	db, err := s.pebble(o, fresh)
	if err != nil {
		return err
	}
	m := marker{created: s.now()}
	_, err = rand.Read(m.id[:])
	if err == nil {
		err = db.Set(keyFormat, appendMarker(nil, m), s.synced(true))
	}
	if err == nil {
		err = db.Flush()
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("write the marker: %w", err)
	}
	if err := s.fs.Rename(fresh, dir); err != nil {
		return fmt.Errorf("move into place: %w", err)
	}
	s.created = true
	return syncDir(s.fs, s.dir)
}
