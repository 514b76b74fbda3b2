package idp

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A dialect writes calls.
type dialect interface {
	// bearer is the token for a call, "" if calls need none. It may make a call for it.
	bearer(ctx context.Context, g *gateway) (string, error)

	// forget drops a token that was refused, and reports whether there was one.
	forget(bearer string) bool

	// returns asks for what came since the mark, or from a message on if there is one.
	returns(mark time.Time, message uint64) call

	// statuses asks what became of messages to terminals since the mark, statusesOf what became of these.
	statuses(mark time.Time) call
	statusesOf(ids []uint64) call

	// forwards asks for messages to terminals.
	forwards(ids []uint64) call

	submit(user uint32, to string, payload []byte) call
	cancel(ids []uint64) call
}

// timeLayout is that of both dialects; times are UTC.
const timeLayout = "2006-01-02 15:04:05"

func formatTime(t time.Time) string { return t.UTC().Format(timeLayout) }

// parseTime reads a time of the gateway; it is zero if there is none that can be read.
func parseTime(s string) time.Time {
	for _, layout := range []string{timeLayout, "2006-01-02 15:04:05Z", time.RFC3339, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// v1 has account and password in each call.
type v1 struct{ account, password string }

func (*v1) bearer(context.Context, *gateway) (string, error) { return "", nil }
func (*v1) forget(string) bool                               { return false }

func (v *v1) get(what, path string, query url.Values) call {
	query.Set("access_id", v.account)
	query.Set("password", v.password)
	return call{what: what, path: path, query: query}
}

func (v *v1) returns(mark time.Time, message uint64) call {
	q := url.Values{"include_raw_payload": {"true"}, "include_type": {"true"}}
	if message > 0 {
		q.Set("from_id", strconv.FormatUint(message, 10))
	} else {
		q.Set("start_utc", formatTime(mark))
	}
	return v.get(whatPoll, "get_return_messages.json", q)
}

func (v *v1) statuses(mark time.Time) call {
	return v.get(whatStatuses, "get_forward_statuses.json", url.Values{"start_utc": {formatTime(mark)}})
}

func (v *v1) statusesOf(ids []uint64) call {
	return v.get(whatStatuses, "get_forward_statuses.json", url.Values{"fwIDs": {join(ids)}})
}

func (v *v1) forwards(ids []uint64) call {
	return v.get(whatForwards, "get_forward_messages.json", url.Values{"fwIDs": {join(ids)}})
}

func (v *v1) submit(user uint32, to string, payload []byte) call {
	type message struct {
		DestinationID string
		UserMessageID uint32
		RawPayload    []uint16 // a list of numbers: bytes would be base64
	}
	m := message{DestinationID: to, UserMessageID: user, RawPayload: make([]uint16, len(payload))}
	for i, b := range payload {
		m.RawPayload[i] = uint16(b)
	}
	return call{what: whatSubmit, path: "submit_messages.json", body: encode(map[string]any{
		"accessID": v.account, "password": v.password, "messages": []message{m},
	})}
}

func (v *v1) cancel(ids []uint64) call {
	return v.get(whatCancel, "submit_cancelations.json", url.Values{"fwIDs": {join(ids)}})
}

// What calls are for, in errors and logs.
const (
	whatToken    = "fetch a token"
	whatPoll     = "poll messages"
	whatStatuses = "poll statuses"
	whatForwards = "look up messages"
	whatSubmit   = "submit a message"
	whatCancel   = "cancel messages"
)

func join(ids []uint64) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = strconv.FormatUint(id, 10)
	}
	return strings.Join(texts, ",")
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("idp: " + err.Error()) // our own types are wrong
	}
	return b
}

// ogws has a token for calls.
type ogws struct {
	account, password string
	now               func() time.Time

	lock  chan struct{} // guards what follows; held while a token is fetched
	token string
	until time.Time
}

// Tokens.
const (
	tokenLife   = 24 * time.Hour // that is asked for, and believed at most
	tokenMargin = time.Minute    // before its end a token is fetched anew
)

func (o *ogws) bearer(ctx context.Context, g *gateway) (string, error) {
	select {
	case o.lock <- struct{}{}:
	case <-ctx.Done():
		return "", &callError{what: whatToken, err: ctx.Err()}
	}
	defer func() { <-o.lock }()
	if o.token != "" && o.now().Before(o.until) {
		return o.token, nil
	}
	form := url.Values{
		"client_id": {o.account}, "client_secret": {o.password}, "grant_type": {"client_credentials"},
		"expires_in": {strconv.Itoa(int(tokenLife / time.Second))},
	}
	body, err := g.once(ctx, call{what: whatToken, path: "auth/token", body: []byte(form.Encode()), form: true}, "")
	if err != nil {
		return "", tokenError(err)
	}
	token, life, err := parseToken(body)
	if err != nil {
		return "", &callError{what: whatToken, err: err}
	}
	o.token, o.until = token, o.now().Add(max(life-tokenMargin, life/2))
	return o.token, nil
}

// tokenError is what a failed call for a token means for the call that needed it: nothing of that has left. RFC 6749 §5.2 has 400 for an account that is refused.
func tokenError(err error) error {
	e, ok := err.(*callError) //nolint:errorlint // once makes no others
	if !ok {
		return err
	}
	e.connected = false
	if e.status == http.StatusBadRequest {
		e.failure = refusedAuth
	}
	return e
}

func (o *ogws) forget(bearer string) bool {
	o.lock <- struct{}{}
	defer func() { <-o.lock }()
	if o.token == bearer {
		o.token = ""
	}
	return bearer != ""
}

func (*ogws) returns(mark time.Time, _ uint64) call {
	return call{what: whatPoll, path: "get/re_messages", query: url.Values{
		"FromUTC": {formatTime(mark)}, "IncludeTypes": {"true"}, "IncludeRawPayload": {"true"},
	}}
}

func (*ogws) statuses(mark time.Time) call {
	return call{what: whatStatuses, path: "get/fw_status_updates", query: url.Values{"FromUTC": {formatTime(mark)}}}
}

func (*ogws) statusesOf(ids []uint64) call {
	return call{what: whatStatuses, path: "get/fw_statuses", query: url.Values{"IDList": {join(ids)}}}
}

func (*ogws) forwards(ids []uint64) call {
	return call{what: whatForwards, path: "get/fw_messages", query: url.Values{"IDList": {join(ids)}}}
}

func (*ogws) submit(user uint32, to string, payload []byte) call {
	type message struct {
		DestinationID string
		UserMessageID uint32
		RawPayload    []byte
	}
	return call{what: whatSubmit, path: "submit/messages", body: encode([]message{{to, user, payload}})}
}

func (*ogws) cancel(ids []uint64) call {
	return call{what: whatCancel, path: "submit/cancellations", body: encode(ids)}
}
