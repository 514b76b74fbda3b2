package rockblock

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
	"github.com/godwit-gateway/godwit/transports/webservice"
)

var (
	errNoAccount = errors.New("the link has no account for what goes to modems (username)")
	errAnswer    = errors.New("the web service says neither OK nor FAILED")
)

// Send implements transports.Transport. Account and password go in the body: addresses are logged by whoever passes them on.
func (t *Transport) Send(ctx context.Context, d transports.Downlink) (transports.Receipt, error) {
	if err := t.admit(ctx, &d); err != nil {
		return transports.Receipt{}, err
	}
	form := url.Values{
		"imei": {d.To.ID}, "username": {t.cfg.Username}, "password": {t.cfg.Password}, "data": {hex.EncodeToString(d.Payload)},
	}
	if t.cfg.Flush {
		form.Set("flush", "yes")
	}
	if err := t.post(ctx, form.Encode()); err != nil {
		t.counts.sendErrors.Add(1)
		return transports.Receipt{}, err
	}
	t.counts.sent.Add(1)
	t.counts.sentBytes.Add(uint64(len(d.Payload)))
	return transports.Receipt{At: t.now(), Parts: (len(d.Payload) + creditBytes - 1) / creditBytes}, nil
}

// admit refuses what cannot be sent.
func (t *Transport) admit(ctx context.Context, d *transports.Downlink) error {
	err := transports.AdmitRockBLOCK(ctx, d, DownlinkMax, t.now())
	switch {
	case err != nil:
		return err
	case t.cfg.Username == "":
		return transports.Refuse(errNoAccount)
	case !t.Up():
		return &transports.SendError{Outcome: transports.NotSent, Err: transports.ErrDown}
	}
	return nil
}

// post makes the request. Until a connection is there nothing has left; after that only the answer says what is.
func (t *Transport) post(ctx context.Context, form string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.cfg.MT, strings.NewReader(form))
	if err != nil {
		return transports.Refuse(fmt.Errorf("ask the web service: %w", err))
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	a, reached, err := webservice.Ask(t.client, r, replyMax)
	said := fmt.Errorf("answer of the web service: status %d", a.Status)
	switch {
	case !reached:
		return &transports.SendError{Outcome: transports.NotSent, Slow: true, Unasked: true, Err: fmt.Errorf("reach the web service: %w", err)}
	case err != nil:
		return &transports.SendError{Outcome: transports.MaybeSent, Err: fmt.Errorf("ask the web service: %w", err)}
	case a.Status == http.StatusFound || a.Status == http.StatusSeeOther || a.Status == http.StatusRequestTimeout: // it may have been taken before
		return &transports.SendError{Outcome: transports.MaybeSent, Code: a.Status, Err: said}
	case a.Status >= 300 && a.Status < 500: // it is not there, or does not want us
		return &transports.SendError{Outcome: transports.NotSent, Slow: true, Code: a.Status, Err: said}
	case a.Status != http.StatusOK:
		return &transports.SendError{Outcome: transports.MaybeSent, Code: a.Status, Err: said}
	}
	return parseAnswer(string(a.Body))
}

const codeTooLong = 15

// refusals are what the web service says no with. What an operator can repair there within days is not refused for good.
var refusals = map[int]struct {
	outcome transports.Outcome
	slow    bool
	text    string
}{
	10:          {transports.NotSent, true, "account or password is wrong"},
	11:          {transports.Refused, false, "the account has no modem with this IMEI"},
	12:          {transports.NotSent, true, "the modem has no line rental"},
	13:          {transports.NotSent, true, "the account has no credit left"},
	14:          {transports.Refused, false, "the data is not hexadecimal"},
	codeTooLong: {transports.Refused, false, "the data is too long"},
	16:          {transports.Refused, false, "there is no data"},
	99:          {transports.NotSent, false, "an error of the web service"},
}

// parseAnswer reads "OK,<id>" or "FAILED,<code>,<text>".
func parseAnswer(text string) error {
	word, rest, _ := strings.Cut(strings.TrimSpace(text), ",")
	if word == "OK" {
		return nil
	}
	code, _, _ := strings.Cut(rest, ",")
	n, err := strconv.Atoi(code)
	if word != "FAILED" || err != nil {
		return &transports.SendError{Outcome: transports.MaybeSent, Err: errAnswer}
	}
	if r, known := refusals[n]; known {
		err := fmt.Errorf("web service: %s", r.text)
		if n == codeTooLong {
			err = fmt.Errorf("%w: %w", err, transports.ErrTooLarge)
		}
		return &transports.SendError{Outcome: r.outcome, Slow: r.slow, Code: n, Err: err}
	}
	return &transports.SendError{Outcome: transports.NotSent, Slow: true, Code: n, Err: fmt.Errorf("web service: failed with code %d", n)}
}
