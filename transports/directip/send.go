package directip

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

var (
	errNoMT   = errors.New("the link has no address for what goes to modems (mt)")
	errAnswer = errors.New("the answer is about another message")
)

// Send implements transports.Transport. The network keeps what it took for five days, and tells the modem by a ring alert; no report comes later.
func (t *Transport) Send(ctx context.Context, d transports.Downlink) (transports.Receipt, error) {
	m := terminated{priority: uint16(t.cfg.Priority), payload: d.Payload} //nolint:gosec // checked
	if t.cfg.Flush {
		m.flags |= mtFlush
	}
	if err := t.admit(ctx, &d, &m); err != nil {
		return transports.Receipt{}, err
	}
	m.client = t.client.Add(1)
	ctx, cancel := context.WithTimeout(ctx, t.cfg.SendTime)
	defer cancel()
	conn, err := t.dial(ctx)
	if err != nil {
		t.counts.sendErrors.Add(1)
		return transports.Receipt{}, &transports.SendError{Outcome: transports.NotSent, Slow: true, Unasked: true, Err: err}
	}
	err = t.exchange(ctx, conn, &m)
	if cerr := conn.Close(); err == nil && cerr != nil {
		t.log.Debug("closing an MT connection failed") // the answer has come: nothing depends on it
	}
	if err != nil {
		t.counts.sendErrors.Add(1)
		return transports.Receipt{}, err
	}
	t.counts.sent.Add(1)
	t.counts.sentBytes.Add(uint64(len(d.Payload)))
	return transports.Receipt{At: t.now(), Parts: 1}, nil
}

// admit refuses what cannot be sent, and fills in the address.
func (t *Transport) admit(ctx context.Context, d *transports.Downlink, m *terminated) error {
	err := transports.AdmitSBD(ctx, d, t.cfg.MTMax, t.now())
	switch {
	case err != nil:
		return err
	case len(t.cfg.MT) == 0:
		return transports.Refuse(errNoMT)
	case !t.Up():
		return &transports.SendError{Outcome: transports.NotSent, Err: transports.ErrDown}
	}
	m.imei = [imeiLen]byte([]byte(d.To.ID))
	return nil
}

// dial connects to the first address that answers. Nothing has left before, so the next one may be tried.
func (t *Transport) dial(ctx context.Context) (net.Conn, error) {
	var errs []error
	each := t.cfg.SendTime / time.Duration(2*len(t.cfg.MT)) // half of the time is for the answer
	for _, address := range t.cfg.MT {
		dialer := net.Dialer{Timeout: each}
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err == nil {
			return conn, nil
		}
		errs = append(errs, fmt.Errorf("connect to the Iridium gateway: %w", err))
	}
	return nil, errors.Join(errs...)
}

// exchange sends a message and reads the answer. What did not leave whole the network cannot have taken; after that only its answer says what is.
func (t *Transport) exchange(ctx context.Context, conn net.Conn, m *terminated) error {
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline)
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := conn.Write(appendTerminated(nil, m)); err != nil {
		return &transports.SendError{Outcome: transports.NotSent, Err: fmt.Errorf("send to the Iridium gateway: %w", err)}
	}
	a, err := readAnswer(conn)
	if err == nil && (a.client != m.client || a.imei != m.imei) {
		err = errAnswer
	}
	if err != nil {
		return &transports.SendError{Outcome: transports.MaybeSent, Err: fmt.Errorf("answer of the Iridium gateway: %w", err)}
	}
	return a.status.err()
}

// readAnswer reads the network's answer to an MT message.
func readAnswer(r io.Reader) (answer, error) {
	var head [headLen]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return answer{}, err
	}
	n := int(binary.BigEndian.Uint16(head[1:]))
	if head[0] != revision || n > mtAnswerMax {
		return answer{}, fmt.Errorf("%w: revision %d, %d bytes", errMalformed, head[0], n)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return answer{}, err
	}
	return parseAnswer(body)
}
