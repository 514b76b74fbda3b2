package cloudloop

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

func TestParseMessage(t *testing.T) {
	at := time.Date(2023, 10, 9, 18, 0, 13, 0, time.UTC)
	for name, c := range map[string]struct {
		text string
		want message
	}{
		"as clients know it": {
			`{"id":"mRbx","hardware":"hw1","payload":"0a0B","txAt":"2023-10-09T18:00:13","rxAt":"2023-10-09T18:00:13.500","momsn":12.0,"status":"x"}`,
			message{id: "mRbx", hardware: "hw1", payload: []byte{10, 11}, at: at, received: at.Add(500 * time.Millisecond)},
		},
		"numbers for texts, and a zone": {
			`{"id":7,"hardware":9,"imei":"300434010753370","payload":"00","txAt":"2023-10-09T20:00:13+02:00","rxAt":null}`,
			message{id: "7", hardware: "9", imei: "300434010753370", payload: []byte{0}, at: at},
		},
		"base64":              {`{"id":"a","payload":"SGVsbG8gV29ybGQ="}`, message{id: "a", payload: []byte("Hello World")}},
		"a mailbox check":     {`{"id":"a","payload":null,"txAt":"yesterday","imei":"12"}`, message{id: "a"}},
		"no payload at all":   {`{"id":"a","extra":{"more":[1]}}`, message{id: "a"}},
		"an empty payload":    {`{"id":"a","payload":""}`, message{id: "a"}},
		"base64 without fill": {`{"id":"a","payload":"SGVsbG8gV29ybGQ"}`, message{id: "a", payload: []byte("Hello World")}},
	} {
		got, err := parseMessage([]byte(c.text))
		if err != nil || got.id != c.want.id || got.hardware != c.want.hardware || got.imei != c.want.imei || !bytes.Equal(got.payload, c.want.payload) || !got.at.Equal(c.want.at) || !got.received.Equal(c.want.received) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for _, bad := range []string{`7`, `{"id":["a"]}`, `{"payload":"0g!"}`, `{"payload":{"a":1}}`} {
		if m, err := parseMessage([]byte(bad)); err == nil {
			t.Errorf("%s: %+v", bad, m)
		}
	}
}

// What cannot be read, or is longer than any modem sends, is kept as it came, but for what is longer still, and takes nothing away from the others.
func TestPageWithBadMessages(t *testing.T) {
	long := `{"id":"l","payload":"` + string(bytes.Repeat([]byte("00"), UplinkMax+1)) + `"}`
	picture := `{"id":"p","payload":"` + string(bytes.Repeat([]byte("00"), 100_000)) + `"}`
	var p page
	if err := json.Unmarshal([]byte(`{"messages":[[1],{"id":"a","payload":"00"},`+long+`,`+picture+`]}`), &p); err != nil {
		t.Fatal(err)
	}
	got := p.parse()
	if len(got) != 4 || got[3].id != "p" || string(got[3].raw) != picture[:rawMax] || string(got[0].raw) != "[1]" || got[1].raw != nil || len(got[1].payload) != 1 || string(got[2].raw) != long || got[2].payload != nil {
		t.Errorf("%+v", got)
	}
}

func TestNextMark(t *testing.T) {
	for text, want := range map[string]string{
		`{"messages":null,"lastMessageRetreived":null}`:                                                                  "",
		`{"messages":[],"lastMessageRetreived":"x"}`:                                                                     "",
		`{"messages":[{"id":"a"}],"lastMessageRetreived":"x"}`:                                                           "x",
		`{"messages":[{"id":"a"}],"lastMessageRetrieved":"x"}`:                                                           "x",
		`{"messages":[{"id":"a"}],"lastMessageReceived":9}`:                                                              "9",
		`{"messages":[{"id":"mark"}]}`:                                                                                   "",
		`{"messages":[{"id":"a"},{"id":"mark"}]}`:                                                                        "a",
		`{"messages":[{"id":"a"},{"id":"b"}]}`:                                                                           "b",
		`{"messages":[{"id":"b","rxAt":"2023-10-09T18:00:14"},{"id":"a","rxAt":"2023-10-09T18:00:13"}]}`:                 "b",
		`{"messages":[{"id":"a","rxAt":"2023-10-09T18:00:13"},{"id":"b","rxAt":"2023-10-09T18:00:14"},{"payload":"0"}]}`: "b",
	} {
		var p page
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			t.Fatal(err)
		}
		if got := p.next(p.parse(), "mark"); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// Whatever an answer says, each of its messages is one that the sink is given, or an empty session.
func FuzzPage(f *testing.F) {
	f.Add([]byte(`{"messages":[{"id":"a","hardware":"h","payload":"00ff","txAt":"2023-10-09T18:00:13"}],"lastMessageRetreived":"a"}`))
	f.Add([]byte(`{"messages":[{"id":1,"payload":"SGVsbG8="},null,[]]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var p page
		if json.Unmarshal(b, &p) != nil {
			return
		}
		messages := p.parse()
		if len(messages) != len(p.Messages) {
			t.Fatalf("%d of %d messages", len(messages), len(p.Messages))
		}
		for i := range messages {
			if m := &messages[i]; len(m.payload) > UplinkMax || m.raw != nil && len(m.payload) > 0 || m.imei != "" && !transports.ValidIMEI(m.imei) {
				t.Fatalf("%+v", m)
			}
		}
		if next := p.next(messages, ""); next != "" && len(messages) == 0 {
			t.Fatalf("the mark %q of no messages", next)
		}
	})
}
