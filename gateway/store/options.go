package store

import (
	"log/slog"
	"os"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// FormatMajorVersion is the on-disk format of Pebble that this version writes. It is pinned, since formats only go forward and moving one
// is for a release to decide; and it is not Pebble's default, which is the oldest it can read and cannot tell a damaged log from a short one.
const FormatMajorVersion = pebble.FormatValueSeparation

// commitTimeout is how long a commit may take before the store counts as stalled.
const commitTimeout = 5 * time.Second

// A volatile store lets many layers of tables gather before they are merged, for each merge goes through the frames of all devices, and writes tables that
// are large and not compressed: they are in memory, and what a disk would make of them is not what is simulated.
const (
	tablesGathered = 16
	volatileTable  = 16 << 20 // bytes
	volatileBlock  = 16 << 10
)

// Options say where a store is and how it behaves.
type Options struct {
	Dir      string
	FS       vfs.FS           // nil: the disk
	Log      *slog.Logger     // nil: none
	Now      func() time.Time // nil: the system's clock
	ReadOnly bool             // change nothing; the store must be there

	// Fatal is called, after a line in the log, when a write failed and it is not known what is on disk. It must not return. Nil ends
	// the process with exit code 1. Where it does return, in tests, the store refuses all further work.
	Fatal func(msg string)

	// CommitTimeout is how long a commit may take before Healthy reports it. Zero: five seconds.
	CommitTimeout time.Duration

	// MemTable is how many bytes of rows are gathered in memory, and in one file of the log, before they are sorted into tables. Zero: 64 MiB.
	MemTable int

	// Cache is how many bytes of blocks that were read are kept in memory. Zero: 64 MiB.
	Cache int

	// Volatile does without a log and without compression, and merges tables later: what is committed is on the disk when the store is closed, and otherwise lost with the process.
	// It is for simulations in which nothing ends a process at once, and is refused unless FS is memory.
	Volatile bool

	// Tune changes the settings of Pebble after the defaults of this package. It is for measuring and for tests.
	Tune func(*pebble.Options)

	// QuarantineMax bounds the quarantine. Zero: 100,000 rows.
	QuarantineMax int
}

func (o *Options) defaults() {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // the default of a clock that callers hand in
	}
	if o.Fatal == nil {
		o.Fatal = func(string) { os.Exit(1) }
	}
	if o.CommitTimeout == 0 {
		o.CommitTimeout = commitTimeout
	}
	if o.MemTable == 0 {
		o.MemTable = 64 << 20
	}
	if o.Cache == 0 {
		o.Cache = 64 << 20
	}
	if o.QuarantineMax == 0 {
		o.QuarantineMax = quarantineMax
	}
}

// tuning is Pebble as this package wants it.
func (o *Options) tuning() *pebble.Options {
	p := &pebble.Options{
		FormatMajorVersion: FormatMajorVersion,
		MemTableSize:       uint64(o.MemTable), //nolint:gosec // a setting of the code
		CacheSize:          int64(o.Cache),
		ReadOnly:           o.ReadOnly,
	}
	if o.Volatile {
		p.DisableWAL, p.L0CompactionThreshold, p.L0StopWritesThreshold = true, tablesGathered, 4*tablesGathered
		for i := range p.Levels {
			p.Levels[i].BlockSize, p.TargetFileSizes[i] = volatileBlock, volatileTable
			p.Levels[i].Compression = func() *sstable.CompressionProfile { return sstable.NoCompression }
		}
	}
	return p
}
