package presence

// A Queue says which device is due next. Setting and removing take O(log n) and, once it has grown, allocate nothing. It is a heap of four children
// ordered by time, then number, so that its order does not depend on how it came about.
type Queue struct {
	heap  []entry
	place []int32          // of each slot in the heap
	slots map[uint32]int32 // by number
	free  []int32
}

type entry struct {
	at     int64
	number uint32
	slot   int32
}

func (e entry) before(o entry) bool { return e.at < o.at || e.at == o.at && e.number < o.number }

// NewQueue is an empty queue with room for n devices.
func NewQueue(n int) *Queue {
	return &Queue{heap: make([]entry, 0, n), place: make([]int32, 0, n), slots: make(map[uint32]int32, n)}
}

// Len is how many devices are queued.
func (q *Queue) Len() int { return len(q.heap) }

// Set queues the device for a time, in place of the one it had. Never removes it.
func (q *Queue) Set(number uint32, at int64) {
	if at == Never {
		q.Remove(number)
		return
	}
	slot, ok := q.slots[number]
	if ok {
		i := q.place[slot]
		old := q.heap[i]
		q.heap[i].at = at
		if at < old.at {
			q.up(int(i))
		} else {
			q.down(int(i))
		}
		return
	}
	if n := len(q.free); n > 0 {
		slot, q.free = q.free[n-1], q.free[:n-1]
	} else {
		slot = int32(len(q.place)) //nolint:gosec // numbers are 32 bits
		q.place = append(q.place, 0)
	}
	q.slots[number] = slot
	q.heap = append(q.heap, entry{at, number, slot})
	q.up(len(q.heap) - 1)
}

// Remove takes the device out.
func (q *Queue) Remove(number uint32) {
	slot, ok := q.slots[number]
	if !ok {
		return
	}
	delete(q.slots, number)
	q.free = append(q.free, slot)
	i, last := int(q.place[slot]), len(q.heap)-1
	moved := q.heap[last]
	q.heap = q.heap[:last]
	if i < last {
		q.heap[i] = moved
		q.down(i)
		q.up(int(q.place[moved.slot]))
	}
}

// Min is the device that is due first, and when; ok is false if none is queued.
func (q *Queue) Min() (number uint32, at int64, ok bool) {
	if len(q.heap) == 0 {
		return 0, Never, false
	}
	return q.heap[0].number, q.heap[0].at, true
}

func (q *Queue) put(i int, e entry) {
	q.heap[i] = e
	q.place[e.slot] = int32(i) //nolint:gosec // numbers are 32 bits
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
