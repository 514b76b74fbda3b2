package presence

// A Queue says which device is due next, to the second. Devices are small dense numbers: a queue holds 12 bytes for each. Setting and removing take
// O(log n) and, once it has grown, allocate nothing. It is a heap of four children ordered by time, then number, so that its order does not depend
// on how it came about.
type Queue struct {
	heap  []entry
	place []uint32 // of each number in the heap, plus 1; 0: it is not queued
}

type entry struct{ at, number uint32 }

func (e entry) before(o entry) bool { return e.at < o.at || e.at == o.at && e.number < o.number }

// NewQueue is an empty queue with room for n devices.
func NewQueue(n int) *Queue {
	return &Queue{heap: make([]entry, 0, n), place: make([]uint32, 0, n)}
}

// Len is how many devices are queued.
func (q *Queue) Len() int { return len(q.heap) }

// Set queues the device for a time, in place of the one it had. Never removes it.
func (q *Queue) Set(number uint32, at int64) {
	if at == Never {
		q.Remove(number)
		return
	}
	for int(number) >= len(q.place) {
		q.place = append(q.place, 0)
	}
	e := entry{seconds(at), number}
	if i := int(q.place[number]) - 1; i >= 0 {
		old := q.heap[i]
		q.heap[i] = e
		if e.at < old.at {
			q.up(i)
		} else {
			q.down(i)
		}
		return
	}
	q.heap = append(q.heap, e)
	q.up(len(q.heap) - 1)
}

// Remove takes the device out.
func (q *Queue) Remove(number uint32) {
	if int(number) >= len(q.place) || q.place[number] == 0 {
		return
	}
	i, last := int(q.place[number])-1, len(q.heap)-1
	q.place[number] = 0
	moved := q.heap[last]
	q.heap = q.heap[:last]
	if i < last {
		q.heap[i] = moved
		q.down(i)
		q.up(int(q.place[moved.number]) - 1)
	}
}

// Min is the device that is due first, and when; ok is false if none is queued.
func (q *Queue) Min() (number uint32, at int64, ok bool) {
	if len(q.heap) == 0 {
		return 0, Never, false
	}
	return q.heap[0].number, int64(q.heap[0].at), true
}

func (q *Queue) put(i int, e entry) {
	q.heap[i] = e
	q.place[e.number] = uint32(i) + 1 //nolint:gosec // numbers are 32 bits
}

func (q *Queue) up(i int) {
	e := q.heap[i]
	for i > 0 {
		parent := (i - 1) / 4
		if !e.before(q.heap[parent]) {
			break
		}
		q.put(i, q.heap[parent])
		i = parent
	}
	q.put(i, e)
}

func (q *Queue) down(i int) {
	e := q.heap[i]
	for {
		first := 4*i + 1
		if first >= len(q.heap) {
			break
		}
		least := first
		for c := first + 1; c < min(first+4, len(q.heap)); c++ {
			if q.heap[c].before(q.heap[least]) {
				least = c
			}
		}
		if !q.heap[least].before(e) {
			break
		}
		q.put(i, q.heap[least])
		i = least
	}
	q.put(i, e)
}
