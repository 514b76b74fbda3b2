package session_test

import (
	"errors"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
)

var epochStart = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func attempt(boot, random uint32) codec.Join {
	return codec.Join{Number: 7, Boot: boot, Random: random}
}

// F-109, F-110: a higher boot counter is accepted once, the same attempt gets the same acceptance, and everything else is challenged.
func TestJoinRequests(t *testing.T) {
	var g session.Gateway
	if a := g.Request(attempt(5, 1), codec.Nonce{1}, true, epochStart); a != session.Accept || g.Second.Number != 1 || g.Boot != 5 {
		t.Fatalf("%s, %+v", a, g)
	}
	if a := g.Request(attempt(5, 1), codec.Nonce{2}, true, epochStart); a != session.Accept || g.PendingNonce() != (codec.Nonce{1}) || g.Second.Number != 1 {
		t.Fatalf("the same again: %s, %+v", a, g)
	}
	for _, j := range []codec.Join{attempt(5, 2), attempt(4, 1), attempt(0, 0)} {
		if a := g.Request(j, codec.Nonce{3}, true, epochStart); a != session.Challenge || g.Second.Number != 1 || g.Challenge != (codec.Nonce{3}) {
			t.Fatalf("%+v: %s, %+v", j, a, g)
		}
	}
	if !g.Accept(true, 0, epochStart) || g.Current.Number != 1 || g.Role != session.Previous {
		t.Fatalf("%+v", g)
	}
	if a := g.Request(attempt(5, 1), codec.Nonce{4}, true, epochStart); a != session.Silence || g.Role != session.Previous {
		t.Fatalf("a late copy: %s, %+v", a, g)
	}
	if a := g.Request(attempt(6, 1), codec.Nonce{5}, true, epochStart); a != session.Accept || g.Second.Number != 2 || g.Role != session.Pending {
		t.Fatalf("the next: %s, %+v", a, g)
	}
}

// F-104, F-110: a challenge is confirmed once, its acceptance may be said again, and the boot counter never goes back.
func TestChallengeIsConfirmedOnce(t *testing.T) {
	g := session.Gateway{Boot: 9}
	j := attempt(1, 77)
	if _, ok := g.Challenged(j); ok {
		t.Fatal("a challenge out of nothing")
	}
	if a := g.Confirm(j); a != session.Silence {
		t.Fatalf("a confirmation of nothing: %s", a)
	}
	g.Request(j, codec.Nonce{1}, true, epochStart)
	if n, ok := g.Challenged(j); !ok || n != (codec.Nonce{1}) {
		t.Fatalf("%x, %t", n, ok)
	}
	for range 2 {
		if a := g.Confirm(j); a != session.Accept || g.Second.Number != 1 || g.Boot != 9 || g.PendingNonce() != (codec.Nonce{1}) {
			t.Fatalf("%s, %+v", a, g)
		}
		if n, ok := g.Challenged(j); !ok || n != (codec.Nonce{1}) {
			t.Fatalf("after the confirmation: %x, %t", n, ok)
		}
	}
	if _, ok := g.Challenged(attempt(1, 78)); ok {
		t.Fatal("another attempt may use the challenge")
	}
	if a := g.Confirm(attempt(1, 78)); a != session.Silence {
		t.Fatalf("another attempt: %s", a)
	}
	g.Accept(true, 0, epochStart)
	if a := g.Confirm(j); a != session.Silence {
		t.Fatalf("heard since: %s", a)
	}
}

