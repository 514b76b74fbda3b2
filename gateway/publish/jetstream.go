package publish

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/godwit-gateway/godwit/gateway/failpoint"
	"github.com/godwit-gateway/godwit/gateway/store"
)

// Headers of a message.
const (
	headerID       = "Nats-Msg-Id"
	headerStream   = "Nats-Expected-Stream"
	headerLast     = "Nats-Expected-Last-Sequence"
	headerBatch    = "Nats-Batch-Id"
	headerBatchSeq = "Nats-Batch-Sequence"
	headerCommit   = "Nats-Batch-Commit"
	headerPub      = "Gw-Pub"
	headerOseq     = "Gw-Oseq"
	headerChain    = "Gw-Chain"
	headerFrame    = "Gw-Frame"
	headerReplay   = "Gw-Replay-Of"
)

// codeBatchDuplicate is the server's error for an atomic batch with a message id that it remembers.
const codeBatchDuplicate = 10201

// StreamName is the name of a gateway's stream.
func StreamName(gateway string) string { return "GODWIT_" + gateway }

// JetStreamOptions describe a gateway's stream.
type JetStreamOptions struct {
	Gateway  string
	MaxAge   time.Duration // how long events stay on the stream
	Replicas int           // 1, or 3 in a cluster
}

// A JetStream is the Stream on a NATS server, embedded or not.
type JetStream struct {
	nc     *nats.Conn
	js     jetstream.JetStream
	name   string
	config jetstream.StreamConfig
	msg    nats.Msg // used again for each message: nats.go encodes it before it returns
	values [10][1]string
	batch  uint64
}

// requestTimeout bounds one exchange with the server.
const requestTimeout = 10 * time.Second

// NewJetStream returns the stream of a gateway over a connection. It makes no request.
func NewJetStream(nc *nats.Conn, o JetStreamOptions) (*JetStream, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("use JetStream: %w", err)
	}
	c := streamConfig(o)
	s := &JetStream{nc: nc, js: js, name: c.Name, config: c}
	s.msg.Header = make(nats.Header)
	return s, nil
}

// set puts a header into the message that is used again for each.
func (s *JetStream) set(slot int, name, value string) {
	s.values[slot][0] = value
	s.msg.Header[name] = s.values[slot][:]
}

// Publish implements Stream: one message as it is, more as an atomic batch (ADR-50), which the server writes and syncs as a whole.
func (s *JetStream) Publish(ctx context.Context, messages []Message, last uint64) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	clear(s.msg.Header)
	s.batch++
	batch := strconv.FormatInt(time.Now().UnixNano(), 36) + strconv.FormatUint(s.batch, 36)
	for i := range messages {
		m := &messages[i]
		s.fill(m)
		if i == 0 {
			s.set(0, headerLast, strconv.FormatUint(last, 10))
		} else {
			delete(s.msg.Header, headerLast)
		}
		if len(messages) > 1 {
			s.set(1, headerBatch, batch)
			s.set(2, headerBatchSeq, strconv.Itoa(i+1))
		}
		if i < len(messages)-1 {
			if err := s.nc.PublishMsg(&s.msg); err != nil {
				return fmt.Errorf("%w: %w", ErrDoubt, err)
			}
			continue
		}
		if len(messages) > 1 {
			s.set(3, headerCommit, "1")
		}
		failpoint.Soon(failpoint.Published)
		reply, err := s.nc.RequestMsgWithContext(ctx, &s.msg)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDoubt, err)
		}
		failpoint.Pass(failpoint.PubAcked)
		return checkAck(reply.Data, s.name, last, len(messages))
	}
	return nil
}

func (s *JetStream) fill(m *Message) {
	s.msg.Subject, s.msg.Data = m.Subject, m.Payload
	s.set(4, headerID, m.ID)
	s.set(5, headerStream, s.name)
	s.set(6, headerPub, m.Publisher)
	s.set(7, headerOseq, strconv.FormatUint(m.Oseq, 10))
	s.set(8, headerChain, hex.EncodeToString(m.Chain[:]))
	delete(s.msg.Header, headerFrame)
	delete(s.msg.Header, headerReplay)
	if m.Frame != "" {
		s.set(9, headerFrame, m.Frame)
	}
	if m.ReplayOf != 0 {
		s.msg.Header[headerReplay] = []string{strconv.FormatUint(m.ReplayOf, 10)}
	}
}

