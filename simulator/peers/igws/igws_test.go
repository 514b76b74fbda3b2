package igws_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/igws"
)

const (
	account  = "70000001"
	password = "a&b"
	one      = "01000001SKYABC1"
	sleeper  = "01000002SKYABC2"
)

// asked is a service and what calls of it.
type asked struct {
	*igws.Service

	base  string
	token string
	now   time.Time
	taken []string
}

func ask(t *testing.T, o igws.Options) *asked {
	t.Helper()
	a := &asked{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	o.Account, o.Password, o.Now = account, password, func() time.Time { return a.now }
	o.Terminals = []igws.Terminal{{ID: one}, {ID: sleeper, Wake: 30 * time.Minute}}
	o.OnForward = func(terminal string, message []byte) { a.taken = append(a.taken, terminal+" "+string(message)) }
	a.Service = igws.New(o)
	server := httptest.NewServer(a.Service)
	t.Cleanup(server.Close)
	a.base = server.URL
	return a
}

// do makes a call and returns status and answer.
func (a *asked) do(t *testing.T, method, path, contentType string, body []byte) (int, map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, a.base+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Authorization", "Bearer "+a.token)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var answer map[string]any
	if json.Unmarshal(text, &answer) != nil {
		answer = map[string]any{"text": string(text)}
	}
	return res.StatusCode, answer
}

// v1 makes a GET in that dialect.
func (a *asked) v1(t *testing.T, path string, query url.Values) map[string]any {
	t.Helper()
	query.Set("access_id", account)
	query.Set("password", password)
	status, answer := a.do(t, http.MethodGet, igws.PathV1+path+"?"+query.Encode(), "", nil)
	if status != http.StatusOK {
		t.Fatalf("status %d: %v", status, answer)
	}
	return answer
}

func (a *asked) authorise(t *testing.T) {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {account}, "client_secret": {password}}
	status, answer := a.do(t, http.MethodPost, igws.PathOGWS+"auth/token", "application/x-www-form-urlencoded", []byte(form.Encode()))
	if status != http.StatusOK || answer["token_type"] != "bearer" {
		t.Fatalf("%d, %v", status, answer)
	}
	a.token, _ = answer["access_token"].(string)
}

func (a *asked) ogws(t *testing.T, path string, query url.Values) map[string]any {
	t.Helper()
	status, answer := a.do(t, http.MethodGet, igws.PathOGWS+path+"?"+query.Encode(), "", nil)
	if status != http.StatusOK {
		t.Fatalf("status %d: %v", status, answer)
	}
	return answer
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s: %s, want %s", what, g, w)
	}
}

const noon = "2026-03-01 12:00:00"

// Both dialects show the same messages, each in its form; without messages lists are null and marks empty.
func TestMessages(t *testing.T) {
	a := ask(t, igws.Options{Page: 2})
	a.authorise(t)
	since, from := url.Values{"start_utc": {noon}, "include_raw_payload": {"true"}}, url.Values{"FromUTC": {noon}}
	empty := a.v1(t, "get_return_messages.json", since)
	same(t, "empty v1", empty, map[string]any{"ErrorID": 0, "Messages": nil, "More": false, "NextStartID": -1, "NextStartUTC": ""})
	same(t, "empty OGWS", a.ogws(t, "get/re_messages", from), map[string]any{"ErrorID": 0, "Messages": nil, "NextFromUTC": ""})
	var ids []uint64
	for i := range 3 {
		id, err := a.Return(one, []byte{128, 1, byte(i)})
		if err != nil || id <= 1<<32 {
			t.Fatal(id, err)
		}
		ids = append(ids, id)
	}
	p := a.v1(t, "get_return_messages.json", since)
	list, _ := p["Messages"].([]any)
	first, _ := list[0].(map[string]any)
	same(t, "v1", []any{len(list), p["More"], p["NextStartUTC"], first["SIN"], first["RawPayload"], first["OTAMessageSize"]}, []any{2, true, noon, 128, []int{128, 1, 0}, 3})
	next, _ := p["NextStartID"].(float64)
	same(t, "next id", uint64(next), ids[2])
	p = a.v1(t, "get_return_messages.json", url.Values{"from_id": {fmt.Sprint(ids[2])}})
	list, _ = p["Messages"].([]any)
	first, _ = list[0].(map[string]any)
	same(t, "from an id, without payloads", []any{len(list), p["More"], first["RawPayload"]}, []any{1, false, nil})
	p = a.ogws(t, "get/re_messages", from)
	list, _ = p["Messages"].([]any)
	first, _ = list[0].(map[string]any)
	same(t, "OGWS", []any{len(list), p["NextFromUTC"], first["RawPayload"]}, []any{2, noon, base64.StdEncoding.EncodeToString([]byte{128, 1, 0})})
	if _, err := a.Return("01000009SKYABC9", []byte{128, 1}); err == nil {
		t.Error("a terminal of nobody sent something")
	}
	if _, err := a.Return(one, []byte{128}); err == nil {
		t.Error("a message without MIN was sent")
	}
}

