package world

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/publish/streammodel"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/simulator/radio"
	"github.com/godwit-gateway/godwit/transports"
)

// Kinds that others depend on.
const (
	kindPower    = "power-cut"
	kindBackup   = "backup"
	kindRestored = "gateway-restored"
	kindDisk     = "disk-lost"
	kindLoss     = "all-lost"
	kindReplay   = "replay-day"
	kindForgets  = "device-forgets"
)

// Attention is the kind of incident that is an operator who looks at devices.
const Attention = "attention"

// kind is something that goes wrong, or that somebody does.
type kind struct {
	name   string
	weight int  // in a world of chaos; 0: it is only planned
	harm   bool // something has to get well after it
	about  string
	happen func(*world, *Incident) bool // nil: by chance. False: it could not happen now
}

// kinds are all that may happen. Not all at once: a disk and a stream that are lost together take acknowledged frames along, and no
// software can bring them back.
func kinds() []kind {
	return []kind{
		{kindPower, 10, true, "the gateway's power fails: what was not synced may be lost", (*world).powerCut},
		{"gateway-down", 0, true, "the gateway is stopped for a while", (*world).gatewayDown},
		{kindRestored, 2, true, "the gateway's disk is an older copy", (*world).restoreDisk},
		{kindDisk, 1, true, "the gateway's disk is empty", (*world).loseDisk},
		{kindLoss, 1, true, "disk and stream are empty, and an operator accepts that", (*world).loseAll},
		{kindBackup, 4, false, "the gateway's disk is copied", (*world).backUp},
		{"stream-down", 6, true, "the stream does not answer for a while", (*world).streamDown},
		{"stream-lies", 10, true, "the stream answers falsely once", (*world).streamLies},
		{"stream-tail-lost", 3, true, "the stream loses what it was told last", (*world).streamTail},
		{"stream-deleted", 1, true, "the stream is gone", (*world).streamDeleted},
		{"device-restarts", 10, true, "devices restart", (*world).restartDevices},
		{kindForgets, 3, true, "devices lose all they knew but their key", (*world).eraseDevices},
		{"device-cloned", 1, false, "somebody copies the memory and the key of devices into others", (*world).cloneDevices},
		{"card-changed", 3, true, "devices are given another SIM", (*world).changeCards},
		{"outage", 8, true, "no radio reaches devices for a while", (*world).outage},
		{"contract-ends", 0, true, "the operator of devices' cards ends their contracts, until all is healed", (*world).endContracts},
		{"address-changes", 5, true, "the network gives devices another address", (*world).changeAddresses},
		{"replay", 25, false, "somebody sends a recorded payload again", (*world).replay},
		{kindReplay, 0, false, "the network hands over again all that it carried for a while", (*world).replayDay},
		{"forgery", 25, false, "somebody makes a payload up", (*world).forge},
		{"command", 15, false, "an operator tells devices something", (*world).command},
		{"offer", 0, false, "an operator offers devices a version", (*world).offer},
		{"rekey", 4, false, "an operator gives devices a new epoch", (*world).rekey},
		{Attention, 0, false, "an operator looks at devices for a while, which count for more until then", (*world).giveAttention},
	}
}

// Kinds names the kinds of incidents, each with a few words about it.
func Kinds() [][2]string {
	var names [][2]string
	for _, k := range kinds() {
		names = append(names, [2]string{k.name, k.about})
	}
	return names
}

// kindOf finds a kind by its name, nil if there is none.
func kindOf(name string) *kind {
	all := kinds()
	if i := slices.IndexFunc(all, func(k kind) bool { return k.name == name }); i >= 0 {
		return &all[i]
	}
	return nil
}

// faultAfter plans the next fault, minutes to hours from now.
func (w *world) faultAfter() {
	w.schedule.plan(w.now.Add(time.Duration((2+w.rng.ExpFloat64()*40)*float64(time.Minute)).Round(time.Second)), func() {
		if w.healing {
			return
		}
		all, total := kinds(), 0
		for i := range all {
			total += all[i].weight
		}
		n := w.rng.IntN(total)
		for i := range all {
			if n -= all[i].weight; n < 0 {
				w.happen(&all[i], nil)
				break
			}
		}
		w.faultAfter()
	})
}

