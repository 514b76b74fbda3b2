package world

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/publish/streammodel"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/simulator/radio"
	"github.com/godwit-gateway/godwit/transports"
)

// Names of faults that others depend on.
const (
	faultRestored = "gateway restored from a backup"
	faultDisk     = "gateway lost its disk"
	faultLoss     = "everything lost, and accepted"
)

// fault is something that goes wrong.
type fault struct {
	name   string
	weight int
	happen func(*world) bool // false: it could not happen now
}

// faults are all that may happen. Not all at once: a disk and a stream that are lost together take acknowledged frames along, and no
// software can bring them back.
var faults = []fault{
	{"power of the gateway", 10, func(w *world) bool { return w.powerCut() }},
	{faultRestored, 2, func(w *world) bool { return w.restoreDisk() }},
	{faultDisk, 1, func(w *world) bool { return w.loseDisk() }},
	{faultLoss, 1, func(w *world) bool { return w.loseAll() }},
	{"backup", 4, func(w *world) bool { return w.backUp() }},
	{"stream does not answer", 6, func(w *world) bool { return w.streamDown() }},
	{"stream answers falsely", 10, func(w *world) bool { return w.streamLies() }},
	{"stream lost its tail", 3, func(w *world) bool { return w.streamTail() }},
	{"stream deleted", 1, func(w *world) bool { return w.streamDeleted() }},
	{"device restarts", 10, func(w *world) bool { w.luckyOne().restartDevice(false); return true }},
	{"device loses its memory", 3, func(w *world) bool { w.luckyOne().restartDevice(true); return true }},
	{"network outage", 8, func(w *world) bool { return w.outage() }},
	{"address changes", 5, func(w *world) bool { w.luckyOne().port++; return true }},
	{"replayed payload", 25, func(w *world) bool { return w.replay() }},
	{"forged payload", 25, func(w *world) bool { return w.forge() }},
	{"command", 15, func(w *world) bool { return w.command() }},
	{"rekey", 4, func(w *world) bool { return w.rekey() }},
}

// faultAfter plans the next fault, minutes to hours from now.
func (w *world) faultAfter() {
	w.schedule.plan(w.now.Add(time.Duration((2+w.rng.ExpFloat64()*40)*float64(time.Minute))), func() {
		if w.healing {
			return
		}
		total := 0
		for i := range faults {
			total += faults[i].weight
		}
		n := w.rng.IntN(total)
		for i := range faults {
			if n -= faults[i].weight; n < 0 {
				if faults[i].happen(w) {
					w.faults[faults[i].name]++
					w.note(faults[i].name, 0, nil)
					w.o.Log.Info("fault", slog.Time("at", w.now), slog.String("name", faults[i].name))
				}
				break
			}
		}
		w.faultAfter()
	})
}

// heal ends all that is wrong. Devices stay as they are: they must find their way by themselves.
func (w *world) heal() {
	w.healing = true
	w.gateway.stream.Down, w.gateway.stream.Next = false, streammodel.FaultNone
	w.gateway.stream.Arrive()
	for _, m := range w.fleet {
		m.up.Outage(w.now)
		m.down.Outage(w.now)
		well := radio.Model{Delay: radio.Delay{Least: time.Second, Mean: time.Second, Most: time.Second}}
		w.fail(errors.Join(m.up.Change(well), m.down.Change(well)))
	}
}

// luckyOne draws a device.
func (w *world) luckyOne() *mobile { return w.fleet[w.rng.IntN(len(w.fleet))] }

func (w *world) powerCut() bool {
	if !w.gateway.up {
		return false
	}
	w.gateway.crash([]int{0, 0, 50, 100}[w.rng.IntN(4)])
	return true
}

func (w *world) backUp() bool {
	g := w.gateway
	if !g.up || len(g.copies) >= 4 {
		return false
	}
	g.copies = append(g.copies, g.fs.CrashClone(vfs.CrashCloneCfg{}))
	return true
}

// published reports whether the stream has all that the store has. What it had not would be lost with a disk: that is not what is tried here.
func (g *gateway) published() bool {
	return g.up && !g.stream.Down && g.stream.Exists && g.publisher.Stats().Pending == 0
}

// loseDisk puts an empty disk in place. All that is left is the stream.
func (w *world) loseDisk() bool {
	g := w.gateway
	if !g.published() {
		return false
	}
	g.crash(0)
	g.fs, g.copies = vfs.NewCrashableMem(), nil
	if w.faults[faultLoss] > 0 { // the stream does not know what was before that
		w.fail(w.say(hub.MetaLossAccepted))
	}
	return true
}

// loseAll puts an empty disk in place and an empty server, and an operator accepts that nobody knows any more which frames were taken. A consumer
// had read them all: none of them may come again.
func (w *world) loseAll() bool {
	g := w.gateway
	if !g.published() {
		return false
	}
	w.fail(w.readStream(true))
	for id := range w.seen {
		w.buried[id] = true
	}
	g.crash(0)
	g.fs, g.copies = vfs.NewCrashableMem(), nil
	g.stream.Exists, g.stream.Messages = false, nil
	g.stream.Restart()
	w.fail(w.say(hub.MetaLossAccepted))
	return true
}

// restoreDisk puts an older copy of the disk in place.
func (w *world) restoreDisk() bool {
	g := w.gateway
	if len(g.copies) == 0 || !g.published() {
		return false
	}
	g.crash(0)
	g.fs = g.copies[w.rng.IntN(len(g.copies))].CrashClone(vfs.CrashCloneCfg{})
	if w.rng.IntN(2) == 0 { // an operator who knows says so
		w.fail(w.say(hub.MetaRestored))
	}
	return true
}