// Polls that come too fast, with one mark too often, with a bad mark or without the right password are refused.
func TestRefusals(t *testing.T) {
	a := ask(t, igws.Options{Fast: 5 * time.Second, SameMark: 2, Wrapped: true})
	code := func(query url.Values) any { return a.v1(t, "get_return_messages.json", query)["ErrorID"] }
	mark := func() url.Values { return url.Values{"start_utc": {noon}} }
	same(t, "first", code(mark()), 0)
	same(t, "too fast", code(mark()), 16)
	a.now = a.now.Add(6 * time.Second)
	same(t, "same mark", code(mark()), 0)
	a.now = a.now.Add(6 * time.Second)
	same(t, "same mark again", code(mark()), 21817)
	a.now = a.now.Add(6 * time.Second)
	same(t, "bad mark", code(url.Values{"start_utc": {"2026-03-01T12:00:00Z"}}), 17)
	_, answer := a.do(t, http.MethodGet, igws.PathV1+"get_return_messages.json?access_id="+account+"&password=wrong", "", nil)
	same(t, "password", answer["ErrorID"], 21785)
	_, answer = a.do(t, http.MethodPost, igws.PathV1+"submit_messages.json", "application/json", []byte(`{"accessID":"x","password":"y"}`))
	inner, _ := answer["SubmitForwardMessages_JResult"].(map[string]any)
	same(t, "password of a submission", inner["ErrorID"], 21785)
	status, answer := a.do(t, http.MethodPost, igws.PathOGWS+"auth/token", "application/x-www-form-urlencoded", []byte("grant_type=client_credentials"))
	same(t, "client", []any{status, answer["error"]}, []any{400, "unauthorized_client"})
	status, _ = a.do(t, http.MethodGet, igws.PathOGWS+"get/re_messages", "", nil)
	same(t, "no token", status, 401)
	a.authorise(t)
	a.Revoke()
	status, _ = a.do(t, http.MethodGet, igws.PathOGWS+"get/re_messages", "", nil)
	same(t, "a token that was revoked", status, 401)
}

