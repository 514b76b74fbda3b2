package igws

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
)

func (s *Service) routeOGWS() {
	s.handle("POST "+PathOGWS+"auth/token", CallToken, "", s.token)
	s.handle("GET "+PathOGWS+"get/re_messages", CallReturns, "", s.authorised(s.ogwsReturns))
	s.handle("GET "+PathOGWS+"get/fw_status_updates", CallStatuses, "", s.authorised(s.ogwsStatuses))
	s.handle("GET "+PathOGWS+"get/fw_statuses", CallStatuses, "", s.authorised(s.ogwsStatuses))
	s.handle("GET "+PathOGWS+"get/fw_messages", CallForwards, "", s.authorised(s.ogwsForwards))
	s.handle("POST "+PathOGWS+"submit/messages", CallSubmit, "", s.authorised(s.ogwsSubmit))
	s.handle("POST "+PathOGWS+"submit/cancellations", CallCancel, "", s.authorised(s.ogwsCancel))
}

// token gives one for the account (RFC 6749 §4.4).
func (s *Service) token(w http.ResponseWriter, r *http.Request) (map[string]any, int) {
	if r.PostFormValue("grant_type") != "client_credentials" || r.PostFormValue("client_id") != s.o.Account || r.PostFormValue("client_secret") != s.o.Password {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"unauthorized_client"}`))
		return nil, 0
	}
	token := rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[token] = s.o.Now().Add(tokenLife)
	return map[string]any{"access_token": token, "token_type": "bearer", "expires_in": tokenLife.Seconds()}, 0
}

// Revoke makes all tokens invalid.
func (s *Service) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// authorised wants a token that is valid.
func (s *Service) authorised(do answering) answering {
	return func(w http.ResponseWriter, r *http.Request) (map[string]any, int) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		s.mu.Lock()
		until, known := s.tokens[token]
		s.mu.Unlock()
		if !ok || !known || s.o.Now().After(until) {
			w.WriteHeader(http.StatusUnauthorized)
			return nil, 0
		}
		return do(w, r)
	}
}

func (s *Service) ogwsReturns(_ http.ResponseWriter, r *http.Request) (map[string]any, int) {
	p, code := s.poll(r.URL.Query().Get("FromUTC"), 0)
	if code != 0 {
		return nil, code
	}
	s.read(r.URL.Query().Get("FromUTC"))
	var list []any
	for i := range p.messages {
		list = append(list, show(&p.messages[i], func(b []byte) any { return b }))
	}
	return map[string]any{"ErrorID": 0, "NextFromUTC": p.next, "Messages": list}, 0
}

func (s *Service) ogwsStatuses(_ http.ResponseWriter, r *http.Request) (map[string]any, int) {
	forwards, code := s.statuses(r.URL.Query().Get("FromUTC"), r.URL.Query().Get("IDList"))
	if code != 0 {
		return nil, code
	}
	next := ""
	var list []any
	for _, f := range forwards[:min(len(forwards), s.o.Page)] {
		list = append(list, map[string]any{
			"ID": f.ID, "State": f.State, "IsClosed": f.closed(), "ErrorID": f.Code, "CreateUTC": formatTime(f.Created), "StatusUTC": formatTime(f.Changed), "Transport": 1,
		})
		next = formatTime(f.Changed)
	}
	return map[string]any{"ErrorID": 0, "NextFromUTC": next, "Statuses": list}, 0
}

func (s *Service) ogwsSubmit(w http.ResponseWriter, r *http.Request) (map[string]any, int) {
	var in []struct {
		DestinationID string
		UserMessageID *uint64
		RawPayload    *string // base64, and no list of numbers
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyMax)).Decode(&in); err != nil {
		http.Error(w, "not a list of submissions", http.StatusBadRequest)
		return nil, 0
	}
	var list []any
	for _, m := range in {
		if m.UserMessageID == nil || m.RawPayload == nil {
			http.Error(w, "UserMessageID and RawPayload are required", http.StatusBadRequest)
			return nil, 0
		}
		var raw []byte
		if json.Unmarshal([]byte(`"`+*m.RawPayload+`"`), &raw) != nil {
			http.Error(w, "RawPayload is not base64", http.StatusBadRequest)
			return nil, 0
		}
		list = append(list, s.submission("ID", m.DestinationID, *m.UserMessageID, raw))
	}
	return map[string]any{"ErrorID": 0, "Submissions": list}, 0
}

func (s *Service) ogwsCancel(w http.ResponseWriter, r *http.Request) (map[string]any, int) {
	var ids []uint64
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyMax)).Decode(&ids); err != nil {
		http.Error(w, "not a list of ids", http.StatusBadRequest)
		return nil, 0
	}
	return s.cancelled("ID", ids), 0
}
