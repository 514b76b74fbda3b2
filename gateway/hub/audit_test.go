package hub_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/gateway/audit"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/transports"
)

// acts are the entries of the book, as who did what to what.
func (b *bench) acts() (list []string) {
	b.t.Helper()
	entries, next, err := b.hub.Audit(0, 1000)
	if err != nil || next != 0 {
		b.t.Fatalf("audit: %v, next %d", err, next)
	}
	for _, e := range entries {
		list = append(list, strings.TrimSpace(e.Who+" "+e.Action+" "+e.Subject+" "+e.Remark))
	}
	return list
}

// sound fails the test unless the book is sound.
func (b *bench) sound() audit.Report {
	b.t.Helper()
	r, err := b.hub.VerifyAudit(audit.Head{})
	if err != nil || !r.Sound {
		b.t.Fatalf("audit: %v, %v", err, r.Problems)
	}
	return r
}

// What somebody orders is in the book with its change, over power failures; what was refused is not.
func TestOrdersAreInTheBook(t *testing.T) {
	b := newBench(t)
	_ = b.store.Close()
	b.register = fleet.RegisterPending
	b.open()
	for number := range uint32(2) {
		d := b.device(number + 1)
		b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Quarantined)
	}
	ann := hub.WithActor(t.Context(), audit.Actor{Name: "ann", Role: "operator"})
	if _, err := b.hub.Approve(ann, "dev-1", fleet.Approval{Customer: "port"}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.hub.Approve(ann, "dev-1", fleet.Approval{}); !errors.Is(err, fleet.ErrState) {
		t.Fatalf("approved twice: %v", err)
	}
	b.crash()
	ben := hub.WithActor(t.Context(), audit.Actor{Name: "ben", Role: "admin"})
	if _, err := b.hub.Reject(ben, "dev-2", "stolen"); err != nil {
		t.Fatal(err)
	}
	if err := b.hub.Authorise(ben, "token.create", "grafana", "role viewer"); err != nil {
		t.Fatal(err)
	}
	want := []string{"ann device.approve dev-1 customer port", "ben device.reject dev-2 stolen", "ben token.create grafana role viewer"}
	if got := b.acts(); !slices.Equal(got, want) {
		t.Fatalf("the book has %q, want %q", got, want)
	}
	r := b.sound()
	told := b.told(hub.KindAudit)
	if len(told) != 3 || told[2]["hash"] != r.Head.Hash.String() || told[2]["who"] != "ben" || told[2]["about"] != "grafana" {
		t.Errorf("events %v, head %v", told, r.Head)
	}
	list, next, err := b.hub.Audit(1, 1)
	if err != nil || len(list) != 1 || list[0].Seq != 2 || next != 2 {
		t.Errorf("a page: %v, next %d, %v", list, next, err)
	}
	b.crash()
	if again := b.sound(); again.Head != r.Head {
		t.Errorf("after a power failure the head is %v, was %v", again.Head, r.Head)
	}
}

// Who changes the book, or cuts off its end, is found out; the gateway runs on.
func TestBookThatWasTamperedWith(t *testing.T) {
	b := newBench(t)
	for _, name := range []string{"a", "b", "c"} {
		if err := b.hub.Authorise(t.Context(), "token.create", name, ""); err != nil {
			t.Fatal(err)
		}
	}
	head := b.sound().Head
	forged := new(audit.Chain).Add(b.clock.t, audit.Actor{Name: "eve", Role: "admin"}, "token.create", "a", "")
	batch := b.store.NewBatch()
	batch.PutAudit(1, forged.Append(nil))
	if err := b.store.Commit(batch); err != nil {
		t.Fatal(err)
	}
	b.crash()
	if r, err := b.hub.VerifyAudit(head); err != nil || r.Sound || len(r.Problems) != 1 || r.Head != head {
		t.Errorf("changed: %v, %+v", err, r)
	}
	if err := b.hub.Authorise(t.Context(), "token.create", "d", ""); err != nil {
		t.Errorf("the gateway does not go on: %v", err)
	}
	// A row at the end of which nothing can be read: the book goes on behind it.
	batch = b.store.NewBatch()
	batch.PutAudit(4, []byte("no entry"))
	if err := b.store.Commit(batch); err != nil {
		t.Fatal(err)
	}
	b.crash()
	if err := b.hub.Authorise(t.Context(), "token.create", "e", ""); err != nil {
		t.Errorf("the gateway does not go on: %v", err)
	}
	r, err := b.hub.VerifyAudit(head)
	if told := b.told(hub.KindAudit); err != nil || r.Sound || r.Entries != 5 || r.Head.Seq != 5 || told[len(told)-1]["seq"] != 5.0 {
		t.Errorf("unreadable: %v, %+v", err, r)
	}
	fresh := newBench(t)
	if r, err := fresh.hub.VerifyAudit(head); err != nil || r.Sound {
		t.Errorf("cut off: %v, %+v", err, r)
	}
}
