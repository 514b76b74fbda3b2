package hub

import "github.com/godwit-gateway/godwit/transports"

// Queued is the number of requests that wait for the committer.
func Queued(h *Hub) int { return len(h.queue) }

// JoinRow tells apart the rows in which failed joins are counted, by where they come from and the number that they name.
func JoinRow(h *Hub, from transports.Address, number uint32) any {
	return h.failures.row(h.joinFailureKey(&transports.Uplink{From: from}, number))
}

// PretendParked has so many more frames of others wait for their base, as far as the limit of all is concerned; ParkedMax is that limit.
func PretendParked(h *Hub, n int) { h.parkedCount += n }

// ParkedMax is how many frames of all devices wait at most.
const ParkedMax = parkedMax

// So many devices are looked at, and written, while frames wait.
const (
	LooksAtOnce  = looksAtOnce
	WritesAtOnce = writesAtOnce
)
