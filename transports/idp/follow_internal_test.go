package idp

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/transports/transporttest"
)

// While messages are asked for by their ids their second gets statuses still: if that is broken off, and done when the second is over, they are asked for again.
func TestBrokenOffInAFullSecond(t *testing.T) {
	second := time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)
	now, calls, arrived := second, 0, false
	status := func(id uint64) string {
		return fmt.Sprintf(`{"ForwardMessageID":%d,"State":%d,"StateUTC":%q}`, id, stateReceived, formatTime(second))
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var list []string
		switch ids := r.URL.Query().Get("fwIDs"); {
		case ids != "":
			if calls++; calls == 2 {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			if arrived && strings.HasPrefix(ids, "1,") {
				list = append(list, status(1))
			}
		case r.URL.Query().Get("start_utc") == formatTime(second):
			for i := range uint64(pageFull) {
				list = append(list, status(1000+i))
			}
		}
		_, _ = fmt.Fprintf(w, `{"ErrorID":0,"Statuses":[%s]}`, strings.Join(list, ","))
	}))
	defer server.Close()
	cfg := Config{Dialect: V1, URL: server.URL, Account: "a", Password: "b", File: filepath.Join(t.TempDir(), "mark")}
	tr, err := New("orb", cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	tr.now = func() time.Time { return now }
	tr.state.put = func(string, string) error { return nil }
	for id := range uint64(idsMax + 1) { // two calls
		if err := tr.state.submitted(forward{ID: 1 + id, To: "01234567SKYABCD", At: second.Unix()}, second); err != nil {
			t.Fatal(err)
		}
	}
	sink := &transporttest.Sink{}
	if err := tr.statuses(t.Context(), t.Context(), sink); err == nil || calls != 2 {
		t.Fatalf("%v after %d calls, want the second to fail", err, calls)
	}
	arrived, now = true, second.Add(2*overAfter)
	for range 2 {
		if err := tr.statuses(t.Context(), t.Context(), sink); err != nil {
			t.Fatal(err)
		}
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if _, ok := sink.AwaitReport(done, "1", 1); !ok {
		t.Error("what became of the first message is not told")
	}
	if got := tr.state.statusesAt(); !got.After(second) {
		t.Errorf("the mark is %s still", got)
	}
}
