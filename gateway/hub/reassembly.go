package hub

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/transports"
)

// setKey names one concatenated message under way. References are reused by senders, and a 16-bit reference is another one than the same
// number in 8 bits.
type setKey struct {
	link, from string
	ref        uint16
	refBits    uint8
	total      uint8
}

// set is what is known of a message: for each part the contents that came with it. Each part is a row of the store before the network
// may forget it.
type set struct {
	parts map[uint8][]part
	since time.Time
}

type part struct {
	seq uint64 // of the row, 0 if there is none yet
	row *store.Part
}

// reassembly is all messages under way, and the last that became whole: a part of those that is read again is known for what it is. The two
// have limits of their own, or a sender of many messages a day would have no room for the next. Guarded by Hub.mu.
type reassembly struct {
	sets     map[setKey]*set // under way
	sender   map[string]int  // the same, by sender
	finished map[setKey]*set // one content of each part
	order    []finishedSet   // oldest first; an entry whose set is not the one in finished counts for nothing
}

type finishedSet struct {
	key setKey
	set *set
}

func (r *reassembly) init() {
	r.sets = make(map[setKey]*set)
	r.sender = make(map[string]int)
	r.finished = make(map[setKey]*set)
}

func (r *reassembly) drop(k setKey) {
	if _, ok := r.sets[k]; !ok {
		return
	}
	delete(r.sets, k)
	if r.sender[k.from]--; r.sender[k.from] <= 0 {
		delete(r.sender, k.from)
	}
}

func (r *reassembly) add(k setKey, now time.Time) *set {
	s := &set{parts: make(map[uint8][]part), since: now}
	r.sets[k] = s
	r.sender[k.from]++
	return s
}

// finish puts a set among those that became whole. It returns the one that had its key before.
func (r *reassembly) finish(k setKey, s *set) (before *set) {
	before = r.finished[k]
	r.finished[k] = s
	r.order = append(r.order, finishedSet{k, s})
	return before
}

// oldestFinished is the set that became whole before all others; false if there is none.
func (r *reassembly) oldestFinished() (finishedSet, bool) {
	for ; len(r.order) > 0; r.order = r.order[1:] {
		if f := r.order[0]; r.finished[f.key] == f.set {
			return f, true
		}
	}
	return finishedSet{}, false
}

// oldest is the message that is under way for longest, of one sender or of all.
func (r *reassembly) oldest(from string, all bool) (best setKey) {
	found := false
	for k := range r.sets {
		if (all || k.from == from) && (!found || r.compare(k, best) < 0) {
			best, found = k, true
		}
	}
	return best
}

// compare orders messages under way by their age.
func (r *reassembly) compare(a, b setKey) int {
	return cmp.Or(r.sets[a].since.Compare(r.sets[b].since), cmp.Compare(a.from, b.from), cmp.Compare(a.ref, b.ref),
		cmp.Compare(a.refBits, b.refBits), cmp.Compare(a.total, b.total), cmp.Compare(a.link, b.link))
}

func keyOf(u *transports.Uplink) setKey {
	return setKey{link: u.Transport, from: u.From.ID, ref: u.Part.Ref, refBits: u.Part.RefBits, total: u.Part.Total}
}

// part settles one part of a concatenated message. The part that makes the message whole and the rows of the frame in it are one batch.
func (h *Hub) part(c *commit, l *link, u *transports.Uplink, out *transports.Verdict) transports.Settlement {
	p := u.Part
	if p.Total == 0 || p.Seq == 0 || p.Seq > p.Total || p.Total > reassemblyParts {
		l.count.rejected[ReasonParts].Add(1)
		return h.unverified(c, l, u, ReasonParts)
	}
	k := keyOf(u)
	s := h.sets.sets[k]
	if s.has(p.Seq, u.Payload) || h.sets.finished[k].has(p.Seq, u.Payload) {
		return transports.Duplicate
	}
	if s == nil {
		h.makeRoom(c, k.from)
		s = h.sets.add(k, u.ReceivedAt)
	}
	s.parts[p.Seq] = append(s.parts[p.Seq], part{row: newPart(u)})
	if len(s.parts) == int(p.Total) && h.assemble(c, l, u, out, k, s) {
		return transports.Stored
	}
	list := s.parts[p.Seq]
	newest := len(list) - 1
	if newest >= alternatesMax {
		// Those that came first were confirmed. Whoever forges the sender must not be able to push them out.
		s.parts[p.Seq] = list[:newest]
		l.count.rejected[ReasonParts].Add(1)
		return h.unverified(c, l, u, ReasonParts)
	}
	list[newest].seq = c.batch.PutPart(list[newest].row)
	return transports.Stored
}

// has reports whether a content came for a part before.
func (s *set) has(seq uint8, payload []byte) bool {
	if s == nil {
		return false
	}
	return slices.ContainsFunc(s.parts[seq], func(p part) bool { return bytes.Equal(p.row.Payload, payload) })
}

func newPart(u *transports.Uplink) *store.Part {
	return &store.Part{
		Link: u.Transport, Bearer: string(u.From.Bearer), From: u.From.ID, SentAt: u.SentAt, ReceivedAt: u.ReceivedAt, Port: u.Port,
		Ref: u.Part.Ref, RefBits: u.Part.RefBits, Total: u.Part.Total, Seq: u.Part.Seq, Payload: bytes.Clone(u.Payload),
	}
}