// checkAck decides whether an acknowledgement says what it must: our stream, nothing taken for a duplicate, and exactly the sequences expected.
// Everything else is doubt, also an error that names a cause: where the stream ends is for a look at the stream to find out.
func checkAck(data []byte, stream string, last uint64, n int) error {
	var ack struct {
		Stream    string `json:"stream"`
		Sequence  uint64 `json:"seq"`
		Count     int    `json:"count"`
		Duplicate bool   `json:"duplicate"`
		Error     *struct {
			Code        int    `json:"err_code"`
			Description string `json:"description"`
		} `json:"error"`
	}
	if err := json.Unmarshal(data, &ack); err != nil {
		return fmt.Errorf("%w: acknowledgement %q: %w", ErrDoubt, data, err)
	}
	if ack.Error != nil && ack.Error.Code == codeBatchDuplicate || ack.Duplicate {
		return fmt.Errorf("%w: %w: acknowledgement %s", ErrDoubt, ErrDuplicate, data)
	}
	if ack.Error != nil {
		return fmt.Errorf("%w: the server says %d, %s", ErrDoubt, ack.Error.Code, ack.Error.Description)
	}
	if ack.Stream != stream || ack.Sequence != last+uint64(n) || n > 1 && ack.Count != n { //nolint:gosec // not negative
		return fmt.Errorf("%w: acknowledgement %s of %d messages after %d", ErrDoubt, data, n, last)
	}
	return nil
}

// Get implements Stream. It asks the stream's leader, not any replica.
func (s *JetStream) Get(ctx context.Context, sequence uint64) (Message, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	body := []byte(`{"seq":` + strconv.FormatUint(sequence, 10) + `}`)
	reply, err := s.nc.RequestWithContext(ctx, "$JS.API.STREAM.MSG.GET."+s.name, body)
	if err != nil {
		return Message{}, fmt.Errorf("ask for message %d: %w", sequence, err)
	}
	var r struct {
		Message *struct {
			Subject  string `json:"subject"`
			Sequence uint64 `json:"seq"`
			Header   []byte `json:"hdrs"`
			Data     []byte `json:"data"`
		} `json:"message"`
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(reply.Data, &r); err != nil {
		return Message{}, fmt.Errorf("read the answer for message %d: %w", sequence, err)
	}
	if r.Error != nil {
		if r.Error.ErrorCode == jetstream.JSErrCodeMessageNotFound {
			return Message{}, fmt.Errorf("message %d: %w", sequence, ErrNoMessage)
		}
		return Message{}, fmt.Errorf("message %d: %w", sequence, r.Error)
	}
	h := nats.Header{}
	if len(r.Message.Header) > 0 {
		if h, err = nats.DecodeHeadersMsg(r.Message.Header); err != nil {
			return Message{}, fmt.Errorf("headers of message %d: %w", sequence, err)
		}
	}
	return parseMessage(r.Message.Subject, r.Message.Sequence, h, r.Message.Data), nil
}

// parseMessage reads a message. One whose headers are not ours comes back without a publisher.
func parseMessage(subject string, sequence uint64, h nats.Header, data []byte) Message {
	m := Message{Subject: subject, Sequence: sequence, ID: first(h, headerID), Frame: first(h, headerFrame), Payload: data}
	oseq, err1 := strconv.ParseUint(first(h, headerOseq), 10, 64)
	chain, err2 := hex.DecodeString(first(h, headerChain))
	if err1 == nil && err2 == nil && len(chain) == len(store.Chain{}) {
		m.Publisher, m.Oseq, m.Chain = first(h, headerPub), oseq, store.Chain(chain)
	}
	m.ReplayOf, _ = strconv.ParseUint(first(h, headerReplay), 10, 64)
	return m
}

func first(h nats.Header, name string) string {
	if v := h[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// Range implements Stream by a batched direct get (ADR-31). Replies end with one that has no data.
func (s *JetStream) Range(ctx context.Context, from uint64, n int) ([]Message, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	inbox := s.nc.NewRespInbox()
	sub, err := s.nc.SubscribeSync(inbox)
	if err != nil {
		return nil, fmt.Errorf("subscribe to replies: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	body := []byte(`{"seq":` + strconv.FormatUint(from, 10) + `,"batch":` + strconv.Itoa(n) + `}`)
	if err := s.nc.PublishRequest("$JS.API.DIRECT.GET."+s.name, inbox, body); err != nil {
		return nil, fmt.Errorf("ask for messages from %d: %w", from, err)
	}
	var out []Message
	for {
		msg, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			return nil, fmt.Errorf("read messages from %d: %w", from, err)
		}
		switch status := first(msg.Header, "Status"); status {
		case "":
		case "204", "404": // the end, or nothing there
			return out, nil
		default:
			return nil, fmt.Errorf("messages from %d: the server says %s %s", from, status, first(msg.Header, "Description"))
		}
		sequence, err := strconv.ParseUint(first(msg.Header, "Nats-Sequence"), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("sequence of a message after %d: %w", from, err)
		}
		out = append(out, parseMessage(first(msg.Header, "Nats-Subject"), sequence, msg.Header, msg.Data))
	}
}
