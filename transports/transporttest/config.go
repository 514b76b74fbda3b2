package transporttest

import (
	"log/slog"
	"strings"
	"testing"
)

// Mistakes checks that a driver is made of a configuration, but of none in which a change, by the key that it is about, has made a mistake: Validate's error
// begins with the key.
func Mistakes[C any, P interface {
	*C
	Validate() error
}, D any](tb testing.TB, good C, newDriver func(string, C, *slog.Logger) (D, error), changes map[string]func(*C)) {
	tb.Helper()
	if _, err := newDriver("link", good, slog.New(slog.DiscardHandler)); err != nil {
		tb.Error(err)
	}
	for key, change := range changes {
		c := good
		change(&c)
		if err := P(&c).Validate(); err == nil || !strings.HasPrefix(err.Error(), key) {
			tb.Errorf("%s: %v", key, err)
		}
		if _, err := newDriver("link", c, slog.New(slog.DiscardHandler)); err == nil {
			tb.Errorf("%s: a transport was made", key)
		}
	}
}