// happen lets something go wrong, planned or by chance.
func (w *world) happen(k *kind, in *Incident) {
	if slices.Contains(w.setup.Without, k.name) {
		return
	}
	w.met, w.ends = nil, time.Time{}
	if !k.happen(w, in) {
		w.again(k, in)
		return
	}
	if k.harm && !w.healing {
		w.hurt(k.name)
	}
	w.faults[k.name]++
	w.note(0, nil, k.name)
	w.setup.Log.Info("fault", slog.Time("at", w.now), slog.String("name", k.name))
	if x := w.setup.Watch; x != nil {
		var until time.Time
		if in != nil && in.For > 0 {
			until = w.now.Add(in.For)
		}
		x.Failed(w.now, until, k.name)
	}
}

// again tries what was planned and could not happen a little later, such as the loss of a disk while an event was on its way to the stream.
func (w *world) again(k *kind, in *Incident) {
	const pause, limit = 5 * time.Second, time.Hour
	if in != nil && w.now.Sub(w.setup.Start) < in.At+limit && !w.healing {
		w.schedule.plan(w.now.Add(pause), func() { w.happen(k, in) })
	}
}

// lasting is how long an incident lasts: as planned, or by chance around a mean.
func (w *world) lasting(in *Incident, mean time.Duration) time.Duration {
	d := time.Duration(w.rng.ExpFloat64() * float64(mean)).Round(time.Second)
	if in != nil {
		d = in.For
	}
	w.ends = w.now.Add(d)
	return d
}

// whom are the devices that an incident meets: as planned, or one by chance.
func (w *world) whom(in *Incident) []*mobile {
	if in == nil {
		w.met = []*mobile{w.luckyOne()}
		return w.met
	}
	var met []*mobile
	for _, m := range w.fleet {
		if (in.Group == "" || w.setup.Groups[m.group].Name == in.Group) && (in.Share == 0 || w.rng.Float64() < in.Share) {
			met = append(met, m)
		}
	}
	w.met = met
	return met
}

// heal ends all that is wrong. Devices stay as they are: they must find their way by themselves.
func (w *world) heal() {
	w.healing = true
	w.recovery.open = nil // what heals now heals by our hand
	w.gateway.stream.Down, w.gateway.stream.Next = false, streammodel.FaultNone
	w.gateway.stream.Arrive()
	for _, m := range w.fleet {
		m.barred = false
		m.outage("", w.now)
		well := radio.Model{Delay: radio.Delay{Least: time.Second, Mean: time.Second, Most: time.Second}}
		for _, a := range m.airs {
			w.fail(errors.Join(a.up.Change(well), a.down.Change(well)))
		}
	}
}

// luckyOne draws a device.
func (w *world) luckyOne() *mobile { return w.fleet[w.rng.IntN(len(w.fleet))] }

func (w *world) powerCut(*Incident) bool {
	if !w.gateway.up {
		return false
	}
	w.gateway.crash([]int{0, 0, 50, 100}[w.rng.IntN(4)])
	return true
}

func (w *world) backUp(*Incident) bool {
	g := w.gateway
	if !g.up || len(g.copies) >= 4 {
		return false
	}
	g.copies = append(g.copies, g.fs.CrashClone(vfs.CrashCloneCfg{}))
	return true
}

// published reports whether the stream has all that the store has. What it had not would be lost with a disk: that is not what is tried here.
func (g *gateway) published() bool {
	return g.up && g.publisher.Stats().Pending == 0 && g.answers()
}

// loseDisk puts an empty disk in place. All that is left is the stream.
func (w *world) loseDisk(*Incident) bool {
	g := w.gateway
	if !g.published() {
		return false
	}
	g.crash(0)
	g.losses++
	g.fs, g.copies = g.newDisk(), nil
	if w.faults[kindLoss] > 0 { // the stream does not know what was before that
		w.fail(w.say(hub.MetaLossAccepted))
	}
	return true
}

// loseAll puts an empty disk in place and an empty server, and an operator accepts that nobody knows any more which frames were taken. A consumer
// had read them all: none of them may come again.
func (w *world) loseAll(*Incident) bool {
	g := w.gateway
	if !g.published() {
		return false
	}
	w.fail(w.readStream(true))
	w.reader.bury()
	g.crash(0)
	g.fs, g.copies = g.newDisk(), nil
	g.forget()
	w.fail(w.say(hub.MetaLossAccepted))
	return true
}

