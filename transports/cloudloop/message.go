package cloudloop

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// errMalformed is wrapped by errors for messages that cannot be read.
var errMalformed = errors.New("malformed")

// text is a text, or what stands in its place: the same field is a number here and a text there.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(b []byte) error {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	switch v := v.(type) {
	case nil:
		*t = ""
	case string:
		*t = text(v)
	case float64, bool:
		*t = text(b) // as it is written
	default:
		return fmt.Errorf("%w: no text and no number", errMalformed)
	}
	return nil
}

// number is 0 for what is none.
func (t text) number() int {
	n, err := strconv.Atoi(string(t))
	if err != nil {
		return 0
	}
	return n
}

// page is an answer with messages.
type page struct {
	LastRetreived text              `json:"lastMessageRetreived"`
	LastRetrieved text              `json:"lastMessageRetrieved"`
	LastReceived  text              `json:"lastMessageReceived"`
	Messages      []json.RawMessage `json:"messages"`
}

// message is one from a modem.
type message struct {
	id       string
	hardware string // Cloudloop's id of the modem
	imei     string // if the message tells
	at       time.Time
	received time.Time // by Cloudloop
	payload  []byte    // empty: the session was for what waits for the modem
	raw      []byte    // of one that cannot be read: as it came
}

// parse reads the messages of a page. One that cannot be read takes nothing away from the others.
func (p *page) parse() []message {
	out := make([]message, len(p.Messages))
	for i, b := range p.Messages {
		var err error
		if out[i], err = parseMessage(b); err != nil || len(out[i].payload) > UplinkMax {
			out[i].raw, out[i].payload = b[:min(len(b), rawMax)], nil
		}
	}
	return out
}

func parseMessage(b []byte) (m message, err error) {
	var fields struct {
		ID       text `json:"id"`
		Hardware text `json:"hardware"`
		IMEI     text `json:"imei"`
		Payload  text `json:"payload"`
		TxAt     text `json:"txAt"`
		RxAt     text `json:"rxAt"`
	}
	if err := json.Unmarshal(b, &fields); err != nil {
		return m, fmt.Errorf("%w: %w", errMalformed, err)
	}
	m = message{id: string(fields.ID), hardware: string(fields.Hardware), at: parseTime(string(fields.TxAt)), received: parseTime(string(fields.RxAt))}
	if transports.ValidIMEI(string(fields.IMEI)) {
		m.imei = string(fields.IMEI)
	}
	m.payload, err = parsePayload(string(fields.Payload))
	return m, err
}

// parsePayload reads hexadecimal, or else base64.
func parsePayload(s string) ([]byte, error) {
	if b, err := hex.DecodeString(s); err == nil {
		return b, nil
	}
	b, err := base64.RawStdEncoding.Strict().DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return nil, fmt.Errorf("%w: the payload is neither hexadecimal nor base64", errMalformed)
	}
	return b, nil
}

// timeLayout is Java's ISO_LOCAL_DATE_TIME; fractions of seconds may follow.
const timeLayout = "2006-01-02T15:04:05"

// parseTime reads a time, in UTC where no zone is told. One that cannot be read takes nothing away from the payload.
func parseTime(s string) time.Time {
	for _, layout := range []string{timeLayout, time.RFC3339, "2006-01-02 15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// next is the mark behind a page: what the web service calls it, or else the message that it received last, in whatever order they stand: of two with one time
// either will do, for what is behind the mark then comes again and moves it on. "" if the page has nothing but the mark before it.
func (p *page) next(messages []message, at string) string {
	if len(messages) == 0 {
		return ""
	}
	if named := cmp.Or(p.LastRetrieved, p.LastRetreived, p.LastReceived); named != "" {
		return string(named)
	}
	last := message{}
	for i := range messages {
		if m := &messages[i]; m.id != "" && m.id != at && !m.received.Before(last.received) {
			last = *m
		}
	}
	return last.id
}
