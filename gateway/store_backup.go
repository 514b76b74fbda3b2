package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/godwit-gateway/godwit/gateway/api"
	"github.com/godwit-gateway/godwit/gateway/backup"
	"github.com/godwit-gateway/godwit/gateway/config"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/node"
	"github.com/godwit-gateway/godwit/gateway/store"
)

type storeBackupCmd struct {
	Dir string `arg:"" help:"Folder for the backup: a new or an empty one." type:"path"`
}

// Help explains.
func (storeBackupCmd) Help() string {
	return `Copies the store into a folder, with the length and hash of every file. A running gateway makes a checkpoint of its store for it and
goes on with its work; run the command on its host, as its user or as root, with a token of an administrator. The key-encryption
key is no part of the backup: keep it elsewhere. Neither is the stream, which is the second copy of what was published.

Example:
  godwit store backup /mnt/backup/$(date +%F)`
}

// backedUp is the outcome as JSON.
type backedUp struct {
	Dir    string    `json:"dir"`
	MadeAt time.Time `json:"made_at"`
	Files  int       `json:"files"`
	Bytes  int64     `json:"bytes"`
	Live   bool      `json:"live"` // a gateway had the store
}

// Run backs up.
func (c *storeBackupCmd) Run(e *env) error {
	cfg, err := e.load()
	if err != nil {
		return err
	}
	if err := backup.Vacant(c.Dir); err != nil {
		return err
	}
	m := backup.Manifest{Gateway: cfg.Gateway.ID, Version: node.Version(), MadeAt: time.Now().UTC().Truncate(time.Second)}
	s, err := openStore(node.StoreDir(cfg), true)
	live := errors.Is(err, store.ErrLocked)
	switch {
	case live:
		m, err = c.fromCheckpoint(e, m)
	case err == nil:
		m, err = backup.Write(e.ctx, node.StoreDir(cfg), c.Dir, m)
		err = errors.Join(err, s.Close())
	}
	if err != nil {
		return err
	}
	return e.print(backedUp{c.Dir, m.MadeAt, len(m.Files), m.Bytes(), live}, "", func(row func(...any)) {
		row(fmt.Sprintf("%d files, %d bytes in %s", len(m.Files), m.Bytes(), c.Dir))
		row("try it: godwit store check --backup " + c.Dir)
	})
}

// fromCheckpoint has the running gateway make a checkpoint, and copies that.
func (c *storeBackupCmd) fromCheckpoint(e *env, m backup.Manifest) (backup.Manifest, error) {
	client, err := e.client()
	if err != nil {
		return m, err
	}
	const path = "/store/checkpoint"
	var made api.Checkpoint
	if err := client.Post(e.ctx, path, nil, struct{}{}, &made); err != nil {
		return m, fmt.Errorf("have the gateway make a checkpoint: %w", err)
	}
	m, err = backup.Write(e.ctx, made.Dir, c.Dir, m)
	return m, errors.Join(err, client.Delete(e.ctx, path))
}

type storeRestoreCmd struct {
	Dir string `arg:"" help:"Folder with the backup." type:"existingdir"`
}

// Help explains.
func (storeRestoreCmd) Help() string {
	return `Copies the store of a backup into state_dir, where there must be none, and reads every row of the copy before it takes its place.
The key-encryption key must be where the configuration says. The next start knows that the store is a backup: what was published
since is taken over from the stream before any frame is accepted, each device that joins must prove that it is there, and no epoch and no
downlink counter is used again. Leave the stream as it is.

Example:
  systemctl stop godwit
  mv /var/lib/godwit/store /var/lib/godwit/store.damaged
  godwit store restore /mnt/backup/2027-03-01
  systemctl start godwit`
}

var errOtherGateway = errors.New("the backup is of another gateway")

// restored is the outcome as JSON.
type restored struct {
	Dir       string            `json:"dir"` // of the store
	MadeAt    time.Time         `json:"made_at"`
	Bytes     int64             `json:"bytes"`
	Rows      map[string]uint64 `json:"rows"` // by kind
	LastEvent uint64            `json:"last_event"`
	Stream    bool              `json:"stream"` // one is there, or elsewhere
}

// Run restores.
func (c *storeRestoreCmd) Run(e *env) error {
	cfg, err := e.load()
	if err != nil {
		return err
	}
	m, err := backup.Read(c.Dir)
	if err != nil {
		return err
	}
	if m.Gateway != cfg.Gateway.ID {
		return fmt.Errorf("%w: %q, the configuration says %q", errOtherGateway, m.Gateway, cfg.Gateway.ID)
	}
	target := node.StoreDir(cfg)
	if err := backup.Vacant(target); err != nil {
		return fmt.Errorf("%w: move it away first, it may hold what the backup does not", err)
	}
	report, err := c.bring(e, cfg, target)
	if err != nil {
		return err
	}
	out := restored{Dir: target, MadeAt: m.MadeAt, Bytes: m.Bytes(), Rows: outcome(report, 0).Rows, LastEvent: report.Last, Stream: streamThere(cfg)}
	return e.print(out, "", func(row func(...any)) {
		row(fmt.Sprintf("restored to %s as of %s: %d devices, %d frames, events up to %d",
			target, m.MadeAt.Format(time.RFC3339), out.Rows["devices"], out.Rows["frames"], out.LastEvent))
		if out.Stream {
			row("now start the gateway: it takes over from the stream what was published since, and then accepts frames")
		} else {
			row("there is no stream: what was taken since the backup is lost, unless you bring the stream back before the start")
			row("now start the gateway: it publishes again what its outbox holds")
		}
	})
}

// bring copies the store beside its place, reads all of it, marks it as a backup, and moves it there.
func (c *storeRestoreCmd) bring(e *env, cfg *config.Config, target string) (report store.CheckReport, err error) {
	fresh := target + ".restoring"
	if err := os.RemoveAll(fresh); err != nil {
		return report, fmt.Errorf("remove what an earlier restore left: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(fresh))
		}
	}()
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return report, fmt.Errorf("make the state folder: %w", err)
	}
	if _, err := backup.Restore(e.ctx, c.Dir, fresh); err != nil {
		return report, err
	}
	if report, err = e.check(fresh, cfg.Store.KEKFile); err != nil {
		return report, err
	}
	if report.Found > 0 {
		return report, fmt.Errorf("%w: %d %s, such as: %s", errDamaged, report.Found, plural(int(report.Found), "problem"), report.Problems[0]) //nolint:gosec // a count for people
	}
	if err := decree(fresh, hub.MetaRestored); err != nil {
		return report, err
	}
	if err := os.Rename(fresh, target); err != nil {
		return report, fmt.Errorf("move into place: %w", err)
	}
	return report, backup.SyncDir(filepath.Dir(target))
}

// streamThere reports whether a stream can be expected at the next start.
func streamThere(cfg *config.Config) bool {
	_, err := os.Stat(node.StreamDir(cfg))
	return cfg.NATS.Mode != "embedded" || err == nil
}