// F-111: a challenge costs money once an hour at most, and lasts a day.
func TestChallengeLimits(t *testing.T) {
	g := session.Gateway{Boot: 9}
	j := attempt(1, 1)
	for _, c := range []struct {
		after time.Duration
		nonce byte
		free  bool
		want  session.Answer
		has   byte
	}{
		{0, 1, false, session.Challenge, 1},
		{time.Minute, 2, false, session.Wait, 1},
		{2 * time.Minute, 3, true, session.Challenge, 1},
		{59*time.Minute + 59*time.Second, 4, false, session.Wait, 1},
		{time.Hour, 5, false, session.Challenge, 1},
		{24*time.Hour - time.Second, 6, false, session.Challenge, 1},
		{24 * time.Hour, 7, true, session.Challenge, 7},
		{-time.Hour, 8, false, session.Challenge, 8}, // the clock was set back
	} {
		if a := g.Request(j, codec.Nonce{c.nonce}, c.free, epochStart.Add(c.after)); a != c.want || g.Challenge[0] != c.has {
			t.Errorf("after %s: %s with nonce %d, want %s with %d", c.after, a, g.Challenge[0], c.want, c.has)
		}
	}
}

// F-114, F-115, F-116: both epochs are taken until the first frame of the new one, then the old one for the grace.
func TestPreviousEpoch(t *testing.T) {
	var g session.Gateway
	for c := range uint64(300) {
		g.Accept(false, c, epochStart)
	}
	if g.Has(epochStart) {
		t.Fatal("a second epoch out of nothing")
	}
	r, ok := g.Rekey([session.SaltLen]byte{1})
	if !ok || r.Epoch != 1 || r.Salt[0] != 1 {
		t.Fatalf("%+v, %t", r, ok)
	}
	late := epochStart.Add(1000 * 24 * time.Hour)
	if !g.Has(late) {
		t.Fatal("a pending epoch ends by itself")
	}
	if g.Accept(false, 400, late) || g.Current.Number != 0 {
		t.Fatal("a frame of the old epoch ends it")
	}
	if again, _ := g.Rekey([session.SaltLen]byte{2}); again != r {
		t.Fatalf("another rekey while one is pending: %+v", again)
	}
	if !g.Accept(true, 0, late) || g.Current.Number != 1 || g.Second.Number != 0 || g.Current.Since != late.UnixMilli() {
		t.Fatalf("%+v", g)
	}
	for _, c := range []struct {
		counter uint64
		want    session.Class
	}{{400, session.Duplicate}, {399, session.Missing}, {300, session.Unknown}, {401, session.New}, {400 + session.GraceFrames, session.New}, {401 + session.GraceFrames, session.TooOld}} {
		if got := g.Classify(true, c.counter); got != c.want {
			t.Errorf("counter %d of the previous epoch is %d, want %d", c.counter, got, c.want)
		}
	}
	if g.Accept(true, 500, late) || g.Current.Number != 1 || g.Second.Counters.Highest != 500 {
		t.Fatalf("%+v", g)
	}
	if got := g.Classify(true, 401+session.GraceFrames); got != session.TooOld {
		t.Errorf("the grace moves with what it lets in: %d", got)
	}
	if !g.Has(late.Add(session.Grace-time.Millisecond)) || g.Has(late.Add(session.Grace)) {
		t.Error("the grace has another length")
	}
	if r, _ := g.Rekey([session.SaltLen]byte{3}); r.Epoch != 2 || g.Role != session.Pending {
		t.Errorf("%+v, %s", r, g.Role)
	}
}

// F-120: an epoch ends by its frames or its age; failures raise one alarm and close nothing.
func TestLimits(t *testing.T) {
	var g session.Gateway
	if g.RekeyDue(epochStart.Add(10 * session.AgeMax)) {
		t.Error("an epoch of unknown age is old")
	}
	g.Current.Since = epochStart.UnixMilli()
	if g.RekeyDue(epochStart.Add(session.AgeMax-time.Millisecond)) || !g.RekeyDue(epochStart.Add(session.AgeMax)) {
		t.Error("an epoch lasts a year")
	}
	g.Accept(false, session.FramesMax-1, epochStart)
	if g.RekeyDue(epochStart) {
		t.Error("too early")
	}
	g.Accept(false, session.FramesMax, epochStart)
	if !g.RekeyDue(epochStart) {
		t.Error("2^20 frames, and the epoch goes on")
	}
	alarms := 0
	for range 3 * session.FailuresMax {
		if g.Fail() {
			alarms++
		}
	}
	if alarms != 1 {
		t.Errorf("%d alarms", alarms)
	}
	if got := g.Classify(false, session.FramesMax+1); got != session.New {
		t.Errorf("a frame after them is %d", got)
	}
	g.Allocated = 1<<32 - 1
	if _, ok := g.Rekey([session.SaltLen]byte{1}); ok {
		t.Error("an epoch beyond the last")
	}
	if a := g.Request(attempt(1, 1), codec.Nonce{}, true, epochStart); a != session.Silence {
		t.Errorf("an epoch beyond the last: %s", a)
	}
}

