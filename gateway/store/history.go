package store

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A HistoryQuery selects frames of one device by time of receipt.
type HistoryQuery struct {
	From   time.Time // the first millisecond that counts; zero: no bound
	To     time.Time // the first that does not; zero: no bound
	Limit  int       // at most so many
	Cursor string    // what an earlier call returned as next
}

// A HistoryFrame is a stored frame with its key.
type HistoryFrame struct {
	Key   FrameKey
	Frame Frame
}

// History returns a device's frames, the newest first, and the cursor of what follows, "" at the end.
func (s *Store) History(number uint32, q HistoryQuery) ([]HistoryFrame, string, error) {
	lower, upper := timesOf(number)
	if !q.From.IsZero() {
		lower = appendTimePrefix(nil, number, clampMillis(q.From))
	}
	if !q.To.IsZero() {
		upper = appendTimePrefix(nil, number, clampMillis(q.To))
	}
	if q.Cursor != "" {
		k, ms, err := parseHistoryCursor(q.Cursor)
		if err != nil {
			return nil, "", err
		}
		k.Number = number
		upper = appendTimeKey(nil, k, ms)
	}
	it, err := s.iter(lower, upper)
	if err != nil {
		return nil, "", err
	}
	var out []HistoryFrame
	next := ""
	for ok := it.Last(); ok; ok = it.Prev() {
		k, ms, good := parseTimeKey(it.Key())
		if !good {
			err = fmt.Errorf("time index: %w: %x", ErrRow, it.Key())
			break
		}
		f, found, ferr := s.Frame(k)
		if ferr != nil {
			err = ferr
			break
		}
		if !found {
			continue // deleted since the iterator was made
		}
		out = append(out, HistoryFrame{Key: k, Frame: f})
		if len(out) >= q.Limit {
			if it.Prev() {
				next = historyCursor(k, ms)
			}
			break
		}
	}
	if cerr := closeIter(it); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, "", fmt.Errorf("history: %w", err)
	}
	return out, next, nil
}

// EachFrame calls f with the frames of a device that were received from a time on and before another, in their order. What f is given is its to keep. An error
// of f ends the walk.
func (s *Store) EachFrame(number uint32, from, to time.Time, f func(k FrameKey, f *Frame) error) error {
	lower, upper := appendTimePrefix(nil, number, clampMillis(from)), appendTimePrefix(nil, number, clampMillis(to))
	return s.walk(lower, upper, func(key, _ []byte) error {
		k, _, ok := parseTimeKey(key)
		if !ok {
			return fmt.Errorf("%w: time index key %x", ErrRow, key)
		}
		row, found, err := s.Frame(k)
		if err != nil || !found {
			return err // a row that is not found was deleted since the walk began
		}
		return f(k, &row)
	})
}

// timesOf bounds a device's part of the time index.
func timesOf(number uint32) (lower, upper []byte) {
	lower = appendTimePrefix(nil, number, 0)
	return lower, after(lower[:1+4])
}

// historyCursor is the place of a frame in its device's time index.
func historyCursor(k FrameKey, ms uint64) string {
	return strconv.FormatUint(ms, 10) + "." + strconv.FormatUint(uint64(k.Epoch), 10) + "." + strconv.FormatUint(k.Counter, 10)
}

func parseHistoryCursor(s string) (FrameKey, uint64, error) {
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return FrameKey{}, 0, fmt.Errorf("%w: %q", ErrCursor, s)
	}
	ms, err1 := strconv.ParseUint(parts[0], 10, 48)
	epoch, err2 := strconv.ParseUint(parts[1], 10, 32)
	counter, err3 := strconv.ParseUint(parts[2], 10, 64)
	if err1 != nil || err2 != nil || err3 != nil {
		return FrameKey{}, 0, fmt.Errorf("%w: %q", ErrCursor, s)
	}
	return FrameKey{Epoch: uint32(epoch), Counter: counter}, ms, nil
}
