package directip

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/godwit-gateway/godwit/gateway/failpoint"
	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/gate"
)

// answerTime is how long the network may take to read a confirmation of seven bytes.
const answerTime = 5 * time.Second

var errRevision = errors.New("not DirectIP")

// visit reads one message and answers it. The sink works under inHand.
func (t *Transport) visit(inHand context.Context, sink transports.Sink, conn *net.TCPConn, v *gate.Visit) {
	defer t.gate.Leave(v)
	_ = conn.SetLinger(0)                                 // closing resets the connection, which says no, until something else is decided
	_ = conn.SetReadDeadline(t.now().Add(t.cfg.ReadTime)) // one for the whole message, so that it is no use to send it in drops
	message, err := readMessage(conn)
	if !t.gate.Take(v) {
		return
	}
	switch {
	case errors.Is(err, errRevision):
		t.counts.foreign.Add(1)
	case err != nil:
		t.counts.unfinished.Add(1)
	default:
		t.counts.received.Add(1)
		t.answer(conn, t.take(inHand, sink, message))
	}
}

// readMessage reads a whole message, head included. However long it says that it is, memory is taken as it comes in: one that is long, as with elements that
// nobody knows, would else hold up all that is behind it.
func readMessage(r io.Reader) ([]byte, error) {
	var head [headLen]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	if head[0] != revision {
		return nil, errRevision
	}
	var message bytes.Buffer
	message.Write(head[:])
	_, err := io.CopyN(&message, r, int64(binary.BigEndian.Uint16(head[1:])))
	return message.Bytes(), err
}

// take settles a message. It reports false if the network must keep it.
func (t *Transport) take(ctx context.Context, sink transports.Sink, message []byte) bool {
	m, err := parseOriginated(message[headLen:])
	if err != nil {
		t.counts.malformed.Add(1)
		settled, _ := t.hand(ctx, sink, transports.Uplink{From: transports.Address{Bearer: transports.SBD}, Content: transports.ContentRaw, Payload: message[:min(len(message), rawMax)]})
		return settled
	}
	if m.status.failed() { // the modem has its payload still, and the MOMSN too
		t.counts.failed.Add(1)
		return true
	}
	key := keyOf(&m)
	if _, again := t.settled.Get(key); again {
		t.counts.repeated.Add(1)
		return true
	}
	t.memory.Lock()
	missing := t.sequences.claim(&m)
	if len(m.payload) == 0 {
		t.sequences.owe(&m, missing)
	}
	t.memory.Unlock()
	if len(m.payload) == 0 {
		check := transports.Check{
			Transport: t.name, At: t.now(), From: transports.Address{Bearer: transports.SBD, ID: string(m.imei[:])}, Ref: fmt.Sprintf("%d: %d at %d", m.cdr, m.momsn, m.session),
		}
		if err := transports.Book(ctx, sink, check); err != nil {
			t.counts.settled[transports.Unsettled].Add(1)
			t.kept(check.From, err)
			return false
		}
		t.counts.empty.Add(1)
		t.settled.Put(key, struct{}{})
		return true
	}
	settled, as := t.hand(ctx, sink, transports.Uplink{
		From: transports.Address{Bearer: transports.SBD, ID: string(m.imei[:])}, Ref: strconv.FormatUint(uint64(m.cdr), 10), SentAt: m.at(),
		Position: m.position, Missing: missing, Payload: m.payload,
	})
	if !settled || as != transports.Stored { // only what is stored tells of it
		t.memory.Lock()
		t.sequences.owe(&m, missing)
		t.memory.Unlock()
	}
	if settled && as != transports.Rejected {
		t.settled.Put(key, struct{}{})
	}
	return settled
}

// hand gives one uplink to the sink.
func (t *Transport) hand(ctx context.Context, sink transports.Sink, u transports.Uplink) (settled bool, as transports.Settlement) {
	u.Transport, u.ReceivedAt = t.name, t.now()
	failpoint.Pass(failpoint.Received)
	var out [1]transports.Verdict
	if err := sink.Uplinks(ctx, []transports.Uplink{u}, out[:]); err != nil {
		t.counts.settled[transports.Unsettled].Add(1)
		t.kept(u.From, err)
		return false, transports.Unsettled
	}
	as = min(out[0].Settlement, transports.Rejected)
	t.counts.settled[as].Add(1)
	return as != transports.Unsettled, as
}

// kept logs, seldom, that the network must keep a message.
func (t *Transport) kept(from transports.Address, err error) {
	if t.seldom(&t.failed, failedEvery) {
		t.log.Warn("message was not stored and stays with the network", slog.String("transport", t.name), slog.Any("from", from), slog.Any("error", err))
	}
}

// answer tells the network whether a message was taken.
func (t *Transport) answer(conn *net.TCPConn, taken bool) {
	failpoint.Pass(failpoint.Replied)
	if taken || t.cfg.Confirm {
		_ = conn.SetLinger(-1)
	}
	if t.cfg.Confirm {
		_ = conn.SetWriteDeadline(t.now().Add(answerTime))
		if _, err := conn.Write(appendConfirmation(nil, taken)); err != nil {
			t.counts.unanswered.Add(1)
		}
	}
	if taken {
		failpoint.Pass(failpoint.Answered)
	}
}
