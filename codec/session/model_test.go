package session_test

import (
	"encoding/binary"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
)

// The model is a device and a gateway on a network that loses, repeats, reorders and replays what was ever said, while both ends lose power
// and memory. Frames are sealed and opened for real.

const modelNumber = 7

// keys derives and remembers the keys of one device.
type keys struct {
	dev     [32]byte
	join    [32]byte
	ciphers map[keyName]codec.SealKey
	acks    map[keyName][32]byte
}

type keyName struct {
	label codec.Label
	epoch uint32
	salt  [session.SaltLen]byte
}

func newKeys() *keys {
	k := &keys{dev: [32]byte{1, 2, 3}, ciphers: make(map[keyName]codec.SealKey), acks: make(map[keyName][32]byte)}
	k.join = codec.DeriveJoinKey(&k.dev, modelNumber)
	return k
}

func (k *keys) seal(label codec.Label, epoch uint32, salt [session.SaltLen]byte) codec.SealKey {
	n := keyName{label, epoch, salt}
	s, ok := k.ciphers[n]
	if !ok {
		s = codec.DeriveSealKey(&k.dev, saltBytes(epoch, salt), label, modelNumber, epoch)
		k.ciphers[n] = s
	}
	return s
}

func (k *keys) ack(epoch uint32, salt [session.SaltLen]byte) *[32]byte {
	n := keyName{"ack", epoch, salt}
	a, ok := k.acks[n]
	if !ok {
		a = codec.DeriveAckKey(&k.dev, saltBytes(epoch, salt), modelNumber, epoch)
		k.acks[n] = a
	}
	return &a
}

func saltBytes(epoch uint32, salt [session.SaltLen]byte) []byte {
	if epoch == 0 {
		return nil
	}
	return salt[:]
}

// hook sees everything that is sealed: two contents under one nonce of one key are the end of all secrecy.
type hook struct {
	t    *rapid.T
	seen map[nonceUsed]string
}

type nonceUsed struct {
	key     codec.SealKey
	counter uint64
}

func (h *hook) seal(key codec.SealKey, hd codec.Header, p codec.Position, plaintext []byte) []byte {
	content := string(append([]byte{byte(hd)}, plaintext...))
	use := nonceUsed{key, p.Counter}
	if before, ok := h.seen[use]; ok && before != content {
		h.t.Fatalf("epoch %d, counter %d, direction %d: %x was sealed before, now %x", p.Epoch, p.Counter, p.Direction, before, content)
	}
	h.seen[use] = content
	item, err := codec.NewCipher(key).AppendSealed(nil, hd, p, 16, 8, plaintext)
	if err != nil {
		h.t.Fatal(err)
	}
	return item
}

// world is all of it.
type world struct {
	t     *rapid.T
	k     *keys
	h     *hook
	now   time.Time
	free  bool   // answers cost nothing
	drawn uint64 // random numbers

	dev     session.Device
	memory  session.Memory // what is written
	nextID  uint64
	sent    map[uint64]bool // contents that the device made
	pending []pendingFrame
	lastAck uint64 // the last content that was acknowledged in the current epoch

	gw       session.Gateway
	rows     map[rowKey]uint64 // frame -> content
	accepted map[uint64]rowKey // content -> frame: the truth, which no loss touches; it is also what the stream knows
	backup   *backupCopy
	paid     []time.Time // challenges that cost money
	known    map[uint32][session.SaltLen]byte
	begun    map[codec.Join]bool  // attempts that began an epoch
	nonces   map[codec.Nonce]bool // of such epochs
	taken    map[rowKey]bool      // downlinks

	up, down [][]byte // everything ever said
}

type pendingFrame struct {
	id      uint64
	epoch   uint32
	counter uint64
	item    []byte
}

type rowKey struct {
	epoch   uint32
	counter uint64
}

type backupCopy struct {
	gw   session.Gateway
	rows map[rowKey]uint64
}