// F-123: after a restore each join is challenged, a challenge of the backup is void, and no number is used again.
func TestRestored(t *testing.T) {
	g := session.Gateway{Boot: 3}
	g.Request(attempt(1, 1), codec.Nonce{1}, true, epochStart)
	backup := g
	backup.Lost(epochStart.Add(time.Hour))
	if _, ok := backup.Challenged(attempt(1, 1)); ok {
		t.Error("a challenge of the backup may be confirmed")
	}
	if a := backup.Request(attempt(4, 1), codec.Nonce{2}, true, epochStart.Add(2*time.Hour)); a != session.Challenge {
		t.Errorf("a higher boot counter, which may have been used since: %s", a)
	}
	if a := backup.Confirm(attempt(4, 1)); a != session.Accept {
		t.Fatalf("confirmed: %s", a)
	}
	again := g
	again.Lost(epochStart.Add(3 * time.Hour))
	again.Rekey([session.SaltLen]byte{1})
	if backup.Second.Number >= again.Second.Number || backup.NextDown() >= again.NextDown() {
		t.Errorf("numbers repeat: %+v, %+v", backup, again)
	}
	backup.Accept(true, 0, epochStart)
	if backup.Guard != 0 {
		t.Error("heard in a new epoch, and still guarded")
	}
	backup.Used(backup.Current.Number, 17, epochStart)
	backup.Used(backup.Second.Number, 18, epochStart)
	used := backup.Allocated + 5
	backup.Used(used, 19, epochStart)
	if backup.Current.Counters.Highest != 17 || backup.Second.Counters.Highest != 18 {
		t.Errorf("what is known elsewhere is not used up: %+v", backup)
	}
	if r, _ := backup.Rekey([session.SaltLen]byte{2}); r.Epoch != used+1 {
		t.Errorf("%+v", r)
	}
}

// F-123: an epoch that the backup knew as pending says nothing of now: its frames may be old ones.
func TestRestoredPending(t *testing.T) {
	var g session.Gateway
	g.Rekey([session.SaltLen]byte{1})
	g.Lost(epochStart)
	if !g.Accept(true, 5, epochStart) || g.Guard == 0 {
		t.Errorf("heard in an epoch of the backup, and no longer guarded: %+v", g)
	}
}

// F-022, F-123: the downlinks of an epoch that the backup knew as pending go on above all that were sealed in it since.
func TestRestoredPendingSealsNothingTwice(t *testing.T) {
	var g session.Gateway
	g.Rekey([session.SaltLen]byte{1})
	backup := g
	g.Accept(true, 0, epochStart)
	used := uint64(0)
	for range 100 {
		used = g.NextDown()
	}
	backup.Lost(epochStart.Add(time.Hour))
	if !backup.Accept(true, 1, epochStart.Add(time.Hour)) || backup.Current.Number != g.Current.Number || backup.NextDown() <= used {
		t.Errorf("downlink %d of epoch %d again, %d was used of epoch %d", backup.Current.Down, backup.Current.Number, used, g.Current.Number)
	}
}

