package hub

// Queued is the number of requests that wait for the committer.
func Queued(h *Hub) int { return len(h.queue) }

// Woken reports whether the loop of a link was woken since it was asked last.
func Woken(h *Hub, link string) bool {
	select {
	case <-h.links[link].wakeup:
		return true
	default:
		return false
	}
}
