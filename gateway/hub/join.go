package hub

import (
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/gateway/failpoint"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/transports"
)

// join settles a clear control frame. Devices send two of them: the request to join, and its confirmation; both name their device. What an
// acceptance says is in the same batch, so it is on disk before the answer leaves.
func (h *Hub) join(c *commit, l *link, u *transports.Uplink, item *codec.Item, out *transports.Verdict) (transports.Settlement, Reason) {
	f, err := codec.ParseJoin(item.Content)
	if err != nil {
		return transports.Rejected, ReasonMalformed
	}
	if f.Type != codec.ControlJoinRequest && f.Type != codec.ControlJoinConfirm || item.Form == codec.FormAddressed && item.CID != f.Join.Number {
		return transports.Rejected, ReasonForm
	}
	place := h.joinFailureKey(u, f.Join.Number)
	if !h.failures.admit(place, u.ReceivedAt) {
		return transports.Rejected, ReasonLimit
	}
	i, reason := h.joiner(c, l, u, &f)
	if reason != ReasonNone {
		h.failures.fail(place, u.ReceivedAt)
		return transports.Rejected, reason
	}
	g := h.fleet.Session(i)
	switch h.fleet.Head(i).State {
	case fleet.Active:
	case fleet.Pending:
		return transports.Rejected, ReasonPending // it asks again when it is let in
	default:
		return transports.Rejected, ReasonState
	}
	return h.joined(c, l, u, i, &g, &f, out)
}

// joiner is the device whose join key a join verifies under. A confirmation is one of the challenge that is known, if there is one.
func (h *Hub) joiner(c *commit, l *link, u *transports.Uplink, f *codec.JoinFrame) (fleet.Index, Reason) {
	i, ok := h.fleet.ByNumber(f.Join.Number)
	if !ok {
		if i, ok = h.firstJoin(c, l, u, f); !ok {
			return 0, ReasonUnknown
		}
	}
	key, ok := h.fleet.JoinKey(i)
	if !ok {
		return 0, ReasonUnknown
	}
	if f.Type == codec.ControlJoinConfirm {
		g := h.fleet.Session(i)
		if f.Nonce, ok = g.Challenged(f.Join); !ok {
			return 0, ReasonAuth // nothing is known that it could confirm
		}
	}
	if f.Verify(key) != nil {
		h.failed(c, i, u.ReceivedAt)
		return 0, ReasonAuth
	}
	return i, ReasonNone
}

// joined settles an authentic frame of a join.
func (h *Hub) joined(
	c *commit, l *link, u *transports.Uplink, i fleet.Index, g *session.Gateway, f *codec.JoinFrame, out *transports.Verdict,
) (transports.Settlement, Reason) {
	before := *g
	number := h.fleet.Head(i).Number
	var answer session.Answer
	if f.Type == codec.ControlJoinRequest {
		nonce := h.nonce()
		if answer = g.Request(f.Join, nonce, !l.Metered, u.ReceivedAt); answer == session.Wait && h.movable(l, i, downlinkJoin) != nil {
			g.ChallengedAt = 0 // the challenge has cost nothing yet: it did not leave
			answer = g.Request(f.Join, nonce, false, u.ReceivedAt)
		}
	} else {
		answer = g.Confirm(f.Join)
	}
	began := g.Role == session.Pending && (before.Role != session.Pending || before.Second.Number != g.Second.Number)
	if *g != before {
		if !h.keepSession(c, i, g) {
			return transports.Rejected, ReasonUnknown
		}
	}
	if began {
		failpoint.Pass(failpoint.Join)
		h.epochEvent(c, i, u.ReceivedAt, "join", g.Second.Number)
		h.withdraw(c, number, downlinkRekey, u.ReceivedAt)
		h.core.Forgot(u.ReceivedAt, core.Place(i)) // it may: joins are of devices that lost their memory, or heard nothing for long
	}
	key, _ := h.fleet.JoinKey(i)
	switch answer {
	case session.Accept:
		h.scratch.row = codec.AppendJoinAccept(h.scratch.row[:0], key, f.Join, g.PendingNonce(), g.Second.Number)
	case session.Challenge:
		h.scratch.row = codec.AppendChallenge(h.scratch.row[:0], key, f.Join, g.Challenge)
	default:
		return transports.Duplicate, ReasonNone
	}
	h.answerJoin(c, l, u, i, *g != before, out)
	if *g == before {
		return transports.Duplicate, ReasonNone
	}
	return transports.Stored, ReasonNone
}