// F-116, F-123: numbers of epochs may be above the seconds. What the backup knew as pending is not told again all the same, and does not end the guard.
func TestRestoredBeyondTheSeconds(t *testing.T) {
	g := session.Gateway{Allocated: 1<<32 - 10}
	first, _ := g.Rekey([session.SaltLen]byte{1})
	g.Lost(epochStart)
	heard := g
	if !heard.Accept(true, 0, epochStart) || heard.Guard == 0 {
		t.Errorf("heard in an epoch of the backup, and no longer guarded: %+v", heard)
	}
	if r, ok := g.Rekey([session.SaltLen]byte{2}); !ok || r.Epoch <= first.Epoch || !g.Accept(true, 0, epochStart) || g.Guard != 0 {
		t.Errorf("%+v, %t, %+v", r, ok, g)
	}
}

// F-111, F-123: after a restore a challenge costs money in the next hour at the earliest: there may have been one a moment ago.
func TestRestoredChallengesSeldom(t *testing.T) {
	var g session.Gateway
	g.Lost(epochStart)
	for after, want := range map[time.Duration]session.Answer{0: session.Wait, time.Hour - time.Millisecond: session.Wait, time.Hour: session.Challenge} {
		h := g
		if a := h.Request(attempt(1, 1), codec.Nonce{1}, false, epochStart.Add(after)); a != want {
			t.Errorf("%s after it: %s, want %s", after, a, want)
		}
	}
}

// F-110: a copy of the request that began the epoch before the current one costs nothing, and a challenge ends where the device is heard in a new epoch.
func TestOldAttemptsChangeNothing(t *testing.T) {
	var g session.Gateway
	g.Request(attempt(5, 1), codec.Nonce{1}, true, epochStart)
	g.Accept(true, 0, epochStart)
	g.Request(attempt(3, 3), codec.Nonce{9}, true, epochStart)
	g.Rekey([session.SaltLen]byte{1})
	g.Accept(true, 0, epochStart)
	before := g
	for name, a := range map[string]session.Answer{
		"a request of the previous epoch":    g.Request(attempt(5, 1), codec.Nonce{2}, false, epochStart.Add(time.Hour)),
		"its confirmation":                   g.Confirm(attempt(5, 1)),
		"a confirmation of an old challenge": g.Confirm(attempt(3, 3)),
	} {
		if a != session.Silence || g != before {
			t.Errorf("%s: %s, %+v", name, a, g)
		}
	}
}

// F-110: an attempt of nothing but zeros is not that of epoch 0, which has a salt of zeros.
func TestAttemptOfZeros(t *testing.T) {
	g := session.Gateway{Boot: 1}
	zero := attempt(0, 0)
	g.Request(zero, codec.Nonce{4}, true, epochStart)
	if n, ok := g.Challenged(zero); !ok || n != (codec.Nonce{4}) {
		t.Errorf("confirmed is %x, %t", n, ok)
	}
	if a := g.Confirm(zero); a != session.Accept || !g.Accept(true, 0, epochStart) {
		t.Fatalf("%s, %+v", a, g)
	}
	if n, ok := g.Challenged(zero); !ok || n != (codec.Nonce{4}) {
		t.Errorf("a late copy is of %x, %t", n, ok)
	}
}

// A frame that is known elsewhere to have been taken is of an epoch that is known here, or changes only which one comes next.
func TestUsedOfAnotherEpoch(t *testing.T) {
	g := session.Gateway{Current: session.Epoch{Number: 7}, Allocated: 7}
	before := g
	if g.Used(0, 5, epochStart) || g != before {
		t.Errorf("a frame of epoch 0: %+v", g)
	}
}

// F-123: a rekey after a restore is of a number that no device is above, and the next one repeats it.
func TestRestoredRekey(t *testing.T) {
	var g session.Gateway
	g.Rekey([session.SaltLen]byte{1})
	g.Lost(epochStart)
	r, _ := g.Rekey([session.SaltLen]byte{2})
	if r.Epoch <= g.Guard || r.Salt != [session.SaltLen]byte{2} {
		t.Errorf("an epoch of the backup is told again: %+v", r)
	}
	if again, _ := g.Rekey([session.SaltLen]byte{3}); again != r {
		t.Errorf("%+v, and then %+v", r, again)
	}
}

