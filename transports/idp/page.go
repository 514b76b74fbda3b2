package idp

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Bounds of an answer.
const (
	depthMax   = 32
	objectsMax = 1 << 18
	tokenMax   = 16 << 10
)

// errAnswer is wrapped by errors for answers that make no sense.
var errAnswer = errors.New("the answer cannot be read")

// A page is an answer of the gateway, in either dialect. What is null there is zero here.
type page struct {
	ErrorID      *int
	More         bool
	NextStartUTC string
	NextFromUTC  string // the same in OGWS
	NextStartID  int64
	Messages     []json.RawMessage
	Statuses     []status
	Submissions  []submission
}

// A status is what became of a message to a terminal.
type status struct {
	ForwardMessageID uint64
	ID               uint64 // the same in OGWS
	State            int
	IsClosed         bool
	ErrorID          int
	StateUTC         string
	StatusUTC        string // the same in OGWS
}

func (s *status) id() uint64    { return max(s.ForwardMessageID, s.ID) }
func (s *status) at() time.Time { return parseTime(cmp.Or(s.StateUTC, s.StatusUTC)) }

// A submission is what the gateway says of one message that was submitted, or cancelled.
type submission struct {
	ErrorID              int
	ForwardMessageID     int64 // -1 if there is none
	ID                   int64 // the same in OGWS
	OTAMessageSize       int
	StateUTC             string
	TerminalWakeupPeriod int // seconds
	ScheduledSendUTC     string
}

func (s *submission) id() uint64 { return uint64(max(s.ForwardMessageID, s.ID, 0)) }

// next is the mark that the gateway names, zero if it names none.
func (p *page) next() time.Time { return parseTime(cmp.Or(p.NextStartUTC, p.NextFromUTC)) }

// parsePage reads an answer, and makes an error of one that says an error.
func parsePage(what string, body []byte) (*page, error) {
	malformed := func(err error) (*page, error) {
		return nil, &callError{what: what, failure: unreachable, connected: true, err: fmt.Errorf("%w: %w", errAnswer, err)}
	}
	if !shallow(body) {
		return malformed(fmt.Errorf("it is nested more than %d deep, or has more than %d objects", depthMax, objectsMax))
	}
	inner, err := unwrap(body)
	if err != nil {
		return malformed(err)
	}
	p := &page{}
	if err := json.Unmarshal(inner, p); err != nil {
		return malformed(withoutJSON(err))
	}
	if code := p.ErrorID; code != nil && *code != 0 {
		return nil, &callError{what: what, failure: meaning(*code), code: *code, connected: true, answered: true, err: saidError(*code)}
	}
	if p.ErrorID == nil && p.Messages == nil && p.Statuses == nil && p.Submissions == nil {
		return malformed(errors.New("it is not the gateway's"))
	}
	return p, nil
}

// unwrap takes an answer out of an object of which it is all, as SubmitForwardMessages_JResult.
func unwrap(body []byte) (json.RawMessage, error) {
	var whole map[string]json.RawMessage
	if err := json.Unmarshal(body, &whole); err != nil {
		return nil, withoutJSON(err)
	}
	if whole == nil {
		return nil, errors.New("it is null")
	}
	for name, inner := range whole {
		if len(whole) == 1 && strings.HasSuffix(name, "Result") {
			return inner, nil
		}
	}
	return body, nil
}

// withoutJSON is an error of encoding/json without what was read.
func withoutJSON(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("it is no JSON from byte %d on", syntax.Offset)
	}
	return errors.New("it has values of other types")
}

// parseToken reads the answer of RFC 6749 §5.1.
func parseToken(body []byte) (token string, life time.Duration, err error) {
	var t struct {
		AccessToken string  `json:"access_token"`
		TokenType   string  `json:"token_type"`
		ExpiresIn   float64 `json:"expires_in"`
	}
	if !shallow(body) {
		return "", 0, errAnswer
	}
	if err := json.Unmarshal(body, &t); err != nil {
		return "", 0, fmt.Errorf("%w: %w", errAnswer, withoutJSON(err))
	}
	if t.AccessToken == "" || len(t.AccessToken) > tokenMax || !strings.EqualFold(t.TokenType, "bearer") || strings.ContainsFunc(t.AccessToken, notGraphic) {
		return "", 0, fmt.Errorf("%w: it has no bearer token", errAnswer)
	}
	life = time.Duration(min(max(t.ExpiresIn, 0), tokenLife.Seconds()) * float64(time.Second))
	return t.AccessToken, life, nil
}

func notGraphic(r rune) bool { return r <= ' ' || r > '~' }

// shallow reports whether JSON is nested and branched no more than answers are. What it costs to read is bounded then.
func shallow(body []byte) bool {
	depth, objects, text := 0, 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '{', c == '[':
			depth++
			objects++
			if depth > depthMax || objects > objectsMax {
				return false
			}
		case c == '}', c == ']':
			depth--
		}
	}
	return true
}
