package igws

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const bodyMax = 1 << 20

func (s *Service) routeV1() {
	s.handle("GET "+PathV1+"get_return_messages.json", CallReturns, "", s.v1Query(s.v1Returns))
	s.handle("GET "+PathV1+"get_forward_statuses.json", CallStatuses, "", s.v1Query(s.v1Statuses))
	s.handle("GET "+PathV1+"get_forward_messages.json", CallForwards, "", s.v1Query(s.v1Forwards))
	s.handle("GET "+PathV1+"submit_cancelations.json", CallCancel, "SubmitForwardCancelations_JResult", s.v1Query(s.v1Cancel))
	s.handle("POST "+PathV1+"submit_messages.json", CallSubmit, "SubmitForwardMessages_JResult", s.v1Submit)
}

// v1Query wants account and password in the address.
func (s *Service) v1Query(do answering) answering {
	return func(w http.ResponseWriter, r *http.Request) (map[string]any, int) {
		q := r.URL.Query()
		if q.Get("access_id") != s.o.Account || q.Get("password") != s.o.Password {
			return nil, codeAuth
		}
		return do(w, r)
	}
}

// octets are bytes as a list of numbers.
func octets(b []byte) []int {
	list := make([]int, len(b))
	for i, v := range b {
		list[i] = int(v)
	}
	return list
}

// show is a message of a terminal, its payload as the dialect has it.
func show(m *Message, raw func([]byte) any) any {
	if m.Verbatim != "" {
		return json.RawMessage(m.Verbatim)
	}
	v := map[string]any{
		"ID": m.ID, "MessageUTC": formatTime(m.At), "ReceiveUTC": formatTime(m.At), "RegionName": "AORWSC", "MobileID": m.Terminal, "Transport": 1,
		"OTAMessageSize": len(m.Raw),
	}
	if len(m.Raw) > 0 {
		v["SIN"], v["RawPayload"] = m.Raw[0], raw(m.Raw)
	}
	if m.Payload != nil {
		v["Payload"] = m.Payload
	}
	return v
}

func (s *Service) v1Returns(_ http.ResponseWriter, r *http.Request) (map[string]any, int) {
	q := r.URL.Query()
	from, _ := strconv.ParseUint(q.Get("from_id"), 10, 64) // 0: by time
	p, code := s.poll(q.Get("start_utc"), from)
	if code != 0 {
		return nil, code
	}
	s.read(q.Get("start_utc"))
	raw := q.Get("include_raw_payload") == "true"
	var list []any // null if there is none
	for i := range p.messages {
		m := p.messages[i]
		if !raw {
			m.Raw = nil
		}
		list = append(list, show(&m, func(b []byte) any { return octets(b) }))
	}
	return map[string]any{"ErrorID": 0, "More": p.more, "NextStartUTC": p.next, "NextStartID": p.nextID, "Messages": list}, 0
}

func (s *Service) v1Statuses(_ http.ResponseWriter, r *http.Request) (map[string]any, int) {
	q := r.URL.Query()
	forwards, code := s.statuses(q.Get("start_utc"), q.Get("fwIDs"))
	if code != 0 {
		return nil, code
	}
	more := len(forwards) > s.o.Page
	var next any // null unless there is more
	if more {
		forwards = forwards[:s.o.Page]
		next = formatTime(forwards[len(forwards)-1].Changed)
	}
	var list []any
	for _, f := range forwards {
		list = append(list, map[string]any{
			"ForwardMessageID": f.ID, "State": f.State, "IsClosed": f.closed(), "ErrorID": f.Code, "StateUTC": formatTime(f.Changed), "ReferenceNumber": 0,
		})
	}
	return map[string]any{"ErrorID": 0, "More": more, "NextStartUTC": next, "Statuses": list}, 0
}

// statuses are messages to terminals since a mark, or those with some ids if there are any.
func (s *Service) statuses(mark, ids string) ([]Forward, int) {
	since, err := time.Parse(timeLayout, mark)
	if err != nil && ids == "" {
		return nil, codeTime
	}
	s.mu.Lock()
	code := s.pace(CallStatuses)
	s.mu.Unlock()
	if code != 0 {
		return nil, code
	}
	if ids != "" {
		return s.forwarded(ids), 0
	}
	return s.changedSince(since), 0
}

func (s *Service) v1Submit(w http.ResponseWriter, r *http.Request) (map[string]any, int) {
	var in struct {
		AccessID string `json:"accessID"`
		Password string `json:"password"`
		Messages []struct {
			DestinationID string
			UserMessageID uint64
			RawPayload    []uint16 // a list of numbers, and no base64
		} `json:"messages"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyMax)).Decode(&in); err != nil {
		http.Error(w, "not JSON of a submission", http.StatusBadRequest)
		return nil, 0
	}
	if in.AccessID != s.o.Account || in.Password != s.o.Password {
		return nil, codeAuth
	}
	var list []any
	for _, m := range in.Messages {
		raw := make([]byte, len(m.RawPayload))
		for i, v := range m.RawPayload {
			if v > 255 {
				http.Error(w, "RawPayload has a number above 255", http.StatusBadRequest)
				return nil, 0
			}
			raw[i] = byte(v)
		}
		list = append(list, s.submission("ForwardMessageID", m.DestinationID, m.UserMessageID, raw))
	}
	return map[string]any{"ErrorID": 0, "Submissions": list}, 0
}

// submission takes a message for a terminal and says what became of it.
func (s *Service) submission(id, to string, user uint64, message []byte) map[string]any {
	f, t, code := s.submit(to, user, message)
	if code != 0 {
		return map[string]any{"ErrorID": code, id: -1, "UserMessageID": user, "DestinationID": to, "OTAMessageSize": 0, "StateUTC": "", "TerminalWakeupPeriod": 0}
	}
	v := map[string]any{
		"ErrorID": 0, id: f.ID, "UserMessageID": user, "DestinationID": to, "OTAMessageSize": len(message), "StateUTC": formatTime(f.Changed),
		"TerminalWakeupPeriod": int(t.Wake / time.Second), "ScheduledSendUTC": "",
	}
	if t.Wake > 0 {
		v["ScheduledSendUTC"] = formatTime(f.Created.Truncate(t.Wake).Add(t.Wake))
	}
	return v
}

func (s *Service) v1Cancel(_ http.ResponseWriter, r *http.Request) (map[string]any, int) {
	var ids []uint64
	for text := range strings.SplitSeq(r.URL.Query().Get("fwIDs"), ",") {
		id, _ := strconv.ParseUint(text, 10, 64) // one that is none cannot be cancelled
		ids = append(ids, id)
	}
	return s.cancelled("ForwardMessageID", ids), 0
}

// cancelled gives up messages and says what became of each.
func (s *Service) cancelled(name string, ids []uint64) map[string]any {
	var list []any
	for _, id := range ids {
		f, code := s.cancel(id)
		if code != 0 {
			list = append(list, map[string]any{"ErrorID": code, name: -1, "DestinationID": ""})
			continue
		}
		list = append(list, map[string]any{"ErrorID": 0, name: f.ID, "DestinationID": f.To, "StateUTC": formatTime(f.Changed)})
	}
	return map[string]any{"ErrorID": 0, "Submissions": list}
}
