package faults

import (
	"cmp"
	"slices"
)

// Kind is how close to the real thing a test is.
type Kind string

// The kinds of tests.
const (
	Simulated Kind = "simulated" // parts of the gateway in the test's process, on a disk, a stream or a line made of memory
	Loopback  Kind = "loopback"  // parts of the gateway in the test's process, with real sockets, servers, files or pseudo-terminals
	Process   Kind = "process"   // the gateway as a process of its own
)

// Row is one fault of the matrix.
type Row struct {
	Number   int     `json:"number"`            // from 1, as everybody who speaks of the row names it
	Fault    string  `json:"fault"`             // what is done
	Expected string  `json:"expected"`          // what has to come of it
	Tests    []Tests `json:"tests,omitempty"`   // what shows that; none if Waiting says why
	Waiting  string  `json:"waiting,omitempty"` // what the fault would hit, and is not built yet
}

// Tests are functions of one package that show a row, or a part of it.
type Tests struct {
	Package string   `json:"package"`        // folder below the top of the source tree, with slashes
	Tags    string   `json:"tags,omitempty"` // build tags that they need, as -tags takes them
	Kind    Kind     `json:"kind"`
	Names   []string `json:"names"` // top-level functions
}

// Rows is the matrix, by number.
func Rows() []Row {
	rows := slices.Concat(processRows, streamRows, airRows)
	slices.SortFunc(rows, func(a, b Row) int { return cmp.Compare(a.Number, b.Number) })
	return rows
}
