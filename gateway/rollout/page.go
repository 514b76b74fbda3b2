package rollout

import (
	"slices"
	"time"
)

// Page is Devices for those after a number, and most of them at most, among so many that it looks at: looking at all devices of a large rollout takes a
// while. last is the number up to which it looked, more that there are others.
func (m *Machine) Page(now time.Time, id ID, after uint32, most, looks int, keep func(*DeviceView) bool) (list []DeviceView, last uint32, more bool, err error) {
	r, err := m.get(id)
	if err != nil {
		return nil, after, false, err
	}
	i, found := slices.BinarySearchFunc(r.devices, after, compareNumber)
	if found {
		i++
	}
	list, last = []DeviceView{}, after
	var f Facts
	for upto := min(i+looks, len(r.devices)); i < upto && len(list) < most; i++ {
		d := &r.devices[i]
		last = d.number
		if v := m.view(now, r, d, &f); keep == nil || keep(&v) {
			m.detail(now, r, d, &v)
			list = append(list, v)
		}
	}
	return list, last, i < len(r.devices), nil
}

// Silences is what Report says of silence, without a look at any device: how many there were, and how many there would be without the update.
func (m *Machine) Silences(id ID) (events int, usual float64, err error) {
	r, err := m.get(id)
	if err != nil {
		return 0, 0, err
	}
	if r.judge == nil {
		return r.Silent, r.Usual, nil
	}
	v := r.judge.Verdict()
	events, usual, _, _ = longSilences(&v)
	return events, usual, nil
}
