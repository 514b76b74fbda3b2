package verdict_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/gateway/rollout/verdict"
)

// a call is one to a Judge, about one device.
type call struct {
	at int64
	p  verdict.Place
	do func(j *verdict.Judge)
}

// calls draws what a rollout tells a Judge.
func calls(t *rapid.T) []call {
	var all []call
	at := int64(start)
	for range rapid.IntRange(1, 25).Draw(t, "moments") {
		at += rapid.SampledFrom([]int64{0, 1, minute, 20 * minute, hour, 7 * hour, day}).Draw(t, "later")
		for _, p := range rapid.SliceOfNDistinct(rapid.Uint32Range(0, 300), 1, 5, rapid.ID[uint32]).Draw(t, "places") {
			s := verdict.Stratum{Group: verdict.Group{Product: uint16(rapid.IntRange(0, 2).Draw(t, "product"))}, Link: uint8(rapid.IntRange(0, 2).Draw(t, "link"))}
			every := rapid.SampledFrom([]uint32{0, 900, hour, day, 40 * day}).Draw(t, "interval")
			now := at
			c := call{at: at, p: p}
			switch rapid.IntRange(0, 9).Draw(t, "call") {
			case 0:
				c.do = func(j *verdict.Judge) { j.Assign(now, []verdict.Place{p}) }
			case 1, 2, 3:
				down := rapid.SampledFrom([]uint32{0, hour}).Draw(t, "downtime")
				c.do = func(j *verdict.Judge) { j.Contact(now, p, s, every); j.Start(now, p, 0, down) }
			case 4:
				failed := rapid.Bool().Draw(t, "failed")
				c.do = func(j *verdict.Judge) { j.Report(now, p, failed) }
			case 5:
				c.do = func(j *verdict.Judge) { j.Leave(now, p) }
			default:
				c.do = func(j *verdict.Judge) { j.Contact(now, p, s, every) }
			}
			all = append(all, c)
		}
	}
	return all
}

func written(t interface{ Fatal(...any) }, j *verdict.Judge) []byte {
	b, err := j.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// restored is a judge that was written and read back.
func restored(t interface{ Fatal(...any) }, j *verdict.Judge) *verdict.Judge {
	again, err := verdict.Restore(written(t, j))
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// TestOrder: calls of the same moment about different devices may come in any order, and how often time passes in between does not matter.
func TestOrder(t *testing.T) {
	c, m := config(2), model(t)
	rapid.Check(t, func(t *rapid.T) {
		all := calls(t)
		a, _ := verdict.New(start, c, m)
		b, _ := verdict.New(start, c, m)
		shuffled := slices.Clone(all)
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 0))
		for i := 0; i < len(shuffled); {
			n := i + 1
			for n < len(shuffled) && shuffled[n].at == shuffled[i].at && !slices.ContainsFunc(shuffled[i:n], func(o call) bool { return o.p == shuffled[n].p }) {
				n++
			}
			some := shuffled[i:n]
			rng.Shuffle(len(some), func(x, y int) { some[x], some[y] = some[y], some[x] })
			i = n
		}
		for i := range all {
			all[i].do(a)
			shuffled[i].do(b)
			if i%3 == 0 {
				b.Poll(shuffled[i].at)
				b.Verdict()
			}
		}
		end := all[len(all)-1].at + 12*day
		a.Poll(end)
		for at := end - 12*day; at <= end; at += 5 * hour {
			b.Poll(at)
		}
		b.Poll(end)
		if !bytes.Equal(written(t, a), written(t, b)) {
			t.Fatalf("the order matters: %+v and %+v", a.Verdict(), b.Verdict())
		}
	})
}

// TestReplay: a Judge that was written and read, as a whole or by parts with the devices that changed, goes on as if nothing had happened.
func TestReplay(t *testing.T) {
	c, m := config(2), model(t)
	rapid.Check(t, func(t *rapid.T) {
		all := calls(t)
		a, _ := verdict.New(start, c, m)
		b, _ := verdict.New(start, c, m)
		rows := map[verdict.Place][]byte{}
		fixed := a.AppendFixed(nil)
		for i := range all {
			all[i].do(a)
			all[i].do(b)
			for _, p := range b.Dirty(nil) {
				rows[p] = b.AppendDevice(nil, p)
			}
			if rapid.IntRange(0, 7).Draw(t, "restart") != 0 {
				continue
			}
			var err error
			if rapid.Bool().Draw(t, "whole") {
				b, err = verdict.Restore(written(t, b))
			} else {
				state := b.AppendState(nil)
				if b, err = verdict.Load(fixed, state); err == nil {
					for p, row := range rows {
						if len(row) != 0 {
							err = errors.Join(err, b.LoadDevice(p, row))
						}
					}
					b.Dirty(nil)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		end := all[len(all)-1].at + 9*day
		a.Poll(end)
		b.Poll(end)
		if !bytes.Equal(written(t, a), written(t, b)) {
			t.Fatalf("a restart matters: %+v and %+v", a.Verdict(), b.Verdict())
		}
	})
}

func FuzzRestore(f *testing.F) {
	j := judge(f, 2)
	f.Add(written(f, j))
	update(j, start, cell, hour, places(0, 3)...)
	j.Poll(start + day)
	b := written(f, j)
	f.Add(b)
	f.Add(b[:len(b)-1])
	f.Fuzz(func(t *testing.T, b []byte) {
		j, err := verdict.Restore(b)
		if err != nil {
			if !errors.Is(err, verdict.ErrSnapshot) {
				t.Fatalf("%v is no ErrSnapshot", err)
			}
			return
		}
		j.Verdict()
		again := written(t, j)
		if k, err := verdict.Restore(again); err != nil || !bytes.Equal(written(t, k), again) {
			t.Fatalf("what was read is not written as it can be read: %v", err)
		}
	})
}

func TestDamage(t *testing.T) {
	j := judge(t, 2)
	update(j, start, cell, hour, places(0, 3)...)
	b := written(t, j)
	for n := range b {
		if n != len(b)-3*43 && n != len(b)-2*43 && n != len(b)-43 { // a Judge of fewer devices
			if _, err := verdict.Restore(b[:n]); !errors.Is(err, verdict.ErrSnapshot) {
				t.Fatalf("%d of %d bytes: %v", n, len(b), err)
			}
		}
	}
	if err := j.LoadDevice(0, []byte{1, 2, 3}); !errors.Is(err, verdict.ErrSnapshot) {
		t.Errorf("a device of three bytes: %v", err)
	}
}
