package check

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// cloudEvent is what the ledger reads of an event: its identity, by which exactly once is judged, and the link that it came by.
type cloudEvent struct {
	ID   string `json:"id"`
	Type string `json:"type"`
	Data struct {
		Link string `json:"link"`
	} `json:"data"`
}

// parseEvent reads an event as any consumer does.
func parseEvent(payload []byte) (e cloudEvent, err error) {
	if err := json.Unmarshal(payload, &e); err != nil {
		return e, fmt.Errorf("%w: %w", ErrEvent, err)
	}
	return e, nil
}

// skimEvent finds the same members without reading the rest, and says whether all were there. A quotation mark within a text is escaped, so no text
// can look like a member.
func skimEvent(payload []byte) (e cloudEvent, ok bool) {
	var found [3]bool
	for i, m := range []struct {
		name string
		to   *string
	}{{`"id":"`, &e.ID}, {`"type":"`, &e.Type}, {`"link":"`, &e.Data.Link}} {
		_, rest, there := bytes.Cut(payload, []byte(m.name))
		value, _, ends := bytes.Cut(rest, []byte{'"'})
		*m.to, found[i] = string(value), there && ends && bytes.IndexByte(value, '\\') < 0
	}
	return e, found == [3]bool{true, true, true}
}