// makeRoom lets the oldest message under way go where there are too many: its parts were confirmed, so they go to the quarantine.
func (h *Hub) makeRoom(c *commit, from string) {
	if h.sets.sender[from] >= reassemblyEach {
		h.giveUpParts(c, h.sets.oldest(from, false))
	}
	if len(h.sets.sets) >= reassemblySets {
		h.giveUpParts(c, h.sets.oldest("", true))
	}
}

// giveUpParts moves the parts of a message that did not become whole into the quarantine.
func (h *Hub) giveUpParts(c *commit, k setKey) {
	if l := h.links[k.link]; l != nil {
		l.count.rejected[ReasonParts].Add(1)
	}
	h.sets.sets[k].each(func(p part) {
		c.batch.PutQuarantine(&store.Quarantine{
			Link: k.link, Bearer: p.row.Bearer, From: k.from, SentAt: p.row.SentAt, ReceivedAt: p.row.ReceivedAt, Port: p.row.Port,
			Reason: ReasonParts.String(), Payload: p.row.Payload,
		})
		c.batch.DeletePart(p.seq)
	})
	h.sets.drop(k)
}

// assemble tries the part that came with the newest content of each other part, then with older ones: parts of two messages with one
// reference may have met here, and the tag of the frame tells which belong together. Without the new part everything was tried before.
func (h *Hub) assemble(c *commit, l *link, u *transports.Uplink, out *transports.Verdict, k setKey, s *set) bool {
	const triesMax = 8
	total := u.Part.Total
	choice := make([]int, total)
	for range triesMax {
		whole := *u
		whole.Part, whole.Payload = transports.Part{}, nil
		for seq := range total {
			list := s.parts[seq+1]
			whole.Payload = append(whole.Payload, list[len(list)-1-choice[seq]].row.Payload...)
		}
		if settled, _ := h.payload(c, l, &whole, out); settled != transports.Rejected {
			h.finish(c, k, s, choice)
			return true
		}
		if !nextChoice(choice, s, u.Part.Seq) {
			break
		}
	}
	// Not authentic, or a part has yet to come a second time: kept until it ages out, then it goes to the quarantine.
	return false
}

// nextChoice counts through the alternates of all parts but one; false at the end.
func nextChoice(choice []int, s *set, fixed uint8) bool {
	for k := range choice {
		seq := uint8(k + 1)
		if seq != fixed && choice[k]+1 < len(s.parts[seq]) {
			choice[k]++
			return true
		}
		choice[k] = 0
	}
	return false
}

// finish keeps the contents that made a message. Others that came under its reference are of another message, which is still under way.
func (h *Hub) finish(c *commit, k setKey, s *set, choice []int) {
	done := &set{parts: make(map[uint8][]part, len(choice))}
	for n := range choice {
		seq := uint8(n + 1)
		list := s.parts[seq]
		at := len(list) - 1 - choice[n]
		p := list[at]
		if s.parts[seq] = slices.Delete(list, at, at+1); len(list) == 1 {
			delete(s.parts, seq)
		}
		p.row.Done = true
		if p.seq == 0 {
			p.seq = c.batch.PutPart(p.row)
		} else {
			c.batch.ReplacePart(p.seq, p.row)
		}
		done.parts[seq] = []part{p}
		done.since = later(done.since, p.row.ReceivedAt)
	}
	if len(s.parts) == 0 {
		h.sets.drop(k)
	}
	if before := h.sets.finish(k, done); before != nil {
		before.each(func(p part) { c.batch.DeletePart(p.seq) })
	}
	for len(h.sets.finished) > reassemblyDone {
		f, _ := h.sets.oldestFinished()
		h.forget(c, f)
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// forget drops a message that became whole.
func (h *Hub) forget(c *commit, f finishedSet) {
	f.set.each(func(p part) { c.batch.DeletePart(p.seq) })
	delete(h.sets.finished, f.key)
}

// each calls f for every stored part, in the order in which they came.
func (s *set) each(f func(part)) {
	var all []part
	for _, list := range s.parts {
		all = append(all, list...)
	}
	slices.SortFunc(all, func(a, b part) int { return cmp.Compare(a.seq, b.seq) })
	for _, p := range all {
		f(p)
	}
}

// expireParts moves messages that never became whole into the quarantine, and forgets those that did, a bounded number at a time. Called
// with mu held.
func (h *Hub) expireParts(c *commit, now time.Time) {
	const sweepMax = 64
	var old []setKey
	for k, s := range h.sets.sets {
		if now.Sub(s.since) >= reassemblyTTL {
			old = append(old, k)
		}
	}
	slices.SortFunc(old, h.sets.compare)
	for _, k := range old[:min(len(old), sweepMax)] {
		h.giveUpParts(c, k)
	}
	for range sweepMax {
		f, ok := h.sets.oldestFinished()
		if !ok || now.Sub(f.set.since) < reassemblyTTL {
			break
		}
		h.forget(c, f)
	}
}
