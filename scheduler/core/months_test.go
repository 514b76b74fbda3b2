package core_test

import (
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
)

// Months are closed by themselves once nothing can come for them, and forgotten a year later, so that neither memory nor store grows for ever.
func TestMonthsCloseAndAreForgotten(t *testing.T) {
	k, store := newCore(t, config(t)), newRows()
	know(k, 3)
	now := t0
	for range 3 * 365 {
		now = now.Add(24 * time.Hour)
		k.Poll(now)
		for i := range 3 {
			k.Heard(now, core.Place(i), core.Contact{Link: i, Bytes: 30, Cause: ledger.CauseStatus, Newest: true})
		}
		k.Drain(store)
	}
	months := k.Ledger().Months()
	if closed := k.Ledger().Closed(); closed+1 < months[len(months)-1] || len(months) < 13 || len(months) > 16 {
		t.Errorf("%d months, %v to %v, closed %v", len(months), months[0], months[len(months)-1], closed)
	}
	again := newCore(t, config(t))
	know(again, 3)
	if err := again.Load(store, now, byNumber); err != nil {
		t.Fatal(err)
	}
	if got := again.Ledger().Months(); len(got) != len(months) || again.Ledger().Closed() != k.Ledger().Closed() {
		t.Errorf("after a restart months %v, want %v; closed %v", got, months, again.Ledger().Closed())
	}
}
