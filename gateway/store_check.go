package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/godwit-gateway/godwit/gateway/audit"
	"github.com/godwit-gateway/godwit/gateway/backup"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/node"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
)

type storeCheckCmd struct {
	Backup string `help:"A folder with a backup, to be read instead of the store." type:"path" placeholder:"DIR"`
}

// Help shows an example.
func (storeCheckCmd) Help() string {
	return `Opens the store for reading only, and refuses while a gateway has it. Changes nothing. Of a backup the files are compared with
their hashes first; a gateway may run meanwhile. Ends with exit code 1 if something is wrong.

Example:
  godwit store check --config godwit.toml
  godwit store check --backup /mnt/backup/2027-03-01`
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
func (c *storeCheckCmd) Run(e *env) error {
	cfg, err := e.load()
	if err != nil {
		return err
	}
	dir := node.StoreDir(cfg)
	if c.Backup != "" {
		dir = backup.StoreDir(c.Backup)
		if _, err := backup.Verify(e.ctx, c.Backup); err != nil {
			return err
		}
	}
	began := time.Now()
	report, err := e.check(dir, cfg.Store.KEKFile)
	if err != nil {
		return err
	}
	err = e.print(outcome(report, time.Since(began)), "KIND ROWS BYTES", func(row func(...any)) { findings(report, row) })
	if err == nil && report.Found > 0 {
		return fmt.Errorf("%w: %d %s", errDamaged, report.Found, plural(int(report.Found), "problem")) //nolint:gosec // a count for people
	}
	return err
}

// findings is a report for people.
func findings(r store.CheckReport, row func(...any)) {
	for _, k := range r.Counts {
		row(k.Kind, k.Rows, k.Bytes)
	}
	for _, p := range r.Problems {
		row("problem", p)
	}
	if r.Found == 0 {
		row("no fault found")
	}
}

// check reads a whole store. That device keys could not be tried is a problem as well.
func (e *env) check(dir, kekFile string) (store.CheckReport, error) {
	s, err := openStore(dir, true)
	if err != nil {
		return store.CheckReport{}, err
	}
	kek, kekErr := store.LoadKEK(kekFile, false)
	progress := e.progress()
	report, err := s.Check(e.ctx, store.CheckOptions{
		Report: progress.report,
		Device: func(_ uint32, row []byte) error { _, err := fleet.ParseRow(row); return err },
		KEK:    kek, Schedule: func(_ uint32, row []byte) error { return core.CheckRow(row) }, Account: ledger.New().Load,
		Audit: new(audit.Chain).Check, Rollout: rollout.CheckRow,
	})
	progress.end()
	if err = errors.Join(err, s.Close()); err != nil {
		return report, fmt.Errorf("check the store: %w", err)
	}
	if kekErr != nil && rowsOf(report, "keys") > 0 {
		report.Problems = append(report.Problems, "device keys could not be tried: "+kekErr.Error())
		report.Found++
	}
	return report, nil
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
	s, err := store.Open(store.Options{Dir: dir, ReadOnly: readOnly, Fatal: func(msg string) {
		fmt.Fprintln(os.Stderr, "godwit: store cannot be written:", msg)
		os.Exit(1)
	}})
	if err != nil {
		if hint := store.Hint(err); hint != "" {
			return nil, fmt.Errorf("%w (%s)", err, hint)
		}
		return nil, err
	}
	return s, nil
}

// progress shows how far a check is: a bar on a terminal, now and then a line elsewhere.
type progress struct {
	e     *env
	bar   *progressbar.ProgressBar
	shown time.Time
}

// progressEvery is the pause between two lines.
const progressEvery = 10 * time.Second

func (e *env) progress() *progress {
	p := &progress{e: e, shown: time.Now()}
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
	case time.Since(p.shown) >= progressEvery:
		p.shown = time.Now()
		_, _ = fmt.Fprintf(p.e.stderr, "reading %s (%d of %d), %d rows so far\n", c.Kind, c.Part, c.Parts, c.Rows)
	}
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish() // a picture
	}
}
