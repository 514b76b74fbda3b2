package cloudloop

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/godwit-gateway/godwit/transports"
)

var (
	errUnknown = errors.New("the account has no modem with this IMEI")
	errAnswer  = errors.New("the web service says neither yes nor no")
)

// Send implements transports.Transport. The network keeps what it took for five days; no report comes later.
func (t *Transport) Send(ctx context.Context, d transports.Downlink) (transports.Receipt, error) {
	if err := t.admit(ctx, &d); err != nil {
		return transports.Receipt{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, t.cfg.SendTime)
	defer cancel()
	if err := t.submit(ctx, &d); err != nil {
		t.counts.sendErrors.Add(1)
		return transports.Receipt{}, err
	}
	t.counts.sent.Add(1)
	t.counts.sentBytes.Add(uint64(len(d.Payload)))
	return transports.Receipt{At: t.now(), Parts: 1}, nil
}

// admit refuses what cannot be sent.
func (t *Transport) admit(ctx context.Context, d *transports.Downlink) error {
	err := transports.AdmitRockBLOCK(ctx, d, DownlinkMax, t.now())
	switch {
	case err != nil:
		return err
	case !t.Up():
		return &transports.SendError{Outcome: transports.NotSent, Err: transports.ErrDown}
	}
	return nil
}

// submit finds the modem and hands the message over. Until the second request nothing has left.
func (t *Transport) submit(ctx context.Context, d *transports.Downlink) error {
	hardware, err := t.hardwareOf(ctx, d.To.ID)
	switch {
	case refused(err) || err == nil && hardware == "":
		return transports.Refuse(errUnknown)
	case err != nil:
		return &transports.SendError{Outcome: transports.NotSent, Slow: true, Unasked: unreached(err), Code: codeOf(err), Err: err}
	}
	var answer struct {
		Requests []struct {
			Message text `json:"message"`
			Status  text `json:"status"`
		} `json:"requests"`
	}
	query := url.Values{"hardware": {hardware}, "payload": {hex.EncodeToString(d.Payload)}, "flushMt": {strconv.FormatBool(t.cfg.Flush)}}
	if err := t.service.get(ctx, "DataMt/DoSendMessage", query, &answer); err != nil {
		return sendError(err)
	}
	if len(answer.Requests) != 1 {
		return &transports.SendError{Outcome: transports.MaybeSent, Err: errAnswer}
	}
	return verdict(string(answer.Requests[0].Message), string(answer.Requests[0].Status))
}

// verdict is what an answer means. Only QUEUED is documented: words of failure are a no that an operator may be able to mend, and beside them the id of a
// message is a yes.
func verdict(id, status string) error {
	word := strings.ToUpper(status)
	for _, no := range []string{"FAIL", "ERROR", "REJECT", "INVALID", "DENIED", "NOT_", "EXCEED", "EXPIRED"} {
		if strings.Contains(word, no) {
			return &transports.SendError{Outcome: transports.NotSent, Slow: true, Err: fmt.Errorf("web service: %.*q", textMax, status)}
		}
	}
	if word == "QUEUED" || id != "" {
		return nil
	}
	return &transports.SendError{Outcome: transports.MaybeSent, Err: fmt.Errorf("%w: %.*q", errAnswer, textMax, status)}
}

// sendError says what a request that failed means for its message.
func sendError(err error) error {
	out := &transports.SendError{Outcome: transports.MaybeSent, Code: codeOf(err), Err: err}
	var f *failure
	if !errors.As(err, &f) {
		return out
	}
	switch {
	case !f.reached:
		out.Outcome, out.Slow, out.Unasked = transports.NotSent, true, true
	case f.status == http.StatusRequestTimeout || f.status == http.StatusFound || f.status == http.StatusSeeOther: // it may have been taken before
	case f.said && f.status < http.StatusInternalServerError, f.status >= http.StatusMultipleChoices && f.status < http.StatusInternalServerError:
		out.Outcome, out.Slow = transports.NotSent, true
	}
	return out
}

func unreached(err error) bool {
	var f *failure
	return errors.As(err, &f) && !f.reached
}

// codeOf is the web service's code of an error, or the status of its answer.
func codeOf(err error) int {
	var f *failure
	if !errors.As(err, &f) {
		return 0
	}
	if f.code != 0 {
		return f.code
	}
	return f.status
}
