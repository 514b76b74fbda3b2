package hub

// Queued is the number of requests that wait for the committer.
func Queued(h *Hub) int { return len(h.queue) }
