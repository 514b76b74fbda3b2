package faults

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Variable is set to 1 in the environment of the tests, for those that take too long to be run each time.
const Variable = "GODWIT_FAULTS"

// limit is how long the tests of one package may take.
const limit = 60 * time.Minute

// ErrSource is returned where the source tree or the Go command is missing.
var ErrSource = errors.New("faults: the tests are run from the source tree")

// Matrix runs rows.
type Matrix struct {
	Source string            // top of the source tree
	Begin  func(what string) // is told what is run next; may be nil
}

// FindSource is the top of the source tree that the folder is in. The error wraps [ErrSource].
func FindSource(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrSource, err)
	}
	for at := dir; ; at = filepath.Dir(at) {
		if mod, err := os.ReadFile(filepath.Join(at, "go.mod")); err == nil && bytes.HasPrefix(mod, []byte("module github.com/godwit-gateway/godwit\n")) {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("%w: %s is not within it", ErrSource, dir)
		}
	}
}

// Run runs all tests of the rows, one package after the other, and says what came of each row, in their order. A test that fails is an
// outcome and no error; an error says that the tests could not be run, or that the context ended.
func (m *Matrix) Run(ctx context.Context, rows []Row) ([]Outcome, error) {
	tool, err := exec.LookPath("go")
	if err != nil {
		return nil, fmt.Errorf("%w, with the Go command: %w", ErrSource, err)
	}
	done := map[[2]string]results{}
	for _, b := range plan(rows) {
		if m.Begin != nil {
			m.Begin(fmt.Sprintf("%s: %d tests", b.pkg, len(b.names)))
		}
		r, err := m.test(ctx, tool, b)
		if err != nil {
			return nil, fmt.Errorf("faults: run the tests of %s: %w", b.pkg, err)
		}
		done[[2]string{b.pkg, b.tags}] = r
	}
	outcomes := make([]Outcome, len(rows))
	for i, row := range rows {
		outcomes[i] = judge(row, func(pkg, tags string) results { return done[[2]string{pkg, tags}] })
	}
	return outcomes, nil
}

// test runs one batch. That tests failed is in their results and no error.
func (m *Matrix) test(ctx context.Context, tool string, b batch) (results, error) {
	cmd := exec.CommandContext(ctx, tool, b.args()...) //nolint:gosec // the tests of our own table
	cmd.Dir = m.Source
	cmd.Env = append(os.Environ(), Variable+"=1")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // go test passes it on
	cmd.WaitDelay = 10 * time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	all, readErr := read(out)
	err = cmd.Wait()
	all.of("").keep(stderr.String())
	var ended *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case readErr != nil:
		return nil, readErr
	case err != nil && !errors.As(err, &ended):
		return nil, err
	}
	return all, nil
}
