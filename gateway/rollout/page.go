package rollout

import (
	"slices"
	"time"
)

// Page is Devices for those after a number, and most of them at most: looking at all devices of a large rollout takes a while.
func (m *Machine) Page(now time.Time, id ID, after uint32, most int, keep func(*DeviceView) bool) ([]DeviceView, error) {
	r, err := m.get(id)
	if err != nil {
		return nil, err
	}
	from, found := slices.BinarySearchFunc(r.devices, after, compareNumber)
	if found {
		from++
	}
	list := []DeviceView{}
	var f Facts
	for i := from; i < len(r.devices) && len(list) < most; i++ {
		d := &r.devices[i]
		if v := m.view(now, r, d, &f); keep == nil || keep(&v) {
			v.History = history(d)
			list = append(list, v)
		}
	}
	return list, nil
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
	events, usual, _, _ = silence(&v)
	return events, usual, nil
}
