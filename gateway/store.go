package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/node"
	"github.com/godwit-gateway/godwit/gateway/store"
)

type storeCmd struct {
	Check      storeCheckCmd      `cmd:"" help:"Read and compare every row of the store, or of a backup."`
	Backup     storeBackupCmd     `cmd:"" help:"Copy the store into a folder, also while the gateway runs."`
	Restore    storeRestoreCmd    `cmd:"" help:"Bring the store back from a backup."`
	Rewrap     storeRewrapCmd     `cmd:"" help:"Wrap the device keys by another key-encryption key."`
	Restored   storeRestoredCmd   `cmd:"" help:"Say that the store is a backup, before the gateway is started on it."`
	AcceptLoss storeAcceptLossCmd `cmd:"" help:"Accept that nobody knows what was taken before: each device must join anew."`
}

type storeAcceptLossCmd struct {
	Yes bool `help:"Yes: what was taken before is lost, and each device is to join."`
}

// Help explains.
func (storeAcceptLossCmd) Help() string {
	return `A store that was made anew knows no counters, so old frames could be replayed into it. The gateway learns
them from its stream; if it could not, devices do not register by themselves. Where the stream is lost too, say so here,
while the gateway is stopped. From then on no frame counts before its device has joined and proved that it is there, or has new keys:
devices whose link has acknowledgements join by themselves within an hour or so. For others try godwit device rekey first; where that
does not reach them they must be made to join at the device.
That holds for devices which are imported later too. Where NATS was only away at the first start of a new gateway, start it
again once NATS is there instead.

Example:
  godwit store accept-loss --yes`
}

// Run writes the acceptance down.
func (c *storeAcceptLossCmd) Run(e *env) error {
	if !c.Yes {
		return fmt.Errorf("%w: read godwit store accept-loss --help, then add --yes", errUsage)
	}
	if err := e.decree(hub.MetaLossAccepted); err != nil {
		return err
	}
	return e.print(map[string]bool{"accepted": true}, "", func(row func(...any)) {
		row("from the next start on devices register again, each by joining")
	})
}

// decree writes into a store that no gateway holds what an operator has decided, with the time, for the next start.
func (e *env) decree(name string) error {
	cfg, err := e.load()
	if err != nil {
		return err
	}
	return decree(node.StoreDir(cfg), name)
}

func decree(dir, name string) error {
	s, err := openStore(dir, false)
	if err != nil {
		return err
	}
	b := s.NewBatch()
	b.PutMeta(name, []byte(time.Now().UTC().Format(time.RFC3339)))
	if err := errors.Join(s.Commit(b), s.Close()); err != nil {
		return fmt.Errorf("write it down: %w", err)
	}
	return nil
}

type storeRestoredCmd struct{}

// Help explains.
func (storeRestoredCmd) Help() string {
	return `A store from a backup does not know what was said since: joins that it accepted, downlinks that it sealed. After this the
gateway lets no old request to join count, and uses no epoch and no downlink counter that it may have used. If the stream is
ahead of the store the gateway sees by itself that it is a backup; say so here where the stream is from the same backup, or
is gone.

Example:
  godwit store restored`
}

// Run writes it down.
func (storeRestoredCmd) Run(e *env) error {
	if err := e.decree(hub.MetaRestored); err != nil {
		return err
	}
	return e.print(map[string]bool{"restored": true}, "", func(row func(...any)) {
		row("the next start takes the store for a backup")
	})
}

type storeRewrapCmd struct {
	KEKFile string `name:"kek-file" required:"" help:"The new key-encryption key: a file, made if it is missing, or credential:NAME, or env:NAME." placeholder:"SOURCE"`
}

// Help explains.
func (storeRewrapCmd) Help() string {
	return `Wraps every device key of the store by another key-encryption key, while the gateway is stopped. The old one is that of the
configuration. All keys are changed in one step: whatever happens meanwhile, the store is wholly under the old key or
wholly under the new one, and the command may be run again. Then name the new key in the configuration (store.kek_file),
start the gateway, and keep the old key as long as backups need it.

Example:
  godwit store rewrap --kek-file /etc/godwit/kek-2027`
}

// rewrapped is the outcome as JSON.
type rewrapped struct {
	Rewrapped int    `json:"rewrapped"`
	Before    int    `json:"before"` // wrapped by the new key already
	KEKFile   string `json:"kek_file"`
}

// Run rewraps.
func (c *storeRewrapCmd) Run(e *env) error {
	cfg, err := e.load()
	if err != nil {
		return err
	}
	if store.KEKIsFile(c.KEKFile) { // the gateway may start elsewhere
		if c.KEKFile, err = filepath.Abs(c.KEKFile); err != nil {
			return fmt.Errorf("the new key: %w", err)
		}
	}
	from, err := store.LoadKEK(cfg.Store.KEKFile, false)
	if err != nil {
		return err
	}
	s, err := openStore(node.StoreDir(cfg), false)
	if err != nil {
		return err
	}
	to, err := store.LoadKEK(c.KEKFile, true)
	var r store.RewrapReport
	if err == nil {
		r, err = s.Rewrap(e.ctx, from, to)
	}
	if err = errors.Join(err, s.Close()); err != nil {
		return err
	}
	return e.print(rewrapped{r.Rewrapped, r.Before, c.KEKFile}, "", func(row func(...any)) {
		row(fmt.Sprintf("%d keys wrapped anew, %d were before", r.Rewrapped, r.Before))
		row(fmt.Sprintf("now set store.kek_file = %q", c.KEKFile))
	})
}
