package rollout_test

import (
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/rollout"
)

// update takes a device through a good update, hour by hour of its calls: offer, download, boot, soak.
func (w *world) update(i int, number uint32, stage *int) {
	switch *stage {
	case 0:
		w.heard(i)
		if n := w.offer(i); n != 0 {
			if n != number {
				w.t.Fatalf("device %d was offered %d", i, n)
			}
			*stage++
		}
	case 1:
		w.says(i, number, did(codec.StepAccepted, 1, 2*time.Minute), did(codec.StepDownloading, 0, time.Minute), did(codec.StepDownloaded, 1, 0))
		*stage++
	case 2:
		w.updates(i, "2.0")
		*stage++
	default:
		w.heard(i)
	}
}

// A good rollout opens its waves one after the other, confirms every device, and is complete; the held out ones are left alone.
func TestGoodRollout(t *testing.T) {
	const n = 200
	w := newWorld(t, n)
	s := w.spec()
	s.Waves = []rollout.Wave{{Share: 0.1, Least: 12 * time.Hour}, {Share: 0.4, Least: 12 * time.Hour}, {Share: 1}}
	s.HoldOut = 0.05
	id := w.start(s)
	stage := make([]int, n)
	waves := 0
	for h := range 24 * 20 {
		for i := range n {
			w.update(i, uint32(id), &stage[i])
			w.commit()
		}
		w.pass(time.Hour)
		w.commit()
		if h%50 == 7 {
			w.restart()
		}
		sum, err := w.m.Get(id)
		if err != nil {
			t.Fatal(err)
		}
		waves = max(waves, sum.Wave)
		if sum.State == rollout.Completed {
			break
		}
	}
	sum, err := w.m.Get(id)
	if err != nil {
		t.Fatal(err)
	}
	views, err := w.m.Waves(w.now, id)
	if err != nil {
		t.Fatal(err)
	}
	if sum.State != rollout.Completed || waves != 3 {
		t.Fatalf("%+v\n%+v", sum, views)
	}
	if h, c := sum.Standings[rollout.HeldOut], sum.Standings[rollout.Confirmed]; h < 2 || h > 25 || h+c != n || c != w.count(rollout.ActConfirmed) {
		t.Errorf("%d held out, %d confirmed, %d told", h, c, w.count(rollout.ActConfirmed))
	}
	if w.count(rollout.ActWave) != 3 || w.count(rollout.ActCompleted) != 1 || w.count(rollout.ActHalted)+w.count(rollout.ActWarned) != 0 {
		t.Errorf("%d waves, %d ends, %d halts", w.count(rollout.ActWave), w.count(rollout.ActCompleted), w.count(rollout.ActHalted))
	}
	r, err := w.m.Report(w.now, id)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(r.Line, r.Verdict, w.now.Sub(t0))
}
