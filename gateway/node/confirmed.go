package node

import (
	"github.com/godwit-gateway/godwit/transports/cloudloop"
	"github.com/godwit-gateway/godwit/transports/directip"
	"github.com/godwit-gateway/godwit/transports/idp"
	"github.com/godwit-gateway/godwit/transports/rockblock"
)

// What networks were told of messages, each time that one was told of.
const (
	outcomeTaken  = "taken"  // the network need not keep it
	outcomeKept   = "kept"   // the network has to keep it, and brings it again
	outcomeUnsaid = "unsaid" // the connection was lost before the network could be told; what came of the message is counted beside
	outcomeLate   = "late"   // the network was told to come again, since the sink took long; what came of the message is counted beside
)

func confirmedDirectIP(s directip.Stats) map[string]uint64 {
	taken := s.Failed + s.Empty + s.Repeated + s.Stored + s.Duplicate + s.Quarantined + s.Rejected
	return map[string]uint64{outcomeTaken: taken, outcomeKept: s.Unconfirmed, outcomeUnsaid: s.Unanswered}
}

func confirmedRockBLOCK(s rockblock.Stats) map[string]uint64 {
	taken := s.Empty + s.Repeated + s.Stored + s.Duplicate + s.Quarantined
	return map[string]uint64{outcomeTaken: taken, outcomeKept: s.Rejected + s.Unconfirmed, outcomeLate: s.Late}
}

func confirmedIDP(s idp.Stats) map[string]uint64 {
	return map[string]uint64{outcomeTaken: s.Stored + s.Duplicate + s.Quarantined + s.Rejected, outcomeKept: s.Unconfirmed}
}

func confirmedCloudloop(s cloudloop.Stats) map[string]uint64 {
	return map[string]uint64{outcomeTaken: s.Empty + s.Stored + s.Duplicate + s.Quarantined + s.Rejected, outcomeKept: s.Unconfirmed}
}