func newWorld(t *rapid.T, k *keys) *world {
	w := &world{
		t: t, k: k, h: &hook{t: t, seen: make(map[nonceUsed]string)}, now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		free: rapid.Bool().Draw(t, "free"), sent: make(map[uint64]bool), rows: make(map[rowKey]uint64), accepted: make(map[uint64]rowKey),
		known: make(map[uint32][session.SaltLen]byte), begun: make(map[codec.Join]bool), nonces: make(map[codec.Nonce]bool), taken: make(map[rowKey]bool),
	}
	w.dev = session.NewDevice(w.memory, 16)
	return w
}

// powered reports whether the power stays on at this moment; if not, the device starts again with what is written.
func (w *world) powered() bool {
	if rapid.IntRange(0, 15).Draw(w.t, "device power") > 0 {
		return true
	}
	w.reboot()
	return false
}

func (w *world) reboot() {
	w.dev = session.NewDevice(w.memory, 16)
	w.pending = nil
}

// write brings the device's memory up to date, if the power lasts.
func (w *world) write(chaos bool) bool {
	if chaos && !w.powered() {
		return false
	}
	w.memory = w.dev.Memory
	return !chaos || w.powered()
}

// measure seals a new content and says it.
func (w *world) measure(chaos, hello bool) {
	counter, write, err := w.dev.Next()
	if err != nil {
		if !w.dev.Blank {
			w.t.Fatal(err)
		}
		return
	}
	if write && !w.write(chaos) {
		return
	}
	w.nextID++
	w.sent[w.nextID] = true
	slot := uint8(0)
	if hello {
		slot = 1
	}
	e := w.dev.Current
	item := w.h.seal(w.k.seal(codec.LabelUp8, e.Number, e.Salt), codec.MakeHeader(codec.KindExtended, slot, 1),
		codec.Position{Number: modelNumber, Epoch: e.Number, Counter: counter}, binary.BigEndian.AppendUint64([]byte{3}, w.nextID))
	w.pending = append(w.pending, pendingFrame{w.nextID, e.Number, counter, item})
	w.up = append(w.up, item)
}

func (w *world) join(chaos bool) {
	w.drawn++
	j := w.dev.Join(modelNumber, uint32(w.drawn))
	if w.write(chaos) {
		w.up = append(w.up, codec.AppendJoinRequest(nil, &w.k.join, j))
	}
}

// toDevice is a downlink that arrives.
func (w *world) toDevice(b []byte, chaos bool) {
	item, _, err := codec.NextItem(b)
	if err != nil {
		w.t.Fatal(err)
	}
	switch t, control := codec.Control(item.Content); {
	case control && t == codec.ControlAck:
		w.ackArrives(item.Content)
	case control:
		w.joinArrives(item.Content, chaos)
	default:
		w.messageArrives(item.Content, chaos)
	}
}

func (w *world) ackArrives(content []byte) {
	f, err := codec.ParseAck(content)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, previous := range []bool{false, true} {
		e := w.dev.Kept(previous)
		last, ok := w.dev.Last(previous)
		if !ok || previous && !w.dev.Two {
			continue
		}
		a, err := f.Verify(w.k.ack(e.Number, e.Salt), modelNumber, e.Number, last)
		if err != nil {
			continue
		}
		w.pending = slices.DeleteFunc(w.pending, func(p pendingFrame) bool {
			covered := p.epoch == e.Number && a.Covers(p.counter)
			if covered {
				if _, ok := w.accepted[p.id]; !ok {
					w.t.Fatalf("content %d is acknowledged and nobody has it", p.id)
				}
				if !previous {
					w.lastAck = max(w.lastAck, p.id)
				}
			}
			return covered
		})
		if !previous {
			w.dev.Heard()
		}
		return
	}
}

