package faults

import (
	"cmp"
	"slices"
	"strings"
)

// batch is one call of `go test`: all that is to be run of a package under the same tags.
type batch struct {
	pkg, tags string
	names     []string
}

// plan gathers the tests of rows, each once, so that a package is built once for all of them.
func plan(rows []Row) []batch {
	var all []batch
	for _, r := range rows {
		for _, t := range r.Tests {
			i := slices.IndexFunc(all, func(b batch) bool { return b.pkg == t.Package && b.tags == t.Tags })
			if i < 0 {
				i = len(all)
				all = append(all, batch{pkg: t.Package, tags: t.Tags})
			}
			all[i].names = append(all[i].names, t.Names...)
		}
	}
	for i := range all {
		slices.Sort(all[i].names)
		all[i].names = slices.Compact(all[i].names)
	}
	slices.SortFunc(all, func(a, b batch) int { return cmp.Or(cmp.Compare(a.pkg, b.pkg), cmp.Compare(a.tags, b.tags)) })
	return all
}

// args are what `go test` is called with.
func (b batch) args() []string {
	args := []string{"test", "-json", "-count=1", "-timeout=" + limit.String(), "-run", "^(" + strings.Join(b.names, "|") + ")$"}
	if b.tags != "" {
		args = append(args, "-tags", b.tags)
	}
	return append(args, "./"+b.pkg)
}
