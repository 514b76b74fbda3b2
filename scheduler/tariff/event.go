package tariff

import (
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
)

// An Event is something that may be charged. Numbers below 0 count as 0.
type Event struct {
	Time      time.Time
	Direction Direction // MO, MT or Relay; Both counts as MO
	Kind      Kind
	Bytes     int64 // of the message as it was given to the link, with what our own framing and encryption add
	Overhead  int64 // bytes besides that the link has carried: what was sent again, handshakes
	Parts     int64 // of a long message; 0: as many as its bytes need
	Items     int64 // pieces of data in it; 0: one
	Repeats   int64 // times that it was sent on purpose: beams times repeats of a broadcast; 0: once
	Failed    bool  // it did not arrive, and the network knows
	Riding    bool  // a mailbox check that rides on a message

	// The session in which it went; 0: one of its own. A device is taken to have one session at a time.
	Session uint64
	Opened  time.Time // of the session; zero: at its first event
	Closed  bool      // the session ends with the event
}

// A Charge is what an event costs.
type Charge struct {
	Units   int64            // billed: credits, parts, messages, events, sessions; of other units the bytes
	Bytes   int64            // billed
	Allowed int64            // of what is billed, came from an allowance: in bytes, or in what is counted
	Micros  scheduler.Micros // to pay
}

// A Line says why a term charges what it does.
type Line struct {
	Term    string           `json:"term"`
	Text    string           `json:"text"`
	Units   int64            `json:"units"`
	Bytes   int64            `json:"bytes"`
	Allowed int64            `json:"allowed"`
	Micros  scheduler.Micros `json:"price"`
}