func (w *world) joinArrives(content []byte, chaos bool) {
	f, err := codec.ParseJoin(content)
	if err != nil {
		w.t.Fatal(err)
	}
	switch f.Type {
	case codec.ControlChallenge:
		if w.dev.Challenged(&f, &w.k.join) == nil {
			j, _ := w.dev.Joining()
			w.up = append(w.up, codec.AppendJoinConfirm(nil, &w.k.join, j, f.Nonce))
		}
	case codec.ControlJoinAccept:
		if w.dev.Accepted(&f, &w.k.join) == nil && w.write(chaos) {
			w.measure(chaos, true)
		}
	default:
		w.t.Fatalf("the gateway says %s", f.Type)
	}
}

func (w *world) messageArrives(content []byte, chaos bool) {
	s, err := codec.ParseSealed(content, 16, 8)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, previous := range []bool{false, true} {
		if previous && !w.dev.Two || w.dev.Blank {
			continue
		}
		e := w.dev.Kept(previous)
		p := codec.Position{Direction: codec.Down, Number: modelNumber, Epoch: e.Number, Counter: e.Complete(s.CTR, s.CTRBits)}
		plaintext, err := codec.NewCipher(w.k.seal(codec.LabelDown, e.Number, e.Salt)).Open(nil, &s, p)
		if err != nil || !e.Take(p.Counter) {
			continue
		}
		row := rowKey{e.Number, p.Counter}
		if w.taken[row] {
			w.t.Fatalf("downlink %v is taken twice", row)
		}
		r, err := codec.DecodeRekey(plaintext[1:])
		if err != nil {
			w.t.Fatal(err)
		}
		moved := w.dev.Rekeyed(r)
		if !w.write(chaos) {
			return
		}
		w.taken[row] = true
		if moved {
			w.measure(chaos, true)
		}
		return
	}
}

// toGateway is an uplink that arrives. In chaos the gateway may lose power before the sync, and then nothing is known of it.
func (w *world) toGateway(b []byte, chaos bool) {
	item, _, err := codec.NextItem(b)
	if err != nil {
		w.t.Fatal(err)
	}
	before, rows := w.gw, maps.Clone(w.rows)
	challenged := w.gw.ChallengedAt
	answer, id, row := w.settle(item.Content)
	if chaos && rapid.IntRange(0, 15).Draw(w.t, "gateway power") == 0 {
		w.gw, w.rows = before, rows
		return
	}
	if w.gw.Role == session.Pending && (before.Role != session.Pending || before.Second.Number != w.gw.Second.Number) {
		w.began(item.Content)
	}
	if w.gw.ChallengedAt != challenged {
		w.paid = append(w.paid, w.now)
	}
	if w.gw.Role == session.Pending {
		if salt, ok := w.known[w.gw.Second.Number]; ok && salt != w.gw.Second.Salt {
			w.t.Fatalf("epoch %d has two salts", w.gw.Second.Number)
		}
		w.known[w.gw.Second.Number] = w.gw.Second.Salt
	}
	if id != 0 {
		if at, ok := w.accepted[id]; ok {
			w.t.Fatalf("content %d was taken as %v, and again as %v", id, at, row)
		}
		if !w.sent[id] {
			w.t.Fatalf("content %d was never sent", id)
		}
		w.accepted[id] = row
	}
	if answer != nil {
		w.down = append(w.down, answer)
	}
}

// began checks that what is said again begins nothing: a request its epoch once, whatever is restored, and a confirmation one for its challenge.
func (w *world) began(content []byte) {
	f, err := codec.ParseJoin(content)
	if err != nil {
		w.t.Fatal(err)
	}
	if f.Type == codec.ControlJoinRequest && w.begun[f.Join] {
		w.t.Fatalf("%s of %+v began an epoch again", f.Type, f.Join)
	}
	w.begun[f.Join] = true
	if n := w.gw.PendingNonce(); w.nonces[n] {
		w.t.Fatalf("%s of %+v began an epoch for a nonce that was used", f.Type, f.Join)
	} else {
		w.nonces[n] = true
	}
}

