package tariff

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// A Book holds tariffs by name, each with its versions.
type Book struct {
	byName map[string][]*Tariff // in the order of their validity
}

// ErrBook is wrapped by errors about tariffs that cannot stand in one book.
var ErrBook = errors.New("cannot stand in one book")

// NewBook makes a book. Versions of a tariff may not hold at the same time, and have one currency and time zone; all that do not fit are in the
// error, which joins one for each.
func NewBook(list []*Tariff) (*Book, error) {
	b := &Book{byName: make(map[string][]*Tariff)}
	for _, t := range list {
		b.byName[t.Name] = append(b.byName[t.Name], t)
	}
	var bad []error
	for _, name := range b.Names() {
		versions := b.byName[name]
		slices.SortStableFunc(versions, func(x, y *Tariff) int { return cmp.Compare(x.From, y.From) })
		for i, t := range versions[1:] {
			switch o := versions[i]; {
			case o.Until == 0 || o.Until >= t.From:
				bad = append(bad, fmt.Errorf("%q: the versions from %s and from %s %w: both hold on the latter day", name, since(o), since(t), ErrBook))
			case o.Currency != t.Currency || o.TimeZone != t.TimeZone:
				bad = append(bad, fmt.Errorf("%q: the versions from %s and from %s %w: they have different currencies or time zones", name, since(o), since(t), ErrBook))
			}
		}
	}
	return b, errors.Join(bad...)
}

func since(t *Tariff) string { return cmp.Or(t.From.String(), "the beginning") }

// Names are the names of all tariffs, in order.
func (b *Book) Names() []string { return slices.Sorted(maps.Keys(b.byName)) }

// Versions are all of a tariff, the oldest first; none if it is not known.
func (b *Book) Versions(name string) []*Tariff { return b.byName[name] }

// At is the version of a tariff that holds at a time; nil if none does.
func (b *Book) At(name string, at time.Time) *Tariff {
	for _, t := range b.byName[name] {
		if t.Holds(at) {
			return t
		}
	}
	return nil
}
