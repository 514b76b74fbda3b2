package train

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// A Table is what a CSV file holds: times, and columns of numbers.
type Table struct {
	Names   []string // of the columns, without that of the time
	Rows    []Row
	Skipped []Skipped // columns that are not numbers
}

// A Skipped column is one that was passed over.
type Skipped struct {
	Name string
	Line int    // of the first cell that is no number; 0: all are empty
	Cell string // what stands there
}

// String says why.
func (s Skipped) String() string {
	if s.Line == 0 {
		return fmt.Sprintf("column %q is empty", s.Name)
	}
	return fmt.Sprintf("column %q is not of numbers: line %d has %q", s.Name, s.Line, s.Cell)
}

// layouts of times beside Unix seconds. A time without a zone is UTC.
var layouts = []string{
	time.RFC3339, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04", "2006-1-2 15:04:05", "2006-1-2 15:04",
	"2006/01/02 15:04:05", "2006/01/02 15:04", "1/2/2006 15:04:05", "1/2/2006 15:04", "2006-01-02",
	"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05 UTC",
	"1/2/2006 3:04:05 PM", "1/2/2006 3:04 PM", "2.1.2006 15:04:05", "2.1.2006 15:04", time.ANSIC, time.RFC1123, time.RFC1123Z,
}

// millisecondsFrom tells Unix milliseconds from seconds: as seconds it is the year 5138. Microseconds and nanoseconds are told in the same way.
const millisecondsFrom = 1e11

// parseTime reads a time as Unix seconds, rounded down.
func parseTime(s string) (int64, error) {
	s = strings.TrimSpace(s)
	if n, err := strconv.ParseFloat(s, 64); err == nil && !math.IsNaN(n) && math.Abs(n) < millisecondsFrom*1e9 {
		for math.Abs(n) >= millisecondsFrom {
			n /= 1000
		}
		return int64(math.Floor(n)), nil
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Unix(), nil
		}
	}
	return 0, fmt.Errorf("%q is neither Unix seconds nor a time such as 2006-01-02 15:04:05", s)
}

// ErrTable is wrapped by the errors of a CSV file; they say in which line.
var ErrTable = errors.New("table")

// ReadTable reads a CSV file with a line of names. The time is the column of that name, or the first one for "". Cells are parted by commas, or, where the
// line of names has none, by semicolons or tabs. An empty cell, "NA" and "NaN" were not measured; a column with anything else that is no number, or without
// any number, is passed over and named.
func ReadTable(r io.Reader, timeColumn string) (*Table, error) {
	b := bufio.NewReaderSize(r, namesMax)
	c := csv.NewReader(b)
	c.FieldsPerRecord, c.ReuseRecord, c.Comma = -1, true, separator(b)
	record, err := c.Read()
	if err != nil {
		return nil, fmt.Errorf("%w: line of names: %w", ErrTable, err)
	}
	names := append([]string(nil), record...)
	names[0] = strings.TrimPrefix(names[0], "\ufeff")
	at := 0
	for i := range names {
		if names[i] = strings.TrimSpace(names[i]); timeColumn != "" && names[i] == timeColumn {
			at = i
		}
	}
	if timeColumn != "" && names[at] != timeColumn {
		return nil, fmt.Errorf("%w: there is no column %q", ErrTable, timeColumn)
	}
	t := &Table{Names: append(append([]string(nil), names[:at]...), names[at+1:]...)}
	cells := tableCells{time: at, decimalComma: c.Comma == ';', bad: make([]Skipped, len(t.Names)), full: make([]bool, len(t.Names))}
	for {
		record, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrTable, err)
		}
		line, _ := c.FieldPos(0)
		if len(record) != len(names) {
			return nil, fmt.Errorf("%w: line %d: %d cells, want %d", ErrTable, line, len(record), len(names))
		}
		row, err := cells.row(line, record)
		if err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrTable, line, err)
		}
		t.Rows = append(t.Rows, row)
	}
	if len(t.Rows) == 0 {
		return nil, fmt.Errorf("%w: no rows", ErrTable)
	}
	t.drop(&cells)
	return t, nil
}

// tableCells is what was seen in the columns of a table so far.
type tableCells struct {
	time         int       // number of its column, which the others do not count
	decimalComma bool      // commas part no cells: they may stand in numbers
	bad          []Skipped // by column: the first cell that is no number
	full         []bool    // by column: there was a number
}

// row reads the cells of a line.
func (c *tableCells) row(line int, record []string) (row Row, err error) {
	if row.Time, err = parseTime(record[c.time]); err != nil {
		return row, err
	}
	row.Values = make([]float64, 0, len(c.full))
	for i, cell := range record {
		if i == c.time {
			continue
		}
		n := len(row.Values)
		if c.decimalComma {
			cell = strings.Replace(cell, ",", ".", 1)
		}
		v, ok := parseCell(cell)
		if !ok && c.bad[n].Line == 0 {
			c.bad[n].Line, c.bad[n].Cell = line, strings.Clone(cell)
		}
		c.full[n] = c.full[n] || !math.IsNaN(v)
		row.Values = append(row.Values, v)
	}
	return row, nil
}

// namesMax is how much of a file is looked at to find what parts its cells.
const namesMax = 64 << 10

// separator is what parts the cells of the line of names, which comes next.
func separator(b *bufio.Reader) rune {
	text, _ := b.Peek(namesMax) // as much of it as there is
	line, _, _ := bytes.Cut(text, []byte{'\n'})
	for _, c := range ",;\t" {
		if bytes.ContainsRune(line, c) {
			return c
		}
	}
	return ','
}

func parseCell(s string) (v float64, ok bool) {
	switch s = strings.TrimSpace(s); s {
	case "", "NA", "N/A", "NaN", "nan", "null", "None", "-":
		return math.NaN(), true
	}
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil && !math.IsInf(v, 0)
}

// drop takes the columns out that are not of numbers.
func (t *Table) drop(c *tableCells) {
	var keep []int
	for i, name := range t.Names {
		if c.bad[i].Line > 0 || !c.full[i] {
			c.bad[i].Name = name
			t.Skipped = append(t.Skipped, c.bad[i])
		} else {
			keep = append(keep, i)
		}
	}
	t.Choose(keep)
}

// Choose takes columns in the order of the list; -1 is a column that was never measured.
func (t *Table) Choose(columns []int) {
	names := make([]string, len(columns))
	for n, i := range columns {
		if i >= 0 {
			names[n] = t.Names[i]
		}
	}
	t.Names = names
	for r := range t.Rows {
		values := make([]float64, len(columns))
		for n, i := range columns {
			if values[n] = math.NaN(); i >= 0 {
				values[n] = t.Rows[r].Values[i]
			}
		}
		t.Rows[r].Values = values
	}
}

// Match puts the columns in the order of the names. Names that the table lacks become columns that were never measured, and are returned.
func (t *Table) Match(names []string) (missing []string) {
	columns := make([]int, len(names))
	for n, name := range names {
		columns[n] = -1
		for i := range t.Names {
			if t.Names[i] == name {
				columns[n] = i
			}
		}
		if columns[n] < 0 {
			missing = append(missing, name)
		}
	}
	t.Choose(columns)
	return missing
}
