package rollout_test

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/rollout"
)

// report is a frame that says what runs: its place in the order, and which version.
type report struct {
	order   uint64
	version string
	build   string
}

func buildOf(version string) string {
	sum := sha256.Sum256([]byte(version))
	return fmt.Sprintf("%x", sum[:8])
}

// What frames say of the software that runs, in the order in which they come.
func TestReports(t *testing.T) {
	good, wrong := buildOf("2.0"), buildOf("other")
	for name, x := range map[string]struct {
		reports []report
		want    rollout.Standing
	}{
		"the right build":                          {[]report{{10, "2.0", good}}, rollout.Soaking},
		"its first four bytes":                     {[]report{{10, "", good[:8]}}, rollout.Soaking},
		"the version alone":                        {[]report{{10, "2.0", ""}}, rollout.Soaking},
		"another build":                            {[]report{{10, "2.0", wrong}}, rollout.Accepted},
		"another build, then the version alone":    {[]report{{10, "2.0", wrong}, {11, "2.0", ""}}, rollout.Accepted},
		"the same, late":                           {[]report{{11, "2.0", ""}, {10, "2.0", wrong}}, rollout.Accepted},
		"another build, then the right one":        {[]report{{10, "2.0", wrong}, {11, "2.0", good}}, rollout.Soaking},
		"the old version":                          {[]report{{10, "1.0", ""}}, rollout.Accepted},
		"back to the old version":                  {[]report{{10, "2.0", good}, {11, "1.0", ""}}, rollout.RolledBack},
		"the same, in the wrong order":             {[]report{{11, "1.0", ""}, {10, "2.0", good}}, rollout.RolledBack},
		"an old frame of the old version, late":    {[]report{{10, "2.0", good}, {9, "1.0", ""}}, rollout.Soaking},
		"there and back and there again":           {[]report{{10, "2.0", good}, {11, "1.0", ""}, {12, "2.0", good}}, rollout.Soaking},
		"the same, in another order":               {[]report{{12, "2.0", good}, {11, "1.0", ""}, {10, "2.0", good}}, rollout.Soaking},
		"twice there and back, the middle late":    {[]report{{10, "2.0", good}, {13, "1.0", ""}, {12, "2.0", good}, {11, "1.0", ""}}, rollout.RolledBack},
		"back to another build of the old version": {[]report{{10, "2.0", good}, {11, "", buildOf("1.0")}}, rollout.RolledBack},
		"on to a newer release":                    {[]report{{10, "2.0", good}, {11, "3.0", ""}}, rollout.Soaking},
		"nothing that is said":                     {[]report{{10, "", ""}}, rollout.Accepted},
	} {
		for _, twice := range []bool{false, true} {
			w := newWorld(t, 1)
			id := w.start(w.spec())
			w.heard(0)
			w.says(0, w.offer(0), did(codec.StepAccepted, 1, 0))
			for _, r := range x.reports {
				for range map[bool]int{false: 1, true: 2}[twice] {
					w.pass(time.Minute)
					w.m.Reported(w.now, 0, rollout.Software{Version: r.version, Build: r.build, Was: "1.0", Order: rollout.Order{Counter: r.order}})
					w.commit()
				}
			}
			w.restart()
			if v := w.standing(id, 0); v.Standing != x.want {
				t.Errorf("%s, twice %v: %s, want %s", name, twice, v.Standing, x.want)
			}
		}
	}
}

// An update is confirmed once it has survived so many contacts, and not before; frames that come together are one contact.
func TestSoak(t *testing.T) {
	w := newWorld(t, 1)
	s := w.spec()
	s.Soak = 3
	id := w.start(s)
	w.heard(0)
	w.says(0, w.offer(0), did(codec.StepDownloaded, 1, 0))
	w.pass(10 * time.Minute)
	w.updates(0, "2.0")
	ran := w.now
	for range 5 { // the contact of the boot
		w.heard(0)
	}
	for n := range 3 {
		w.commit()
		if v := w.standing(id, 0); v.Standing != rollout.Soaking || v.Soak != n || w.count(rollout.ActConfirmed) != 0 {
			t.Fatalf("after %d contacts: %+v", n, v)
		}
		w.pass(time.Hour)
		w.restart()
		w.heard(0)
		w.heard(0)
	}
	w.commit()
	w.want(id, 0, rollout.Confirmed)
	if v := w.standing(id, 0); !v.Ran.Equal(ran) || !v.Confirmed.Equal(w.now) || w.count(rollout.ActConfirmed) != 1 {
		t.Errorf("%+v, told %d times", v, w.count(rollout.ActConfirmed))
	}
	if a := w.told[len(w.told)-1]; a.Kind != rollout.ActConfirmed || a.From != "1.0" || a.Version != "2.0" || !a.DeviceTime.Equal(ran) {
		t.Errorf("%+v", a)
	}
}

