package hub_test

import (
	"context"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/transports"
)

// A network may report before the receipt is filed.
func TestReportBeforeItsReceipt(t *testing.T) {
	for name, c := range map[string]struct {
		report transports.Report
		err    error
		want   string
	}{
		"delivered":      {transports.Report{Ref: "7", State: transports.ReportDelivered}, nil, hub.DownlinkDelivered},
		"given up":       {transports.Report{Ref: "7", State: transports.ReportFailed}, nil, hub.DownlinkFailed},
		"of another one": {transports.Report{Ref: "8", State: transports.ReportDelivered}, nil, hub.DownlinkAccepted},
		"never taken":    {transports.Report{Ref: "7", State: transports.ReportDelivered}, &transports.SendError{Outcome: transports.NotSent}, hub.DownlinkQueued},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.importOne(8)
			b.message("sms")
			c.report.Transport, c.report.ReceivedAt = "sms", b.clock.t
			b.sms.err = c.err
			b.sms.hold = func(context.Context, transports.Downlink) {
				if err := b.hub.Report(t.Context(), c.report); err != nil {
					t.Error(err)
				}
			}
			b.attempt("sms")
			if b.crash(); b.downlink().State != c.want {
				t.Errorf("%+v", b.downlink())
			}
			// A report that nothing waited for is not kept for what comes.
			b.sms.hold, b.sms.err = nil, nil
			b.message("sms")
			b.clock.t = b.clock.t.Add(time.Minute)
			b.attempt("sms")
			b.attempt("sms")
			if r := b.downlink(); r.State != hub.DownlinkAccepted {
				t.Errorf("the next one is %+v", r)
			}
		})
	}
}

// Where reports do not come, what the network took holds up nothing that is new.
func TestReportsThatNeverCome(t *testing.T) {
	b := newBench(t)
	b.importOne(8)
	for range 20 {
		b.message("sms")
		b.attempt("sms")
	}
	if len(b.sms.sent) != 20 {
		t.Errorf("%d sent", len(b.sms.sent))
	}
}
