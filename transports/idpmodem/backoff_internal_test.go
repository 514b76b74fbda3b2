package idpmodem

import (
	"errors"
	"testing"
	"time"
)

// Looks come later and later for as long as each leaves something, and as usual behind the first that leaves nothing, messages or none.
func TestBackoffEnds(t *testing.T) {
	s := &session{t: &Transport{timing: timingDefault, cfg: Config{Poll: PollDefault}}, poll: time.NewTimer(time.Hour)}
	defer s.poll.Stop()
	for i, seconds := range []int{2, 4, 8, 16, 32, 60, 60} {
		want := time.Duration(seconds) * time.Second
		s.later()
		if err := s.looked(nil); err != nil || s.backoff != want {
			t.Errorf("look %d: back-off %s (%v), want %s", i, s.backoff, err, want)
		}
	}
	if err := s.looked(errTimeout); !errors.Is(err, errTimeout) || s.backoff != time.Minute {
		t.Errorf("a look that failed ends the back-off: %s, %v", s.backoff, err)
	}
	if err := s.looked(nil); err != nil || s.backoff != 0 {
		t.Errorf("back-off %s (%v), want none", s.backoff, err)
	}
}
