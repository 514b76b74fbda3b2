package rockblock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/godwit-gateway/godwit/gateway/failpoint"
	"github.com/godwit-gateway/godwit/transports"
)

// Times of the server.
const (
	Grace       = 5 * time.Second         // for what is in hand once Run's context is done
	answerTime  = 2500 * time.Millisecond // for the sink: the web service gives up after three seconds
	readTime    = 5 * time.Second         // for a whole request
	warnedEvery = 10                      // seconds
)

// Run implements transports.Transport.
func (t *Transport) Run(ctx context.Context, sink transports.Sink) error {
	socket, err := t.listen()
	if err != nil {
		return err
	}
	// What is in hand outlives ctx, by the grace period at most; after that the sink is told to give up.
	inHand, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	var work sync.WaitGroup
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+t.cfg.Path, func(w http.ResponseWriter, r *http.Request) {
		status := t.serve(inHand, sink, w, r, &work)
		w.WriteHeader(status)
		if status == http.StatusOK {
			failpoint.Pass(failpoint.Answered)
		}
	})
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: readTime, ReadTimeout: readTime, WriteTimeout: 2 * readTime, IdleTimeout: readTime, MaxHeaderBytes: headersMax, ConnContext: withVisit,
		ErrorLog: slog.NewLogLogger(t.log.Handler(), slog.LevelDebug),
	}
	t.gate.Open()
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(gated{socket, t}) }()
	t.socket.Run(true)
	defer t.socket.Run(false)
	select {
	case err = <-ended:
		err = fmt.Errorf("rockblock link %s: %w", t.name, err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), Grace)
	defer cancel()
	t.gate.Close(false) // connections that have said nothing would be waited for
	if server.Shutdown(stop) != nil {
		giveUp()
		_ = server.Close() // whoever is cut off comes again
	}
	timer := time.AfterFunc(Grace, giveUp)
	work.Wait()
	timer.Stop()
	return err
}

// serve settles one webhook and returns the status that says so.
func (t *Transport) serve(ctx context.Context, sink transports.Sink, w http.ResponseWriter, r *http.Request, work *sync.WaitGroup) int {
	t.counts.received.Add(1)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMax))
	if err != nil {
		t.counts.malformed.Add(1)
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return http.StatusRequestEntityTooLarge
		}
		return http.StatusBadRequest
	}
	if v := visitOf(r.Context()); v != nil { // it has come in whole: nobody takes its place now
		if !t.gate.Take(v) {
			return http.StatusServiceUnavailable // and nobody hears it
		}
		defer t.gate.Free(v)
	}
	m, err := parseWebhook(r.Header.Get("Content-Type"), body)
	if err != nil {
		t.counts.malformed.Add(1)
		t.warn("webhook cannot be read", err)
		return http.StatusBadRequest
	}
	if err := t.verifier.verify(&m, t.now()); err != nil {
		t.counts.stranger.Add(1)
		t.warn("webhook is not Ground Control's", err)
		return http.StatusUnauthorized
	}
	key := keyOf(&m)
	if _, again := t.settled.Get(key); again { // the answer was lost, or came too late
		t.counts.repeated.Add(1)
		return http.StatusOK
	}
	settled := make(chan bool, 1)
	select {
	case t.slots <- struct{}{}:
	default: // the sink has as many as it may
		t.counts.late.Add(1)
		return http.StatusServiceUnavailable
	}
	work.Go(func() { // goes on when its caller is told to come again: the payload is the sink's until it returns
		defer func() { <-t.slots }()
		as := t.hand(ctx, sink, &m)
		kept := as != transports.Unsettled && as != transports.Rejected // what is rejected today may be welcome tomorrow
		if kept {
			t.settled.Put(key, struct{}{})
		}
		settled <- kept
	})
	timer := time.NewTimer(answerTime)
	defer timer.Stop()
	select {
	case ok := <-settled:
		failpoint.Pass(failpoint.Replied)
		if ok {
			return http.StatusOK
		}
	case <-timer.C:
		t.counts.late.Add(1)
	}
	return http.StatusServiceUnavailable
}

// hand gives a message to the sink and returns what became of it.
func (t *Transport) hand(ctx context.Context, sink transports.Sink, m *webhook) transports.Settlement {
	from := transports.Address{Bearer: transports.SBD, ID: m.imei}
	if len(m.data) == 0 {
		if err := transports.Book(ctx, sink, transports.Check{Transport: t.name, At: t.now(), From: from, Ref: fmt.Sprintf("%s at %d", m.momsn, m.at.Unix())}); err != nil {
			t.counts.settled[transports.Unsettled].Add(1)
			t.warn("session without a message was not booked", err)
			return transports.Unsettled
		}
		t.counts.empty.Add(1)
		return transports.Stored
	}
	u := transports.Uplink{
		Transport: t.name, From: from, Ref: m.momsn, SentAt: m.at, ReceivedAt: t.now(), Position: m.position, Payload: m.data,
	}
	failpoint.Pass(failpoint.Received)
	var out [1]transports.Verdict
	if err := sink.Uplinks(ctx, []transports.Uplink{u}, out[:]); err != nil {
		t.counts.settled[transports.Unsettled].Add(1)
		t.warn("message was not stored and stays with the web service", err)
		return transports.Unsettled
	}
	as := min(out[0].Settlement, transports.Rejected)
	t.counts.settled[as].Add(1)
	return as
}

// warn logs what may come again and again, seldom.
func (t *Transport) warn(what string, err error) {
	now, last := t.now().Unix(), t.warned.Load()
	if now-last >= warnedEvery && t.warned.CompareAndSwap(last, now) {
		t.log.Warn("webhook was not taken", slog.String("transport", t.name), slog.String("why", what), slog.Any("error", err))
	}
}
