package igws

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// CallForwards is a look at messages to terminals, by their ids.
const CallForwards = "forwards"

// Elsewhere has another program of the account send a message, which its terminal took at a time. It returns the message's id.
func (s *Service) Elsewhere(terminal string, at time.Time) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	at = at.UTC().Truncate(time.Second)
	f := &Forward{ID: s.id(), To: terminal, Message: []byte{128, 1, 0}, State: Received, Created: at, Changed: at}
	s.forwards = append(s.forwards, f)
	return f.ID
}

// forwarded are the messages to terminals with the ids of a list, in its order. Those that are none are left out.
func (s *Service) forwarded(list string) (out []Forward) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	for text := range strings.SplitSeq(list, ",") {
		id, _ := strconv.ParseUint(text, 10, 64) // 0 is none
		for _, f := range s.forwards {
			if f.ID == id {
				out = append(out, *f)
			}
		}
	}
	return out
}

func (s *Service) v1Forwards(_ http.ResponseWriter, r *http.Request) (map[string]any, int) {
	return s.showForwards(r.URL.Query().Get("fwIDs"), func(b []byte) any { return octets(b) }), 0
}

func (s *Service) ogwsForwards(_ http.ResponseWriter, r *http.Request) (map[string]any, int) {
	return s.showForwards(r.URL.Query().Get("IDList"), func(b []byte) any { return b }), 0
}

// showForwards are messages to terminals, their payloads as the dialect has them.
func (s *Service) showForwards(ids string, raw func([]byte) any) map[string]any {
	var list []any // null if there is none
	for _, f := range s.forwarded(ids) {
		list = append(list, map[string]any{
			"ID": f.ID, "DestinationID": f.To, "RawPayload": raw(f.Message), "State": f.State, "IsClosed": f.closed(), "ErrorID": f.Code,
			"CreateUTC": formatTime(f.Created), "StatusUTC": formatTime(f.Changed), "ReferenceNumber": 0,
		})
	}
	return map[string]any{"ErrorID": 0, "Messages": list}
}
