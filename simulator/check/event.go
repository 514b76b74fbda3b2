package check

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// read is what the ledger reads of an event: its identity, by which exactly once is judged, what it is, and the link that it came by. It may alias the event.
type read struct{ id, kind, link []byte }

// parseEvent reads an event as any consumer does.
func parseEvent(payload []byte) (read, error) {
	var e struct {
		ID   string `json:"id"`
		Type string `json:"type"`
		Data struct {
			Link string `json:"link"`
		} `json:"data"`
	}
	if err := json.Unmarshal(payload, &e); err != nil {
		return read{}, fmt.Errorf("%w: %w", ErrEvent, err)
	}
	return read{[]byte(e.ID), []byte(e.Type), []byte(e.Data.Link)}, nil
}

// skimEvent finds the same members without reading the rest, and says whether all were there. A quotation mark within a text is escaped, so no text
// can look like a member.
func skimEvent(payload []byte) (e read, ok bool) {
	var id, kind, link bool
	e.id, id = skim(payload, `"id":"`)
	e.kind, kind = skim(payload, `"type":"`)
	e.link, link = skim(payload, `"link":"`)
	return e, id && kind && link
}

func skim(payload []byte, name string) (value []byte, ok bool) {
	_, rest, there := bytes.Cut(payload, []byte(name))
	value, _, ends := bytes.Cut(rest, []byte{'"'})
	return value, there && ends && bytes.IndexByte(value, '\\') < 0
}