// say writes what an operator has decided for the next start.
func (w *world) say(name string) error {
	s, err := store.Open(store.Options{Dir: "db", FS: w.gateway.fs, Now: w.gateway.Now})
	if err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	b := s.NewBatch()
	b.PutMeta(name, []byte("1"))
	return errors.Join(s.Commit(b), s.Close())
}

func (w *world) streamDown() bool {
	s := w.gateway.stream
	if s.Down {
		return false
	}
	s.Down = true
	w.schedule.plan(w.now.Add(time.Duration(w.rng.ExpFloat64()*float64(time.Hour))), func() {
		s.Down = false
		s.Server += "'"
		if w.gateway.up {
			w.gateway.publisher.Suspect()
		}
	})
	return true
}

func (w *world) streamLies() bool {
	s := w.gateway.stream
	s.Next = streammodel.Fault(1 + w.rng.IntN(int(streammodel.FaultCount)-1))
	w.schedule.plan(w.now.Add(time.Duration(1+w.rng.IntN(300))*time.Second), s.Arrive)
	return true
}

func (w *world) streamTail() bool {
	s := w.gateway.stream
	if !s.Exists || s.Down {
		return false
	}
	s.LoseTail(uint64(1 + w.rng.IntN(20))) //nolint:gosec // a few
	s.Restart()
	if w.gateway.up {
		w.gateway.publisher.Suspect()
	}
	return true
}

func (w *world) streamDeleted() bool {
	s := w.gateway.stream
	if !s.Exists || s.Down || !w.gateway.up {
		return false
	}
	w.fail(w.readStream(false))
	s.Exists, s.Messages = false, nil
	s.Restart()
	w.gateway.copies = nil // of which a store would know less than nobody
	return true
}

func (w *world) outage() bool {
	m := w.luckyOne()
	until := w.now.Add(time.Duration(w.rng.ExpFloat64() * 6 * float64(time.Hour)))
	m.up.Outage(until)
	m.down.Outage(until)
	return true
}

// capture lets somebody record a payload now and then.
func (w *world) capture(payload []byte) {
	const most = 64
	if w.rng.IntN(10) != 0 {
		return
	}
	if len(w.captured) < most {
		w.captured = append(w.captured, payload)
		return
	}
	w.captured[w.rng.IntN(most)] = payload
}

// stranger is where an attacker sends from.
func (w *world) stranger(payload []byte) transports.Uplink {
	m := w.luckyOne()
	u := m.uplink(payload)
	if w.rng.IntN(2) == 0 { // else an address that is spoofed
		u.From.ID = "203.0.113.9:666"
		if u.From.Bearer == transports.SMS {
			u.From.ID = "+666000666"
		}
	}
	u.Window = transports.Window{}
	return u
}

func (w *world) replay() bool {
	if len(w.captured) == 0 {
		return false
	}
	_, ok := w.gateway.take(w.stranger(w.captured[w.rng.IntN(len(w.captured))]))
	return ok
}

// forge changes a bit of a payload, or makes one up. Nothing of it may be taken.
func (w *world) forge() bool {
	if len(w.captured) == 0 {
		return false
	}
	payload := append([]byte(nil), w.captured[w.rng.IntN(len(w.captured))]...)
	switch bit := w.rng.IntN(len(payload) * 8); w.rng.IntN(3) {
	case 0:
		payload = payload[:bit/8]
	case 1:
		for i := range payload {
			payload[i] = byte(w.rng.Uint32())
		}
	default:
		payload[bit/8] ^= 1 << (bit % 8)
	}
	v, ok := w.gateway.take(w.stranger(payload))
	if ok && (v.Settlement == transports.Stored || v.Settlement == transports.Duplicate || len(v.Reply) > 0) {
		w.fail(fmt.Errorf("%w: a forged payload was settled as %s with a reply of %d bytes: %x", ErrBroken, v.Settlement, len(v.Reply), payload))
	}
	return ok
}

// command is what an operator tells a device.
func (w *world) command() bool {
	g, m := w.gateway, w.luckyOne()
	if !g.up {
		return false
	}
	var err error
	tell := func(c hub.Command) {
		c.Link = m.link
		_, err = g.hub.SendCommand(w.ctx, m.name(), c)
	}
	switch w.rng.IntN(6) {
	case 0:
		_, err = g.hub.SendMessage(w.ctx, m.name(), hub.Message{Payload: []byte("open the valve"), Link: m.link})
	case 1:
		_, err = g.hub.SendMessage(w.ctx, m.name(), hub.Message{Payload: make([]byte, 200+w.rng.IntN(800)), Link: m.link}) // several frames on SMS
	case 2:
		tell(hub.Command{Request: codec.RequestKeyframe | codec.RequestHello})
	case 3:
		tell(hub.Command{Time: true})
	case 4:
		tell(hub.Command{Sleep: &codec.Sleep{Seconds: 3600}})
	default:
		tell(hub.Command{Offer: &codec.Offer{
			Rollout: w.rng.Uint32(), Version: fmt.Sprintf("2.%d.0", w.rng.IntN(100)), Reference: "https://updates.example/m", Size: 100 << 10, Hash: make([]byte, 16),
			Memory: 200 << 10,
		}})
	}
	g.transmit()
	return err == nil // a device that is not known yet, or has enough under way, takes none
}

func (w *world) rekey() bool {
	g, m := w.gateway, w.luckyOne()
	if !g.up {
		return false
	}
	_, err := g.hub.Rekey(w.ctx, m.name(), m.link)
	g.transmit()
	return err == nil
}