// The contact that would end the soak may say that the old version runs: that counts, whatever of both is told first.
func TestSoakEndsInRollBack(t *testing.T) {
	w := newWorld(t, 1)
	s := w.spec()
	s.Soak = 1
	id := w.start(s)
	w.heard(0)
	w.says(0, w.offer(0), did(codec.StepDownloaded, 1, 0))
	w.pass(10 * time.Minute)
	w.updates(0, "2.0")
	before := w.now
	w.commit()
	w.pass(time.Hour)
	w.runs(0, "1.0", nil)
	w.commit()
	v := w.standing(id, 0)
	if v.Standing != rollout.RolledBack || w.count(rollout.ActConfirmed) != 0 || w.count(rollout.ActRolledBack) != 1 {
		t.Fatalf("%+v", v)
	}
	if !v.Earliest.Equal(before) || !v.Latest.Equal(w.now) {
		t.Errorf("between %s and %s, want %s and %s", v.Earliest, v.Latest, before, w.now)
	}
	w.pass(time.Minute)
	for w.now.Before(t0.Add(48 * time.Hour)) {
		w.pass(time.Hour)
	}
	if sum, _ := w.m.Get(id); sum.State != rollout.Completed {
		t.Fatalf("%+v", sum)
	}
}

// A roll-back counts after the rollout has ended as well, and after a restart.
func TestRollBackLate(t *testing.T) {
	w := newWorld(t, 1)
	id := w.start(w.spec())
	w.heard(0)
	w.says(0, w.offer(0), did(codec.StepDownloaded, 1, 0))
	w.pass(10 * time.Minute)
	w.updates(0, "2.0")
	for range 30 {
		w.pass(time.Hour)
		w.heard(0)
	}
	w.pass(time.Hour)
	w.commit()
	if sum, _ := w.m.Get(id); sum.State != rollout.Completed || sum.Standings[rollout.Confirmed] != 1 {
		t.Fatalf("%+v", sum)
	}
	w.restart()
	w.runs(0, "1.0", nil)
	w.commit()
	w.want(id, 0, rollout.RolledBack)
	if w.count(rollout.ActRolledBack) != 1 || w.count(rollout.ActOutside) != 0 {
		t.Error("not told")
	}
}

// A claim is not proof: who says that it is done is not confirmed before it was heard to run the release; one that says it went back is believed.
func TestClaims(t *testing.T) {
	w := newWorld(t, 2)
	id := w.start(w.spec())
	for i := range 2 {
		w.heard(i)
		w.offer(i)
	}
	w.says(0, uint32(id), did(codec.StepRebooting, 0, time.Minute), did(codec.StepConfirmed, 1, 0))
	w.says(1, uint32(id), did(codec.StepRebooting, 0, time.Minute), did(codec.StepRolledBack, 8, 0))
	w.want(id, 0, rollout.Rebooting)
	w.want(id, 1, rollout.RolledBack)
	for range 20 {
		w.pass(time.Hour)
		w.heard(0)
	}
	w.commit()
	w.want(id, 0, rollout.Rebooting)
	if w.count(rollout.ActConfirmed) != 0 || w.count(rollout.ActRolledBack) != 1 {
		t.Error("told otherwise")
	}
}

// Updates that no rollout made are seen as such: of devices in no rollout, that wait, that are held out.
func TestOutside(t *testing.T) {
	w := newWorld(t, 40)
	s := w.spec()
	s.HoldOut, s.Filter.Customers = 0.5, []string{"customer-0"}
	s.Waves = []rollout.Wave{{Share: 0.01}, {Share: 1}}
	id := w.start(s)
	sum, _ := w.m.Get(id)
	if sum.Standings[rollout.Waiting] == 0 || sum.Standings[rollout.HeldOut] == 0 {
		t.Fatalf("%+v", sum)
	}
	for i := range 40 {
		w.updates(i, "2.0")
		w.commit()
	}
	sum, _ = w.m.Get(id)
	if sum.Standings[rollout.Outside] != sum.Devices || w.count(rollout.ActOutside) != 40 || w.count(rollout.ActConfirmed) != 0 {
		t.Errorf("%+v, told %d times", sum, w.count(rollout.ActOutside))
	}
	w.updates(0, "2.0")
	w.commit()
	if w.count(rollout.ActOutside) != 40 {
		t.Error("told again")
	}
}
