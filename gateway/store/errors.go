package store

import "errors"

// Conditions that callers branch on. [Hint] tells an operator what to do about each.
var (
	ErrLocked      = errors.New("store: in use by another process")
	ErrCorrupt     = errors.New("store: damaged")
	ErrNewerFormat = errors.New("store: written by a newer version")
	ErrNotFound    = errors.New("store: there is none")
	ErrReadOnly    = errors.New("store: open for reading only")
	ErrLowSpace    = errors.New("store: disk space is low")
	ErrStalled     = errors.New("store: a commit has not returned")
	ErrFailed      = errors.New("store: a write has failed")
	ErrStale       = errors.New("store: the batch was begun before another one was committed")
	ErrOutbox      = errors.New("store: no such place in the outbox")
	ErrCursor      = errors.New("store: not a cursor")
	ErrRow         = errors.New("store: row cannot be read")
	ErrKEK         = errors.New("store: key-encryption key")
	ErrWrongKEK    = errors.New("store: wrapped by another key-encryption key")
)

// Hint says what an operator can do about an error of this package, "" if there is nothing to say beyond the error.
func Hint(err error) string {
	for _, h := range hints {
		if errors.Is(err, h.err) {
			return h.hint
		}
	}
	return ""
}

var hints = []struct {
	err  error
	hint string
}{
	{ErrLocked, "A gateway is running on this state directory. Ask it through its API, or stop it first."},
	{ErrNewerFormat, "On-disk formats only go forward: run the version of godwit that wrote the store, or a later one."},
	{ErrNotFound, "Check state_dir in the configuration. A gateway creates its store at the first start."},
	{ErrLowSpace, "Nothing is accepted until space is free: devices and networks keep what they have and send it again. " +
		"Free space on the disk of state_dir, or shorten the times in [retention]."},
	{ErrStalled, "The disk does not answer. Look at the kernel log and at the disk's health; intake goes on by itself when the write returns."},
	{ErrFailed, "The gateway ends, and recovers what is on disk at its next start. If this repeats, look at the kernel log."},
	{ErrCorrupt, "Nothing was changed. Keep a copy of the state directory, then either restore a backup of it, or move it away and start with " +
		"an empty store: at start the gateway takes counters and frames that it does not know from the event stream, so that no frame is " +
		"accepted twice. Check the disk before using it again."},
	{ErrWrongKEK, "The device keys in this store were wrapped by another key-encryption key: restore the file that kek_file names. " +
		"Without it the keys are lost, and devices must be imported again with their keys."},
	{ErrKEK, "The file holds 32 random bytes and is readable by its owner alone (chmod 600). It is part of every backup: without it the " +
		"device keys in the store cannot be read."},
}