// restoreDisk puts an older copy of the disk in place.
func (w *world) restoreDisk(*Incident) bool {
	g := w.gateway
	if len(g.copies) == 0 || !g.published() {
		return false
	}
	g.crash(0)
	g.losses++
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

func (w *world) streamDown(in *Incident) bool {
	if w.setup.Server != nil {
		return w.restartServer() // each request to one that is down would take seconds of real time
	}
	s := w.gateway.stream
	if s.Down {
		return false
	}
	s.Down = true
	w.schedule.plan(w.now.Add(w.lasting(in, time.Hour)), func() {
		s.Down = false
		s.Server += "'"
		if w.gateway.up {
			w.gateway.publisher.Suspect()
		}
	})
	return true
}

func (w *world) streamLies(*Incident) bool {
	if w.setup.Server != nil {
		return false
	}
	s := w.gateway.stream
	s.Next = streammodel.Fault(1 + w.rng.IntN(int(streammodel.FaultCount)-1))
	w.schedule.plan(w.now.Add(time.Duration(1+w.rng.IntN(300))*time.Second), s.Arrive)
	return true
}

func (w *world) streamTail(*Incident) bool {
	if w.setup.Server != nil {
		return w.serverTail()
	}
	s := w.gateway.stream
	if !s.Exists || s.Down {
		return false
	}
	if w.gateway.store != nil {
		w.fail(w.readStream(false)) // a gateway with little to say has dropped some of it: consumers have had it
	}
	s.LoseTail(uint64(1 + w.rng.IntN(20))) //nolint:gosec // a few
	s.Restart()
	if w.gateway.up {
		w.gateway.publisher.Suspect()
	}
	return true
}

func (w *world) streamDeleted(*Incident) bool {
	if !w.gateway.up || !w.gateway.answers() {
		return false
	}
	w.fail(w.gateway.publisher.TrimOnce()) // what is a day old may go at any time: consumers have had it
	w.fail(w.readStream(false))
	w.gateway.forget()
	w.gateway.copies = nil // of which a store would know less than nobody
	return true
}

func (w *world) outage(in *Incident) bool {
	until := w.now.Add(w.lasting(in, 6*time.Hour))
	link := ""
	if in != nil {
		link = in.Link
	}
	for _, m := range w.whom(in) {
		m.outage(link, until)
	}
	return true
}

// endContracts cuts cards off: nothing comes through in either direction, and the network refuses what is for them.
func (w *world) endContracts(in *Incident) bool {
	for _, m := range w.whom(in) {
		m.barred = true
		m.up.Outage(w.setup.Start.Add(century))
		m.down.Outage(w.setup.Start.Add(century))
	}
	return true
}

func (w *world) gatewayDown(in *Incident) bool {
	g := w.gateway
	if !g.up {
		return false
	}
	g.stays = w.now.Add(w.lasting(in, time.Hour))
	g.stop()
	return true
}

func (w *world) restartDevices(in *Incident) bool {
	for _, m := range w.whom(in) {
		m.restartDevice(false)
	}
	return true
}

func (w *world) eraseDevices(in *Incident) bool {
	for _, m := range w.whom(in) {
		m.restartDevice(true)
	}
	return true
}

func (w *world) changeAddresses(in *Incident) bool {
	for _, m := range w.whom(in) {
		m.port++
		m.locate()
	}
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
	u := m.uplink(&m.air, payload)
	if w.rng.IntN(2) == 0 { // else an address that is spoofed
		u.From.ID = "203.0.113.9:666"
		if u.From.Bearer == transports.SMS {
			u.From.ID = "+666000666"
		}
	}
	u.Window = transports.Window{}
	return u
}

func (w *world) replay(*Incident) bool {
	if len(w.captured) == 0 {
		return false
	}
	_, ok := w.gateway.take(w.stranger(w.captured[w.rng.IntN(len(w.captured))]))
	return ok
}

// forge changes a bit of a payload, or makes one up. Nothing of it may be taken.
func (w *world) forge(*Incident) bool {
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