// settle is what a gateway does with an uplink: the answer, and the content if it is new.
func (w *world) settle(content []byte) (answer []byte, id uint64, row rowKey) {
	if _, control := codec.Control(content); control {
		return w.settleJoin(content), 0, rowKey{}
	}
	s, err := codec.ParseSealed(content, 16, 8)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, second := range []bool{false, true} {
		if second && !w.gw.Has(w.now) {
			continue
		}
		e := &w.gw.Current
		if second {
			e = &w.gw.Second
		}
		p := codec.Position{Number: modelNumber, Epoch: e.Number, Counter: codec.CompleteCounter(s.CTR, s.CTRBits, e.Counters.Highest, e.Counters.Seen)}
		plaintext, err := codec.NewCipher(w.k.seal(codec.LabelUp8, e.Number, e.Salt)).Open(nil, &s, p)
		if err != nil {
			continue
		}
		row = rowKey{e.Number, p.Counter}
		content := binary.BigEndian.Uint64(plaintext[1:])
		class := w.gw.Classify(second, p.Counter)
		if class == session.TooOld {
			return nil, 0, row
		}
		stored, known := w.rows[row]
		if known && stored != content {
			w.t.Fatalf("counter %d of epoch %d was used for %d and %d", p.Counter, e.Number, stored, content)
		}
		if !known && class == session.Duplicate {
			w.t.Fatalf("counter %d of epoch %d is called a duplicate, and there is no row", p.Counter, e.Number)
		}
		if w.gw.Accept(second, p.Counter, w.now) {
			second = false
		}
		e = &w.gw.Current
		if second {
			e = &w.gw.Second
		}
		w.rows[row] = content
		answer = codec.AppendAck(nil, w.k.ack(e.Number, e.Salt), modelNumber, e.Number, codec.Ack{Counter: p.Counter})
		if known {
			content = 0
		}
		return answer, content, row
	}
	w.gw.Fail()
	return nil, 0, row
}

func (w *world) settleJoin(content []byte) []byte {
	f, err := codec.ParseJoin(content)
	if err != nil {
		w.t.Fatal(err)
	}
	answer := session.Silence
	switch f.Type {
	case codec.ControlJoinRequest:
		if f.Verify(&w.k.join) != nil {
			w.t.Fatal("a request does not verify")
		}
		answer = w.gw.Request(f.Join, w.nonce(), w.free, w.now)
	case codec.ControlJoinConfirm:
		var ok bool
		if f.Nonce, ok = w.gw.Challenged(f.Join); !ok || f.Verify(&w.k.join) != nil {
			return nil
		}
		answer = w.gw.Confirm(f.Join)
	default:
		w.t.Fatalf("the device says %s", f.Type)
	}
	switch answer {
	case session.Accept:
		return codec.AppendJoinAccept(nil, &w.k.join, f.Join, w.gw.PendingNonce(), w.gw.Second.Number)
	case session.Challenge:
		return codec.AppendChallenge(nil, &w.k.join, f.Join, w.gw.Challenge)
	default:
		return nil
	}
}

// nonce is new each time, as random ones are.
func (w *world) nonce() (n codec.Nonce) {
	w.drawn++
	binary.BigEndian.PutUint64(n[:], w.drawn)
	return n
}

func (w *world) rekey() {
	var salt [session.SaltLen]byte
	n := w.nonce()
	copy(salt[:], n[:])
	r, ok := w.gw.Rekey(salt)
	if !ok {
		w.t.Fatal("no epochs left")
	}
	w.known[r.Epoch] = r.Salt
	plaintext, err := codec.AppendRekey(nil, &r)
	if err != nil {
		w.t.Fatal(err)
	}
	e := &w.gw.Current
	counter := w.gw.NextDown()
	slot := uint8(0)
	if w.gw.Guard != 0 {
		slot = 1
	}
	w.down = append(w.down, w.h.seal(w.k.seal(codec.LabelDown, e.Number, e.Salt), codec.MakeHeader(codec.KindExtended, slot, 0),
		codec.Position{Direction: codec.Down, Number: modelNumber, Epoch: e.Number, Counter: counter}, plaintext))
}

