package recent

import "sync"

// A Map is a map that forgets what was put in first. Safe for concurrent use.
type Map[K comparable, V any] struct {
	mu     sync.Mutex
	values map[K]V // guarded by mu
	order  []K     // a ring; guarded by mu
	next   int     // guarded by mu
}

// New returns a map of that many entries at most.
func New[K comparable, V any](most int) *Map[K, V] {
	return &Map[K, V]{values: make(map[K]V), order: make([]K, 0, most)}
}

// Get returns what was put in, if it is not forgotten.
func (m *Map[K, V]) Get(k K) (v V, there bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, there = m.values[k]
	return v, there
}

// Put remembers something. What is there already gets the new value and becomes no younger.
func (m *Map[K, V]) Put(k K, v V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, there := m.values[k]; !there {
		if len(m.order) < cap(m.order) {
			m.order = append(m.order, k)
		} else {
			delete(m.values, m.order[m.next])
			m.order[m.next] = k
			m.next = (m.next + 1) % len(m.order)
		}
	}
	m.values[k] = v
}