// A message waits for its terminal, fills its queue, times out, and can be cancelled while it waits.
func TestForwards(t *testing.T) {
	a := ask(t, igws.Options{})
	a.authorise(t)
	submit := func(to, payload string, user any) map[string]any {
		t.Helper()
		m := map[string]any{"DestinationID": to, "RawPayload": base64.StdEncoding.EncodeToString([]byte(payload))}
		if user != nil {
			m["UserMessageID"] = user
		}
		body, err := json.Marshal([]any{m})
		if err != nil {
			t.Fatal(err)
		}
		status, answer := a.do(t, http.MethodPost, igws.PathOGWS+"submit/messages", "application/json", body)
		list, _ := answer["Submissions"].([]any)
		if status != http.StatusOK || len(list) != 1 {
			return map[string]any{"status": status}
		}
		s, _ := list[0].(map[string]any)
		return s
	}
	same(t, "no user id", submit(one, "\x80\x01x", nil)["status"], 400)
	same(t, "nobody", submit("01000009SKYABC9", "\x80\x01x", 1)["ErrorID"], 514)
	same(t, "no mobile id", submit("1", "\x80\x01x", 1)["ErrorID"], 513)
	same(t, "too long for a sleeper", submit(sleeper, "\x80\x01"+strings.Repeat("x", 5000), 1)["ErrorID"], 21797)
	same(t, "too long", submit(one, "\x80\x01"+strings.Repeat("x", 9999), 1)["ErrorID"], 21797)
	s := submit(sleeper, "\x80\x01hello", 7)
	same(t, "a sleeper", []any{s["ErrorID"], s["TerminalWakeupPeriod"], s["ScheduledSendUTC"], s["OTAMessageSize"]}, []any{0, 1800, "2026-03-01 12:30:00", 7})
	for i := range 10 {
		same(t, "the queue has room", submit(one, "\x80\x01x", i)["ErrorID"], 0)
	}
	same(t, "a full queue", submit(one, "\x80\x01x", 99)["ErrorID"], 21795)
	same(t, "that of large ones", submit(one, "\x80\x01"+strings.Repeat("x", 2000), 99)["ErrorID"], 0)
	a.Hide(one, true)
	same(t, "out of sight", a.Wake(one), 0)
	a.Hide(one, false)
	id := a.Forwards()[1].ID
	body := fmt.Appendf(nil, "[%d,5]", id)
	_, answer := a.do(t, http.MethodPost, igws.PathOGWS+"submit/cancellations", "application/json", body)
	list, _ := answer["Submissions"].([]any)
	gone, _ := list[0].(map[string]any)
	never, _ := list[1].(map[string]any)
	same(t, "cancelled", []any{gone["ErrorID"], never["ErrorID"], never["ID"]}, []any{0, 115, -1})
	p := a.v1(t, "submit_cancelations.json", url.Values{"fwIDs": {fmt.Sprint(id)}})
	list, _ = p["Submissions"].([]any)
	gone, _ = list[0].(map[string]any)
	same(t, "cancelled again", gone["ErrorID"], 115)
	same(t, "taken", a.Wake(one), 10)
	a.now = a.now.Add(time.Minute)
	same(t, "taken by the sleeper", a.Wake(sleeper), 1)
	same(t, "what it took", a.taken[len(a.taken)-1], sleeper+" \x80\x01hello")
	late := submit(one, "\x80\x01late", 1)
	a.now = a.now.Add(3 * time.Hour)
	p = a.v1(t, "get_forward_statuses.json", url.Values{"start_utc": {"2026-03-01 12:00:30"}})
	same(t, "no mark unless there is more", []any{p["More"], p["NextStartUTC"]}, []any{false, nil})
	list, _ = p["Statuses"].([]any)
	last, _ := list[len(list)-1].(map[string]any)
	same(t, "timed out", []any{len(list), last["ForwardMessageID"], last["State"], last["ErrorID"], last["IsClosed"]}, []any{2, late["ID"], igws.TimedOut, 21812, true})
	p = a.ogws(t, "get/fw_status_updates", url.Values{"FromUTC": {"2026-03-01 12:00:30"}})
	same(t, "OGWS", p["NextFromUTC"], "2026-03-01 15:01:00")
}

// What is confirmed is what a mark is behind of, and what is old is not kept.
func TestRead(t *testing.T) {
	var read []uint64
	a := ask(t, igws.Options{OnRead: func(id uint64) { read = append(read, id) }})
	first, err := a.Return(one, []byte{128, 1, 1})
	if err != nil {
		t.Fatal(err)
	}
	a.v1(t, "get_return_messages.json", url.Values{"start_utc": {noon}})
	same(t, "the mark is in its second", read, []uint64{})
	a.v1(t, "get_return_messages.json", url.Values{"start_utc": {"2026-03-01 12:00:01"}})
	a.v1(t, "get_return_messages.json", url.Values{"start_utc": {"2026-03-01 12:00:02"}})
	same(t, "the mark is behind it", read, []uint64{first})
	a.now = a.now.Add(6 * 24 * time.Hour)
	if _, err := a.Return(one, []byte{128, 1, 2}); err != nil {
		t.Fatal(err)
	}
	list, _ := a.v1(t, "get_return_messages.json", url.Values{"start_utc": {noon}})["Messages"].([]any)
	same(t, "messages after six days", len(list), 1)
}
