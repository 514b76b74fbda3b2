package audit

import "fmt"

// A Report is what is thought of a book.
type Report struct {
	Entries  uint64   `json:"entries"`
	Head     Head     `json:"head"`
	Sound    bool     `json:"sound"`
	Problems []string `json:"problems"` // the first problemsMax
}

// problemsMax bounds what a report says.
const problemsMax = 100

func (r *Report) problem(format string, args ...any) {
	r.Sound = false
	if len(r.Problems) < problemsMax {
		r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
	}
}

// Verify reads a book row by row, with each as gateway/store has it, and holds each entry against the one before. known is a head that was seen
// before, the zero Head if none was: the book must have that entry. An error means that the book could not be read.
func Verify(each func(from uint64, f func(seq uint64, row []byte) error) error, known Head) (Report, error) {
	r := Report{Sound: true, Problems: []string{}}
	var c Chain
	err := each(0, func(seq uint64, row []byte) error {
		r.Entries++
		e, err := c.Follow(seq, row)
		if err != nil {
			r.problem("%v", err)
			if e, err = Parse(row); err != nil {
				return nil //nolint:nilerr // it is in the report; the next entry says what is missing
			}
			e.Seq = seq
			c = Resume(&e) // what follows is held against what is there
		}
		if seq == known.Seq && e.Hash() != known.Hash {
			r.problem("entry %d is not the one that was seen before", seq)
		}
		return nil
	})
	if err != nil {
		return r, fmt.Errorf("read the authorisations: %w", err)
	}
	r.Head = c.Head()
	if known.Seq > r.Head.Seq {
		r.problem("the book ends with entry %d: entry %d was seen before", r.Head.Seq, known.Seq)
	}
	return r, nil
}
