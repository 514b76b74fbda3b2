package radio

// before reports whether copy i of the heap is due before copy j.
func (l *Link[T]) before(i, j int) bool {
	a, b := &l.queue[i], &l.queue[j]
	if a.At.Equal(b.At) {
		return a.seq < b.seq
	}
	return a.At.Before(b.At)
}

// push adds a copy to the heap. container/heap would box each copy.
func (l *Link[T]) push(c copyOf[T]) {
	l.queue = append(l.queue, c)
	for i := len(l.queue) - 1; i > 0; {
		parent := (i - 1) / 2
		if !l.before(i, parent) {
			return
		}
		l.queue[i], l.queue[parent] = l.queue[parent], l.queue[i]
		i = parent
	}
}

// pop takes the copy that is due first out of the heap, which must not be empty.
func (l *Link[T]) pop() copyOf[T] {
	first, end := l.queue[0], len(l.queue)-1
	l.queue[0] = l.queue[end]
	l.queue[end] = copyOf[T]{} // lets go of the item
	l.queue = l.queue[:end]
	for i := 0; ; {
		child := 2*i + 1
		if child >= end {
			return first
		}
		if child+1 < end && l.before(child+1, child) {
			child++
		}
		if !l.before(child, i) {
			return first
		}
		l.queue[i], l.queue[child] = l.queue[child], l.queue[i]
		i = child
	}
}
