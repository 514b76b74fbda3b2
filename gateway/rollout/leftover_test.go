package rollout_test

import (
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/rollout"
)

// Devices that a rollout left half way when it was halted or stopped are for the next one, once they have told of no step for a day. One that is only
// paused keeps them.
func TestLeftHalfWay(t *testing.T) {
	for _, move := range []rollout.Move{rollout.Pause, rollout.Halt, rollout.Stop} {
		w := newWorld(t, 3)
		old := w.start(w.spec())
		for i := range w.f {
			w.heard(i)
			w.says(i, w.offer(i), did(codec.StepDownloading, 0, 0))
		}
		w.act(author, old, move)
		s := w.spec()
		s.Version = "3.0"
		id := w.start(s)
		w.pass(23 * time.Hour)
		w.says(2, uint32(old), did(codec.StepDownloaded, 0, 0))
		for i := range w.f {
			if w.heard(i); w.offer(i) != 0 {
				t.Fatalf("%s: device %d is offered another release while it is busy", move, i)
			}
		}
		w.commit()
		w.restart()
		w.pass(2 * time.Hour)
		for i := range w.f {
			w.heard(i)
			if got, want := w.offer(i) == uint32(id), move != rollout.Pause && i != 2; got != want {
				t.Fatalf("%s: device %d is offered the newer release: %t", move, i, got)
			}
		}
		if move == rollout.Pause {
			w.want(old, 0, rollout.Downloading)
			continue
		}
		w.want(old, 0, rollout.Superseded)
		w.want(old, 2, rollout.Downloaded)
		w.says(0, uint32(id), did(codec.StepAccepted, 1, 0))
		w.updates(0, "3.0")
		w.want(id, 0, rollout.Soaking)
		w.says(1, uint32(old), did(codec.StepDownloaded, 0, 0)) // it goes on with the older one nevertheless
		w.want(old, 1, rollout.Downloaded)
		w.pass(25 * time.Hour)
		w.heard(2)
		if w.offer(2) != uint32(id) {
			t.Fatalf("%s: device 2 is offered nothing", move)
		}
		w.want(old, 2, rollout.Superseded)
		w.heard(1)
		w.m.Delivered(w.now, 1, uint32(id))
		w.want(old, 1, rollout.Superseded)
	}
}
