package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/simulator/check"
)

// A Link is what happened on one link.
type Link struct {
	Sent        uint64 `json:"sent"`         // transmissions of the devices, repeats included
	Received    uint64 `json:"received"`     // payloads that the driver handed over, copies included
	Accepted    uint64 `json:"accepted"`     // of these, new frames
	Duplicate   uint64 `json:"duplicate"`    // of these, frames that were stored before
	Rejected    uint64 `json:"rejected"`     // of these, neither
	Events      uint64 `json:"events"`       // events of frames, as read from the stream
	Bytes       uint64 `json:"bytes"`        // of payload sent
	BytesBilled uint64 `json:"bytes_billed"` // what the network would bill for it
}

// A Summary is the outcome of a demo.
type Summary struct {
	Links        map[string]Link `json:"links"`
	Acknowledged int             `json:"acknowledged"` // distinct frames acknowledged to their device, or confirmed to their network
	Events       int             `json:"events"`       // events of frames, one for each frame if all is well
	Lost         int             `json:"lost"`         // frames acknowledged that have no event
	Doubled      int             `json:"doubled"`      // frames with more than one event
	Kinds        map[string]int  `json:"kinds"`        // events of frames by kind
	Spent        string          `json:"spent"`        // on text messages and satellites, in EUR, by the tariffs of the configuration
	Told         int             `json:"told"`         // devices that run an interval that they were told
	TellsSMS     string          `json:"tells_sms"`    // the longest of those on SMS; "": none was told
	Rollout      *Rollout        `json:"rollout"`      // of the trucks' update; null: it has not begun

	result  check.Result
	pending int // frames that were neither acknowledged nor lost with certainty when the demo ended
}

// ErrBroken is wrapped by the error of a demo in which the promise was not kept.
var ErrBroken = errors.New("not every acknowledged frame became exactly one event")

// Err is nil if every distinct frame that was acknowledged became exactly one event, and there were any.
func (s *Summary) Err() error {
	if err := s.result.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrBroken, err)
	}
	if s.Acknowledged == 0 {
		return fmt.Errorf("%w: nothing was acknowledged at all", ErrBroken)
	}
	return nil
}

// WriteJSON writes the summary as one line.
func (s *Summary) WriteJSON(w io.Writer) error {
	if err := json.NewEncoder(w).Encode(s); err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	return nil
}

// WriteTable writes the summary for people.
func (s *Summary) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(t, "link\tsent\treceived\taccepted\tduplicate\trejected\tevents\tbytes\tbilled\tof payload\t")
	for _, name := range s.names() {
		l := s.Links[name]
		_, _ = fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t\n", name, l.Sent, l.Received, l.Accepted, l.Duplicate, l.Rejected, l.Events, l.Bytes, l.BytesBilled,
			l.ratio())
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	if _, err := fmt.Fprintf(w, "spent %s EUR; %d devices run an interval that they were told%s\n", s.Spent, s.Told, s.sms()); err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	if s.Rollout != nil {
		if _, err := fmt.Fprintln(w, s.Rollout); err != nil {
			return fmt.Errorf("write the summary: %w", err)
		}
	}
	_, err := fmt.Fprintf(w, "acknowledged %d, events %d, lost %d, doubled %d\n", s.Acknowledged, s.Events, s.Lost, s.Doubled)
	if err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	return nil
}

// ratio is what is billed, in hundredths of the payload.
func (l *Link) ratio() string {
	if l.Bytes == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f %%", 100*float64(l.BytesBilled)/float64(l.Bytes))
}

func (s *Summary) sms() string {
	if s.TellsSMS == "" {
		return ""
	}
	return ", on SMS up to " + s.TellsSMS
}

func (s *Summary) names() []string {
	names := make([]string, 0, len(s.Links))
	for name := range s.Links {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// line is the summary in one line, for a terminal.
func (s *Summary) line() string {
	var b strings.Builder
	fmt.Fprintf(&b, "acknowledged %d, events %d, waiting %d; spent %s EUR, told %d%s", s.Acknowledged, s.Events, s.pending, s.Spent, s.Told, s.sms())
	if r := s.Rollout; r != nil {
		fmt.Fprintf(&b, "; %s %d of %d", r.Version, r.Standings[rollout.Confirmed.String()], r.Devices)
	}
	b.WriteString("; sent>received")
	for _, name := range s.names() {
		fmt.Fprintf(&b, " %s %d>%d", name, s.Links[name].Sent, s.Links[name].Received)
	}
	return b.String()
}
