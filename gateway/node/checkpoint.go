package node

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/godwit-gateway/godwit/gateway/store"
)

// checkpoints keeps the one copy of the store that is made for a backup, and lets go of it. It pins files that compactions would delete, so an
// older one makes room for a newer one, and none outlives a start.
type checkpoints struct {
	mu    sync.Mutex
	dir   string
	store *store.Store
	log   *slog.Logger
}

func newCheckpoints(stateDir string, s *store.Store, log *slog.Logger) (*checkpoints, error) {
	c := &checkpoints{dir: filepath.Join(stateDir, "checkpoint"), store: s, log: log}
	return c, c.release()
}

// Make makes a checkpoint and returns its folder, which is laid out as that of a store.
func (c *checkpoints) Make() (string, error) {
	if err := c.release(); err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.store.Checkpoint(c.dir); err != nil {
		return "", err
	}
	c.log.Info("checkpoint of the store was made", slog.String("dir", c.dir))
	return c.dir, nil
}

// Release removes the checkpoint, if there is one.
func (c *checkpoints) Release() error { return c.release() }

func (c *checkpoints) release() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := os.RemoveAll(c.dir); err != nil {
		return fmt.Errorf("remove the checkpoint: %w", err)
	}
	return nil
}