// F-107: each attempt has a higher boot counter. F-117: an epoch is entered once.
func TestDeviceAttempts(t *testing.T) {
	key := [32]byte{1}
	d := session.NewDevice(session.Memory{Blank: true}, 16)
	if _, _, err := d.Next(); !errors.Is(err, session.ErrMustJoin) || !d.JoinDue() {
		t.Fatalf("F-108: seals without memory: %v", err)
	}
	if d.Rekeyed(codec.Rekey{Epoch: 1}) {
		t.Fatal("a rekey without memory")
	}
	old := d.Join(7, 1)
	j := d.Join(7, 2)
	if old.Boot != 1 || j.Boot != 2 || d.Boot != 2 {
		t.Fatalf("%+v, %+v", old, j)
	}
	parse := func(item []byte) *codec.JoinFrame {
		f, err := codec.ParseJoin(item[1:])
		if err != nil {
			t.Fatal(err)
		}
		return &f
	}
	if d.Accepted(parse(codec.AppendJoinAccept(nil, &key, old, codec.Nonce{}, 3)), &key) == nil {
		t.Error("an acceptance of the attempt before")
	}
	if d.Challenged(parse(codec.AppendJoinAccept(nil, &key, j, codec.Nonce{}, 3)), &key) == nil {
		t.Error("an acceptance is no challenge")
	}
	if err := d.Challenged(parse(codec.AppendChallenge(nil, &key, j, codec.Nonce{})), &key); err != nil {
		t.Error(err)
	}
	if d.Accepted(parse(codec.AppendChallenge(nil, &key, j, codec.Nonce{})), &key) == nil {
		t.Error("a challenge is no acceptance")
	}
	accept := codec.AppendJoinAccept(nil, &key, j, codec.Nonce{5}, 3)
	if err := d.Accepted(parse(accept), &key); err != nil || d.Current.Number != 3 || d.Current.Salt != j.Salt(codec.Nonce{5}) || d.Two || d.Blank {
		t.Fatalf("%v, %+v", err, d.Memory)
	}
	if d.Accepted(parse(accept), &key) == nil {
		t.Error("the same acceptance again")
	}
	if c, write, err := d.Next(); c != 0 || !write || err != nil {
		t.Fatalf("%d, %t, %v", c, write, err)
	}
	if d.Rekeyed(codec.Rekey{Epoch: 3}) || d.Rekeyed(codec.Rekey{Epoch: 2}) {
		t.Error("a rekey back")
	}
	if !d.Rekeyed(codec.Rekey{Epoch: 9}) || d.Previous.Number != 3 || !d.Two {
		t.Errorf("%+v", d.Memory)
	}
	if last, ok := d.Last(true); !ok || last != 0 {
		t.Errorf("last of the previous epoch is %d, %t", last, ok)
	}
	if _, ok := d.Last(false); ok {
		t.Error("a counter of the new epoch is used")
	}
}

// F-121: a device that nobody gives a new epoch asks for one, and stops at the end.
func TestDeviceWearsOut(t *testing.T) {
	d := session.NewDevice(session.Memory{Reserved: session.JoinFrames}, 16)
	if d.JoinDue() {
		t.Error("too early")
	}
	if _, _, err := d.Next(); err != nil || !d.JoinDue() {
		t.Errorf("%v, %t", err, d.JoinDue())
	}
	d.Join(7, 1)
	if d.Heard(); !joining(&d) {
		t.Error("an attempt that must be is over because somebody spoke")
	}
	d = session.NewDevice(session.Memory{Reserved: codec.CounterMax + 1}, 16)
	if _, _, err := d.Next(); !errors.Is(err, codec.ErrExhausted) || !d.JoinDue() {
		t.Errorf("%v, %t", err, d.JoinDue())
	}
	d = session.NewDevice(session.Memory{}, 16)
	d.Join(7, 1)
	if d.Heard(); joining(&d) {
		t.Error("F-122: answered, and it goes on joining")
	}
}