// answerJoin sends what stands in scratch.row. What was said before is said again as seldom as an acknowledgement of a duplicate.
func (h *Hub) answerJoin(c *commit, l *link, u *transports.Uplink, i fleet.Index, fresh bool, out *transports.Verdict) {
	if l.Metered {
		h.queueJoin(c, l, i, u.ReceivedAt)
		return
	}
	if !fresh && !h.admitRepeat(i, u) {
		return
	}
	if len(out.Reply)+len(h.scratch.row) > len(u.Payload)+replyExtra {
		return
	}
	out.Reply = append(out.Reply, h.scratch.row...)
	l.count.replies.Add(1)
}

// queueJoin queues the answer in scratch.row where each message is paid for. It takes the place of an earlier answer that is still queued, or that may have
// left and would be repeated, or that waits for a link that is dead: the device has not heard that one.
func (h *Hub) queueJoin(c *commit, l *link, i fleet.Index, now time.Time) {
	number := h.fleet.Head(i).Number
	payload := append([]byte(nil), h.scratch.row...)
	h.follow(c, l, i, downlinkJoin, now)
	if d := h.queued(number, l, downlinkJoin); d != nil {
		d.Payload, d.Expires = payload, now.Add(ttlOf(downlinkJoin))
		c.batch.PutDownlink(d)
		return
	}
	if d := h.outgoing.doubtful(number, l, downlinkJoin); d != nil {
		d.Payload, d.Due, d.Expires = payload, now, now.Add(ttlOf(downlinkJoin))
		h.move(c, d, DownlinkQueued, now)
		c.wake = true
		return
	}
	if l.Transport == nil || h.reachable(i, l) != nil || h.outgoing.full(number) {
		if h.senders.firstToday(joinSalt^uint64(number), now) {
			h.alarm(c, i, now, AlarmJoinUnanswered, "the device asks for a new epoch, and no link has a way to answer it: accept its address", 0)
		}
		return
	}
	h.enqueue(c, i, &store.Downlink{
		Number: number, Kind: downlinkJoin, Link: l.Name, Payload: payload, State: DownlinkQueued,
		QueuedAt: now, Due: now, Expires: now.Add(ttlOf(downlinkJoin)), Changed: now,
	})
}

// joinSalt keeps what is counted about joins apart from what is counted about addresses.
const joinSalt = 0x6a6f696e << 32

// firstJoin makes a device known whose first word is an authentic request to join. Nobody knows what it did before, so it must prove that it is
// there now.
func (h *Hub) firstJoin(c *commit, l *link, u *transports.Uplink, f *codec.JoinFrame) (fleet.Index, bool) {
	k := h.fleetKeyFor(f.Join.Number)
	if k == nil || k.Register == fleet.RegisterOff || !h.register || f.Type != codec.ControlJoinRequest {
		return 0, false
	}
	key := k.DeviceKey(f.Join.Number)
	joinKey := codec.DeriveJoinKey(&key, f.Join.Number)
	if f.Verify(&joinKey) != nil {
		return 0, false
	}
	i, ok := h.admit(c, l, u, k, &key, f.Join.Number)
	if !ok {
		return 0, false
	}
	g := h.fleet.Session(i)
	h.doubt(&g, u.ReceivedAt)
	h.fleet.SetSession(i, &g, &key)
	return i, true
}

// nonce is the gateway's half of an epoch.
func (h *Hub) nonce() (n codec.Nonce) {
	h.random(n[:])
	return n
}
