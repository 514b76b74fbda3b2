package rollout

import "time"

// Page is Devices for those after a number, and most of them at most, among so many that it looks at: looking at all devices of a large rollout takes a
// while. last is the number up to which it looked, more that there are others.
func (m *Machine) Page(now time.Time, id ID, after uint32, most, looks int, keep func(*DeviceView) bool) (list []DeviceView, last uint32, more bool, err error) {
	r, err := m.get(id)
	if err != nil {
		return nil, after, false, err
	}
	list = []DeviceView{}
	var f Facts
	next, more, err := m.some(r, uint64(after)+1, looks, func(d *device) bool {
		if v := m.view(now, r, d, &f); keep == nil || keep(&v) {
			m.detail(now, r, d, &v)
			list = append(list, v)
		}
		return len(list) >= most
	})
	return list, uint32(next - 1), more, err //nolint:gosec // a number of 32 bits and 1
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
