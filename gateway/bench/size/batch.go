package size

import (
	"fmt"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/train"
)

// A Day is a frame with 24 readings and one heartbeat, with the last of them, as a device sends it that saves transmissions.
type Day struct {
	Mean float64 `json:"mean"` // bytes of the frame, tag 4
	P95  int     `json:"p95"`
	Max  int     `json:"max"`
}

// heartbeatGroup is the presence group of what a device reports about itself once a day.
const heartbeatGroup = codec.GroupsMax

// day measures frames of 24 readings and a heartbeat.
func (p *prepared) day() (Day, error) {
	draft := train.DraftOf(p.t)
	beat := make([]bool, len(draft.Fields))
	for i := range draft.Fields {
		f := &draft.Fields[i]
		if beat[i] = f.Name == "battery" || f.Name == "signal" || f.Name == "uptime"; beat[i] {
			f.Group = heartbeatGroup
		}
	}
	statuses := make([]codec.Status, len(p.statuses))
	for n := range statuses {
		s := p.statuses[n]
		s.Values = append([]codec.Value(nil), s.Values...)
		for i := range s.Values {
			if beat[i] && (n-p.cut)%batchLarge != batchLarge-1 && n != p.cut-1 {
				s.Values[i] = codec.Value{}
			}
		}
		statuses[n] = s
	}
	t, _, err := train.Train(draft, [][]codec.Status{statuses[:p.cut]})
	if err != nil {
		return Day{}, fmt.Errorf("trace %s: %w", p.Name, err)
	}
	daily := prepared{Trace: p.Trace, t: t, statuses: statuses, cut: p.cut}
	l, err := daily.packed(t, batchLarge)
	if err != nil {
		return Day{}, err
	}
	frames := l.frames(4)
	d := Day{Mean: frames.mean(1), P95: frames.p95()}
	for _, n := range frames {
		d.Max = max(d.Max, n)
	}
	return d, nil
}

// transfer is how much more the statuses of one trace take under the template of another with the same fields, as a share.
func transfer(from, to *prepared) (float64, error) {
	a, b := from.t.Fields(), to.t.Fields()
	if len(a) != len(b) {
		return 0, nil
	}
	for i := range a {
		if a[i].Name != b[i].Name || a[i].Scale != b[i].Scale || a[i].Offset != b[i].Offset {
			return 0, nil
		}
	}
	own, err := to.packed(to.t, 1)
	if err != nil {
		return 0, err
	}
	other, err := to.packed(from.t, 1)
	if err != nil {
		return 0, err
	}
	return ratio(other.mean(1), own.mean(1)) - 1, nil
}