func joining(d *session.Device) bool {
	_, ok := d.Joining()
	return ok
}

func TestNames(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{session.Alone.String(), "none"},
		{session.Pending.String(), "pending"},
		{session.Previous.String(), "previous"},
		{session.Role(9).String(), "invalid"},
		{session.Silence.String(), "silence"},
		{session.Accept.String(), "accept"},
		{session.Challenge.String(), "challenge"},
		{session.Wait.String(), "wait"},
		{session.Answer(9).String(), "invalid"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
	var e session.Epoch
	if len(e.SaltBytes()) != 0 {
		t.Error("epoch 0 has a salt")
	}
	if e.Number = 1; len(e.SaltBytes()) != session.SaltLen {
		t.Error("epoch 1 has none")
	}
	k := session.Kept{Number: 1}
	if len(k.SaltBytes()) != session.SaltLen {
		t.Error("epoch 1 has none")
	}
	if k.Number = 0; len(k.SaltBytes()) != 0 {
		t.Error("epoch 0 has a salt")
	}
}

// F-124: an attempt whose acceptance was under way when all was lost is challenged like any other. In the epoch that it began nothing is taken any more, so that
// the same acceptance again would leave the device where nobody hears it.
func TestDisownedPending(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	j := attempt(1, 5)
	var g session.Gateway
	if a := g.Request(j, codec.Nonce{1}, true, now); a != session.Accept {
		t.Fatal(a)
	}
	g.Disown(now)
	if a := g.Request(j, codec.Nonce{2}, true, now); a != session.Challenge {
		t.Fatalf("%s, want a challenge", a)
	}
	if n, ok := g.Challenged(j); !ok || n != (codec.Nonce{2}) {
		t.Fatalf("confirmed is %x, %t", n, ok)
	}
	if a := g.Confirm(j); a != session.Accept || g.PendingNonce() != (codec.Nonce{2}) {
		t.Fatalf("%s with nonce %x", a, g.PendingNonce())
	}
	if c := g.Classify(true, 0); c != session.New || !g.Accept(true, 0, now) {
		t.Errorf("the first frame is %d", c)
	}
	if a := g.Request(j, codec.Nonce{3}, true, now); a != session.Silence {
		t.Errorf("a replay is answered with %s", a)
	}
	if n, ok := g.Challenged(j); !ok || n != (codec.Nonce{2}) {
		t.Errorf("a late copy of the confirmation is of %x, %t", n, ok)
	}
}

// F-124: after a loss no frame is taken that may have been taken before, of whatever epoch, for good; the first epoch that begins since is another matter.
func TestDisowned(t *testing.T) {
	var g session.Gateway
	g.Accept(false, 9, epochStart)
	g.Rekey([session.SaltLen]byte{1})
	g.Disown(epochStart)
	if g.Classify(false, 10) != session.TooOld || g.Classify(true, 0) != session.TooOld {
		t.Errorf("takes frames of before: %+v", g)
	}
	a := attempt(1, 1)
	if got := g.Request(a, codec.Nonce{2}, true, epochStart); got != session.Challenge {
		t.Fatalf("a request: %s", got)
	}
	if got := g.Confirm(a); got != session.Accept || g.Classify(true, 0) != session.New || g.Classify(false, 10) != session.TooOld {
		t.Fatalf("confirmed: %s, %+v", got, g)
	}
	if !g.Accept(true, 0, epochStart) || g.Classify(false, 1) != session.New || g.Classify(true, 10) != session.TooOld || g.Guard != 0 {
		t.Errorf("heard: %+v", g)
	}
	worn := session.Gateway{Allocated: 1<<32 - 1}
	worn.Disown(epochStart)
	if worn.Classify(false, 0) != session.TooOld {
		t.Errorf("the last epoch there is: %+v", worn)
	}
}
