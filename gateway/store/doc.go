// Package store keeps what the gateway may not forget, on one disk, in Pebble.
//
// # What is promised
//
// A [Batch] is one group of work: frames, the device rows they changed, the events they gave. [Store.Commit] writes it with one sync and
// returns when it is on disk; only then may anything in it be confirmed to a network. A batch is there whole or not at all after a crash.
//
// Reads see a batch a moment before it is synced, since Pebble shows a write to readers while its log is still being flushed. Two things
// follow. What a read shows is no proof that it would survive a power cut, so nobody but the one committer, which has no batch under way
// while it reads, may confirm anything because of a read. And events leave through [Store.Outbox] only up to the durable mark, which lives
// in memory and moves after the sync has returned.
//
//	Batch.PutFrame ...  -> Commit: log, sync -> durable mark moves -> EventsChanged -> Outbox -> the stream
//	                                         -> the caller confirms to the network
//
// A failed write ends the process ([Options.Fatal]): after it nobody can say what the log holds, and starting again replays it. A write
// that hangs, and a disk that is nearly full, show in [Store.Healthy], which intake asks first.
//
// What was synced stays, or its loss is noticed: blocks and records have checksums, and how far Pebble's list of its files was synced is kept beside it, since Pebble takes what it
// cannot read there for its end (manifest.go). Of the log, damage to its last record alone cannot be told from a power cut in the middle of it; the stream has the events that were published.
//
// # Keys
//
// keys.go holds the table. Each kind of row has a file of its own, and a hand-written encoding that starts with a version byte: a row of
// an unknown version is refused, never guessed at.
//
// # Why Pebble
//
// github.com/cockroachdb/pebble is a log-structured store in Go, without cgo, with group commit, checksums on every block and log record,
// an in-memory file system that can crash at any sync, and years of use in CockroachDB. Its module path ends in /v2 because that is how Go
// names the current major version of the same project; v1 is no longer developed and cannot tell a damaged log from a log that ends early.
//
// It costs some 40 packages to build, a directory of files instead of one, background compaction that shares the processor with intake,
// and on-disk formats that only go forward: the format is pinned here and moved by a release, not by an upgrade of the library. Encryption at
// rest is not its business: device keys are wrapped by a [KEK] before they come here.
package store
