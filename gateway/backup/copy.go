package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// copyFile copies one file from below a folder to below another, durably, and says what it copied.
func copyFile(ctx context.Context, from, to, name string) (f File, err error) {
	in, err := os.Open(filepath.Join(from, name))
	if err != nil {
		return f, err
	}
	defer func() { _ = in.Close() }() // it was only read
	out, err := os.OpenFile(filepath.Join(to, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return f, err
	}
	f, err = digest(ctx, out, in)
	f.Name = filepath.ToSlash(name)
	if err == nil {
		err = out.Sync()
	}
	return f, errors.Join(err, out.Close())
}

// digest copies r to w and says what it was, but for its name.
func digest(ctx context.Context, w io.Writer, r io.Reader) (File, error) {
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, sum), stoppable{ctx, r})
	return File{Bytes: n, SHA256: hex.EncodeToString(sum.Sum(nil))}, err
}

// stoppable is a reader that ends with its context.
type stoppable struct {
	ctx context.Context //nolint:containedctx // of the one call that reads
	r   io.Reader
}

// Read implements io.Reader.
func (s stoppable) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}

func writeSynced(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// SyncDir makes the entries of a folder durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}
