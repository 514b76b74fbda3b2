package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/node"
	"github.com/godwit-gateway/godwit/gateway/store"
)

type storeCmd struct {
	Check      storeCheckCmd      `cmd:"" help:"Read and compare every row of the store."`
	Rewrap     storeRewrapCmd     `cmd:"" help:"Wrap the device keys by another key-encryption key."`
	Restored   storeRestoredCmd   `cmd:"" help:"Say that the store is a backup, before the gateway is started on it."`
	AcceptLoss storeAcceptLossCmd `cmd:"" help:"Accept that nobody knows what was taken before: each device must join anew."`
}

type storeCheckCmd struct{}

// Help shows an example.
func (storeCheckCmd) Help() string {
	return `Opens the store for reading only, and refuses while a gateway has it. Changes nothing. Ends with exit
code 1 if something is wrong.

Example:
  godwit store check --config godwit.toml`
}

var errDamaged = errors.New("the store is not as it should be")

// checked is the outcome as JSON.
type checked struct {
	Rows     map[string]uint64 `json:"rows"`  // by kind
	Bytes    map[string]uint64 `json:"bytes"` // of keys and values, by kind
	First    uint64            `json:"first_event"`
	Last     uint64            `json:"last_event"`
	Problems []string          `json:"problems"` // the first ones
	Found    uint64            `json:"problems_found"`
	Seconds  float64           `json:"seconds"`
}

func outcome(r store.CheckReport, took time.Duration) checked {
	c := checked{
		Rows: make(map[string]uint64), Bytes: make(map[string]uint64), First: r.First, Last: r.Last, Problems: append([]string{}, r.Problems...), Found: r.Found,
		Seconds: took.Seconds(),
	}
	for _, k := range r.Counts {
		c.Rows[k.Kind], c.Bytes[k.Kind] = k.Rows, k.Bytes
	}
	return c
}

// Run checks.
func (storeCheckCmd) Run(e *env) error {
	cfg, err := e.load()
	if err != nil {
		return err
	}
	s, err := openStore(node.StoreDir(cfg), true)
	if err != nil {
		return err
	}
	kek, kekErr := store.LoadKEK(cfg.Store.KEKFile, false)
	began := time.Now()
	progress := e.progress()
	report, err := s.Check(e.ctx, store.CheckOptions{
		Report: progress.report,
		Device: func(_ uint32, row []byte) error { _, err := fleet.ParseRow(row); return err },
		KEK:    kek,
	})
	progress.end()
	if err = errors.Join(err, s.Close()); err != nil {
		return fmt.Errorf("check the store: %w", err)
	}
	if kekErr != nil && rowsOf(report, "keys") > 0 {
		report.Problems = append(report.Problems, "device keys could not be tried: "+kekErr.Error())
		report.Found++
	}
	err = e.print(outcome(report, time.Since(began)), "KIND ROWS BYTES", func(row func(...any)) {
		for _, k := range report.Counts {
			row(k.Kind, k.Rows, k.Bytes)
		}
		for _, p := range report.Problems {
			row("problem", p)
		}
		if report.Found == 0 {
			row("no fault found")
		}
	})
	if err == nil && report.Found > 0 {
		return fmt.Errorf("%w: %d %s", errDamaged, report.Found, plural(int(report.Found), "problem")) //nolint:gosec // a count for people
	}
	return err
}

func rowsOf(r store.CheckReport, kind string) uint64 {
	for _, k := range r.Counts {
		if k.Kind == kind {
			return k.Rows
		}
	}
	return 0
}

func openStore(dir string, readOnly bool) (*store.Store, error) {
	s, err := store.Open(store.Options{Dir: dir, ReadOnly: readOnly})
	if err != nil {
		if hint := store.Hint(err); hint != "" {
			return nil, fmt.Errorf("open %s: %w (%s)", dir, err, hint)
		}
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	return s, nil
}

// progress shows how far a check is: a bar on a terminal, a line for each kind of row elsewhere.
type progress struct {
	e    *env
	bar  *progressbar.ProgressBar
	kind string
}

func (e *env) progress() *progress {
	p := &progress{e: e}
	if f, ok := e.stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions(-1, progressbar.OptionSetWriter(f), progressbar.OptionClearOnFinish(), progressbar.OptionShowCount(),
			progressbar.OptionSetDescription("rows"), progressbar.OptionThrottle(100*time.Millisecond))
	}
	return p
}

func (p *progress) report(c store.CheckProgress) {
	switch {
	case p.bar != nil:
		p.bar.Describe(fmt.Sprintf("%s (%d of %d)", c.Kind, c.Part, c.Parts))
		_ = p.bar.Set64(int64(c.Rows)) //nolint:gosec // a picture
	case c.Kind != p.kind:
		p.kind = c.Kind
		_, _ = fmt.Fprintf(p.e.stderr, "reading %s (%d of %d), %d rows so far\n", c.Kind, c.Part, c.Parts, c.Rows)
	}
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish() // a picture
	}
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
	s, err := openStore(node.StoreDir(cfg), false)
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
