package publish

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/gateway/store"
)

// meta is what the publisher remembers. Confirmed may be behind after a crash: it is found anew from the stream.
type meta struct {
	Version    int               `json:"version"`
	Created    time.Time         `json:"created"`     // of the stream
	Server     string            `json:"server"`      // that served it last
	Confirmed  uint64            `json:"confirmed"`   // last event that is on the stream
	Verified   uint64            `json:"verified"`    // last event that was read back
	VerifiedAt uint64            `json:"verified_at"` // sequence up to which the stream was read back
	Base       int64             `json:"base"`        // sequence minus number of the last event on the stream
	Filled     map[uint64]filled `json:"filled"`      // events appended again because a hole was found in their place
	Replay     uint64            `json:"replay"`      // generation of the last replay
	ReplayTo   uint64            `json:"replay_to"`   // events up to here go out with the generation in their message id
	Marks      []mark            `json:"marks"`       // oldest first
	Gap        uint64            `json:"gap"`         // first event after those that stream and outbox have both lost
	Others     []string          `json:"others"`      // stores whose events were taken over
}

// filled is where the second copy of an event is.
type filled struct {
	Sequence uint64 `json:"sequence"`
	Verified bool   `json:"verified"` // it was read back
}

// mark says that at a time all events up to a number had been read back.
type mark struct {
	Oseq uint64    `json:"oseq"`
	At   time.Time `json:"at"`
}

const (
	metaVersion = 1
	othersMax   = 16
)

func loadMeta(s *store.Store) (meta, error) {
	m := meta{Version: metaVersion}
	raw, err := s.PublisherMeta()
	if err == nil && raw != nil {
		if err = json.Unmarshal(raw, &m); err != nil {
			return m, fmt.Errorf("read the publisher's bookkeeping: %w", err)
		}
	}
	if err != nil {
		return m, err
	}
	if m.Version != metaVersion {
		return m, fmt.Errorf("publisher's bookkeeping of version %d: %w", m.Version, store.ErrNewerFormat)
	}
	if m.Filled == nil {
		m.Filled = make(map[uint64]filled)
	}
	return m, nil
}

func (m *meta) save(s *store.Store, sync bool) error {
	raw, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode the publisher's bookkeeping: %w", err)
	}
	return s.PutPublisherMeta(raw, sync)
}

// sequence is where on the stream an event should be, if nobody else wrote since.
func (m *meta) sequence(oseq uint64) uint64 {
	return uint64(max(1, int64(oseq)+m.Base)) //nolint:gosec // both fit
}

// end says that the stream's end, at a sequence, is just after the last event that is confirmed.
func (m *meta) end(last uint64) {
	m.Base = int64(last) - int64(m.Confirmed) //nolint:gosec // both fit
}

// known reports whether a store's events may be on our stream.
func (m *meta) known(publisher, own string) bool {
	return publisher == own || slices.Contains(m.Others, publisher)
}

func (m *meta) learn(publisher string) {
	if !slices.Contains(m.Others, publisher) {
		m.Others = append(m.Others, publisher)
		m.Others = m.Others[max(0, len(m.Others)-othersMax):]
	}
}

// unverify forgets what was read back after an event.
func (m *meta) unverify(oseq, sequence uint64) {
	if oseq < m.Verified {
		m.Verified = oseq
		m.Marks = slices.DeleteFunc(m.Marks, func(k mark) bool { return k.Oseq > oseq })
	}
	m.VerifiedAt = sequence
}