// restore brings the gateway back from its backup. The stream knows what was taken since.
func (w *world) restore() {
	if w.backup == nil {
		return
	}
	w.gw, w.rows = w.backup.gw, maps.Clone(w.backup.rows)
	w.now = w.now.Add(time.Minute) // a restore takes time, and fewer epochs began in it than it has seconds
	w.gw.Lost(w.now)
	ids := slices.Sorted(maps.Keys(w.accepted))
	for _, id := range ids {
		row := w.accepted[id]
		w.rows[row] = id
		w.gw.Used(row.epoch, row.counter, w.now)
	}
}

func pick(t *rapid.T, list [][]byte) []byte {
	// Most often something recent; now and then anything that was ever said.
	from := 0
	if len(list) > 4 && rapid.IntRange(0, 3).Draw(t, "recent") > 0 {
		from = len(list) - 4
	}
	return list[rapid.IntRange(from, len(list)-1).Draw(t, "which")]
}

func (w *world) step() {
	switch rapid.IntRange(0, 19).Draw(w.t, "step") {
	case 0, 1, 2, 3:
		w.measure(true, rapid.IntRange(0, 3).Draw(w.t, "hello") == 0)
	case 4:
		if len(w.pending) > 0 {
			w.up = append(w.up, w.pending[rapid.IntRange(0, len(w.pending)-1).Draw(w.t, "again")].item)
		}
	case 5, 6, 7, 8, 9:
		if len(w.up) > 0 {
			w.toGateway(pick(w.t, w.up), true)
		}
	case 10, 11, 12, 13:
		if len(w.down) > 0 {
			w.toDevice(pick(w.t, w.down), true)
		}
	case 14:
		w.join(true)
	case 15:
		w.rekey()
	case 16:
		w.reboot()
	case 17:
		w.disaster()
	default:
		w.now = w.now.Add(time.Duration(rapid.IntRange(1, 8*24*60).Draw(w.t, "minutes")) * time.Minute)
	}
}

// disaster is a loss of memory on one side, or the copy that comes before one.
func (w *world) disaster() {
	switch rapid.IntRange(0, 2).Draw(w.t, "disaster") {
	case 0:
		w.memory = session.Memory{Blank: true}
		w.reboot()
	case 1:
		w.backup = &backupCopy{gw: w.gw, rows: maps.Clone(w.rows)}
	default:
		w.restore()
	}
}

// calm is a network that brings everything at once. Within a few rounds of an hour the two must talk again, without an operator.
func (w *world) calm() {
	const rounds = 8
	for round := range rounds {
		first := w.nextID
		up, down := len(w.up), len(w.down)
		if w.dev.JoinDue() || round >= 2 {
			w.join(false)
		}
		w.measure(false, true)
		for up < len(w.up) || down < len(w.down) {
			for ; up < len(w.up); up++ {
				w.toGateway(w.up[up], false)
			}
			for ; down < len(w.down); down++ {
				w.toDevice(w.down[down], false)
			}
		}
		if w.lastAck > first {
			return
		}
		w.now = w.now.Add(session.ChallengeEvery)
	}
	w.t.Fatalf("no exchange within %d rounds: device %+v, gateway %+v", rounds, w.dev.Memory, w.gw)
}

// F-107, F-108, F-109, F-110, F-113, F-114, F-116, F-117, F-118, F-119, F-122, F-123: whatever is lost, said again or replayed, and whoever loses memory: no
// nonce is used for two contents, no content is taken twice, nothing is acknowledged that is not stored, an epoch has one salt, and as soon as
// the network works the two talk again.
func TestSessionConverges(t *testing.T) {
	k := newKeys()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, k)
		for range rapid.IntRange(0, 120).Draw(t, "steps") {
			w.step()
		}
		w.calm()
		// F-111: money is spent on challenges at most once an hour.
		for i := 1; i < len(w.paid); i++ {
			if w.paid[i].Sub(w.paid[i-1]) < session.ChallengeEvery {
				t.Fatalf("challenges at %s and %s", w.paid[i-1], w.paid[i])
			}
		}
	})
}
