package idp

import "time"

// SetPace has the loops turn faster than a configuration may. To be called before anything else.
func (t *Transport) SetPace(poll, statuses time.Duration) {
	t.cfg.Poll, t.cfg.Statuses = poll, statuses
}

// SetPatience has calls end sooner than a configuration may. To be called before anything else.
func (t *Transport) SetPatience(d time.Duration) { t.gateway.client.Timeout = d }

// SetClock replaces the clock. To be called before anything else.
func (t *Transport) SetClock(now func() time.Time) { t.now = now }

// SetWrite replaces what writes the file. To be called before anything else.
func (t *Transport) SetWrite(put func(path, text string) error) { t.state.put = put }

// Mark is where messages were read up to.
func (t *Transport) Mark() time.Time { return t.state.at() }

// Under is how many messages to terminals are under way.
func (t *Transport) Under() int { return len(t.state.under()) }
