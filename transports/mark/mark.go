package mark

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Max is the longest mark, in bytes.
const Max = 64 << 10

// ErrDamaged is wrapped by the error for a file that no Write has left behind.
var ErrDamaged = errors.New("the mark is damaged")

// The first line of a file has the form and the checksum (CRC-32C) of all that follows it, which is the mark.
const (
	form    = "godwit-mark 1 %08x\n"
	headLen = len("godwit-mark 1 ") + 8 + 1
)

func head(value []byte) string {
	return fmt.Sprintf(form, crc32.Checksum(value, crc32.MakeTable(crc32.Castagnoli)))
}

// Read returns the mark that was written last, "" if none was.
func Read(path string) (string, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the mark: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(f, int64(headLen+Max+1)))
	if err = errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("read the mark: %w", err)
	}
	if len(text) < headLen || len(text) > headLen+Max || !bytes.HasPrefix(text, []byte(head(text[headLen:]))) {
		return "", fmt.Errorf("%s: %w", path, ErrDamaged)
	}
	return string(text[headLen:]), nil
}

// Write replaces the mark, and makes its folder if there is none. After a crash there is either the old one or the new one. At most one Write to a path at
// a time.
func Write(path, value string) error {
	if len(value) > Max {
		return fmt.Errorf("write the mark: it has %d bytes, want %d at most", len(value), Max)
	}
	dir := filepath.Dir(path)
	if err := makeDir(dir); err != nil {
		return fmt.Errorf("write the mark: %w", err)
	}
	next := path + ".new" // one that a crash has left is written over
	err := writeSynced(next, head([]byte(value))+value)
	if err == nil {
		err = os.Rename(next, path)
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return fmt.Errorf("write the mark: %w", err)
	}
	return nil
}

func writeSynced(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.WriteString(text); err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// makeDir makes a folder if there is none, and durable.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

// syncDir makes the entries of a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
