package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/godwit-gateway/godwit/gateway/audit"
)

// KindAudit is the kind of events godwit.v1.{gateway}.audit.{action}: an authorisation, with the head of the chain behind it. Who has kept one of
// them can tell that the end of the book was cut off.
const KindAudit = "audit"

// actorKey is the key of the actor in a context.
type actorKey struct{}

// WithActor returns a context of calls that somebody ordered. What the hub then does is in the book under that name.
func WithActor(ctx context.Context, a audit.Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// ActorOf is who ordered a call; the gateway itself if nobody did.
func ActorOf(ctx context.Context) audit.Actor {
	if a, ok := ctx.Value(actorKey{}).(audit.Actor); ok {
		return a
	}
	return audit.Gateway
}

// openAudit finds the end of the book. Whether all of it is sound is for VerifyAudit to say: a gateway must run also if somebody tampered with it.
func (h *Hub) openAudit() error {
	err := h.store.EachAudit(0, func(seq uint64, row []byte) error {
		e, err := audit.Parse(row)
		if err != nil {
			h.log.Error("an authorisation cannot be read: the book was damaged, or written by a later release", slog.Uint64("entry", seq), attrErr(err))
			h.book = h.book.Past(seq, row)
			return nil
		}
		e.Seq = seq // what comes next must not overwrite a row
		h.book = audit.Resume(&e)
		return nil
	})
	if err != nil {
		return fmt.Errorf("load the authorisations: %w", err)
	}
	return nil
}

// authorised makes an authorisation part of the batch, and of the stream. Called with mu held, after what it allows was done and while no event
// is being built.
func (h *Hub) authorised(c *commit, who audit.Actor, action, subject, remark string) {
	entry := h.book.Add(h.clock.Now(), who, action, subject, remark)
	c.batch.PutAudit(entry.Seq, entry.Append(nil))
	head := h.book.Head()
	e := h.plainEvent(c, "audit."+action, KindAudit, action, entry.At)
	e.payload = appendUintMember(e.payload, "seq", entry.Seq)
	e.payload = appendHexMember(e.payload, "hash", head.Hash[:])
	e.payload = appendTextMember(e.payload, "who", entry.Who.Name)
	e.payload = appendTextMember(e.payload, "role", entry.Who.Role)
	e.payload = appendTextMember(e.payload, "action", entry.Action)
	e.payload = appendTextMember(e.payload, "about", entry.Subject)
	e.payload = appendTextMember(e.payload, "remark", entry.Remark)
	h.emit(c, nil, e)
}

// Authorise writes down that somebody did what the store does not hold, as the making of a token. It is on disk when Authorise returns.
func (h *Hub) Authorise(ctx context.Context, action, subject, remark string) error {
	return h.do(ctx, func(c *commit) error {
		h.authorised(c, ActorOf(ctx), action, subject, remark)
		return nil
	})
}

// An AuditEntry is an authorisation as people see it.
type AuditEntry struct {
	Seq     uint64     `json:"seq"`
	At      time.Time  `json:"at"`
	Who     string     `json:"who"`
	Role    string     `json:"role"`
	Action  string     `json:"action"`
	Subject string     `json:"subject"`
	Remark  string     `json:"remark,omitempty"`
	Hash    audit.Hash `json:"hash"`
	Prev    audit.Hash `json:"previous"`
}

// ViewAudit is an entry as people see it.
func ViewAudit(e *audit.Entry) AuditEntry {
	return AuditEntry{e.Seq, e.At, e.Who.Name, e.Who.Role, e.Action, e.Subject, e.Remark, e.Hash(), e.Prev}
}

// errEnough ends a walk early.
var errEnough = errors.New("enough")

// Audit returns a page of authorisations after a number, in order, and the number to go on with; 0 at the end.
func (h *Hub) Audit(after uint64, limit int) (list []AuditEntry, next uint64, err error) {
	err = h.store.EachAudit(after+1, func(seq uint64, row []byte) error {
		if len(list) == pageLimit(limit) {
			next = list[len(list)-1].Seq
			return errEnough
		}
		e, err := audit.Parse(row)
		if err != nil {
			return fmt.Errorf("entry %d: %w", seq, err)
		}
		list = append(list, ViewAudit(&e))
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, 0, fmt.Errorf("read the authorisations: %w", err)
	}
	return list, next, nil
}

// VerifyAudit reads the whole book. known may be a head that was seen before: the book must hold that entry.
func (h *Hub) VerifyAudit(known audit.Head) (audit.Report, error) {
	return audit.Verify(h.store.EachAudit, known)
}
