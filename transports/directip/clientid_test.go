package directip_test

import (
	"encoding/binary"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/directip"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

// Where an answer's parts begin, behind the header of its message and of its only element.
const (
	answerClient = 6
	answerIMEI   = 10
	answerNumber = 25
)

// answering is a network that answers each MT message, as change has it, and tells the client id that the message came with.
func answering(t *testing.T, change func(answer []byte)) (address string, clients <-chan uint32) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ids, done := make(chan uint32, 8), make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if _, answer := readTerminated(conn, 0); answer != nil {
				ids <- binary.BigEndian.Uint32(answer[answerClient:])
				change(answer)
				_, _ = conn.Write(answer)
			}
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().String(), ids
}

// An answer to another message says nothing of ours, be it good or bad: the network may have it, and it is neither counted as sent nor sent again at once.
func TestAnswerToAnotherMessage(t *testing.T) {
	refused := func(b []byte) { binary.BigEndian.PutUint16(b[len(b)-2:], 0xFFFB) } // -5: the queue is full
	next := func(b []byte) {
		binary.BigEndian.PutUint32(b[answerClient:], binary.BigEndian.Uint32(b[answerClient:])+1)
	}
	for _, tt := range []struct {
		name   string
		change func(answer []byte)
		good   bool
	}{
		{name: "ours", change: func([]byte) {}, good: true},
		{name: "the next client id", change: next},
		{name: "the client id before", change: func(b []byte) {
			binary.BigEndian.PutUint32(b[answerClient:], binary.BigEndian.Uint32(b[answerClient:])-1)
		}},
		{name: "no client id", change: func(b []byte) { clear(b[answerClient:answerIMEI]) }},
		{name: "another byte order", change: func(b []byte) {
			binary.LittleEndian.PutUint32(b[answerClient:], binary.BigEndian.Uint32(b[answerClient:]))
		}},
		{name: "another modem", change: func(b []byte) { b[answerNumber-1]++ }},
		{name: "another client id, refused", change: func(b []byte) { next(b); refused(b) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			address, _ := answering(t, tt.change)
			tr := newTransport(t, func(c *directip.Config) { c.MT = []string{address} })
			running(t, tr, &transporttest.Sink{})
			until(t, "the transport to be up", tr.Up)
			_, err := tr.Send(t.Context(), transports.Downlink{To: transports.Address{Bearer: transports.SBD, ID: imei(1)}, Payload: []byte("x")})
			st := tr.Stats()
			if tt.good {
				if err != nil || st.Sent != 1 || st.SentBytes != 1 || st.SendErrors != 0 {
					t.Errorf("%v, stats %+v", err, st)
				}
				return
			}
			var failed *transports.SendError
			if !errors.As(err, &failed) || failed.Outcome != transports.MaybeSent || !strings.Contains(err.Error(), "about another message") {
				t.Errorf("%v, want %s", err, transports.MaybeSent)
			}
			if st.Sent != 0 || st.SentBytes != 0 || st.SendErrors != 1 {
				t.Errorf("stats %+v", st)
			}
		})
	}
}

// No two messages of a transport have the same client id, so that the answer to one is never taken for that to another.
func TestClientIDsDiffer(t *testing.T) {
	address, clients := answering(t, func([]byte) {})
	tr := newTransport(t, func(c *directip.Config) { c.MT = []string{address} })
	running(t, tr, &transporttest.Sink{})
	until(t, "the transport to be up", tr.Up)
	seen := make(map[uint32]bool)
	for range 5 {
		if _, err := tr.Send(t.Context(), transports.Downlink{To: transports.Address{Bearer: transports.SBD, ID: imei(1)}, Payload: []byte("x")}); err != nil {
			t.Fatal(err)
		}
		if id := <-clients; seen[id] {
			t.Errorf("client id %d again", id)
		} else {
			seen[id] = true
		}
	}
}
