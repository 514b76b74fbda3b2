package size

import (
	"errors"
	"fmt"
	"slices"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/train"
)

// trainedShare of a trace, in percent, trains its template; the rest is measured.
const trainedShare = 40

var errTooFew = errors.New("too few statuses")

// prepared is a trace with the template that its first part gave.
type prepared struct {
	*Trace
	t        *codec.Template
	statuses []codec.Status
	cut      int // statuses before it were trained on
	clipped  int // values beyond their field's range
}

func prepare(tr *Trace) (*prepared, error) {
	draft, err := train.Resolve(tr.Draft, tr.Rows)
	if err != nil {
		return nil, fmt.Errorf("trace %s: %w", tr.Name, err)
	}
	p := &prepared{Trace: tr, cut: len(tr.Rows) * trainedShare / 100}
	fields := make([]codec.Field, len(draft.Fields))
	for i := range fields {
		fields[i] = draft.Fields[i].Field
	}
	if p.t, err = codec.NewTemplate(draft.Timing, fields); err != nil {
		return nil, fmt.Errorf("trace %s: %w", tr.Name, err)
	}
	p.statuses = train.Statuses(p.t, tr.Rows)
	for i := range p.statuses {
		p.statuses[i].Rare = tr.Rare[i]
		for _, v := range p.statuses[i].Values {
			if v.State == codec.Saturated {
				p.clipped++
			}
		}
	}
	if p.cut < 2 || len(p.statuses)-p.cut < batchLarge {
		return nil, fmt.Errorf("trace %s: %d rows: %w", tr.Name, len(p.statuses), errTooFew)
	}
	if p.t, _, err = train.Train(draft, [][]codec.Status{p.statuses[:p.cut]}); err != nil {
		return nil, fmt.Errorf("trace %s: %w", tr.Name, err)
	}
	return p, nil
}

// Sizes of batches.
const (
	batchSmall = 10
	batchLarge = 24
)

// lengths are the bytes of payloads.
type lengths []int

// mean is the mean per status, of payloads that hold so many each.
func (l lengths) mean(each int) float64 {
	sum := 0
	for _, n := range l {
		sum += n
	}
	return ratio(float64(sum), float64(len(l)*each))
}

func (l lengths) p95() int {
	if len(l) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(l))
	return s[(len(s)*95-1)/100]
}

// frames are the bytes of the frames of payloads, with a counter of 8 bits.
func (l lengths) frames(tag int) lengths {
	out := make(lengths, len(l))
	for i, n := range l {
		out[i] = frameLen(n, tag)
	}
	return out
}

// frameLen is the length of a sealed frame: the head of the byte string, the header, a counter of 8 bits, the payload and the tag.
func frameLen(payload, tag int) int {
	content := 2 + payload + tag
	switch {
	case content < 24:
		return 1 + content
	case content < 256:
		return 2 + content
	default:
		return 3 + content
	}
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// packed is what statuses from the cut on take as deltas and in batches, each group against the status before it.
func (p *prepared) packed(t *codec.Template, each int) (lengths, error) {
	c := newChain(t)
	c.device.SetKeyframe(t, &p.statuses[p.cut-1])
	c.gateway.SetKeyframe(t, &p.statuses[p.cut-1])
	var out lengths
	for i := p.cut; i+each <= len(p.statuses); i += each {
		n, err := c.send(p.statuses[i : i+each])
		if err != nil {
			return nil, fmt.Errorf("trace %s, status %d: %w", p.Name, i, err)
		}
		out = append(out, n)
	}
	return out, nil
}
