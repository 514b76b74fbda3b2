package store_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/godwit-gateway/godwit/gateway/store"
)

// load makes what a fleet sends: a random device's next frame of 40 bytes, its row of 160, and an event of some 600 bytes of JSON.
type load struct {
	rng      *rand.Rand
	counters []uint64
	frame    store.Frame
	row      [160]byte
	id       []byte
	ref      []byte
	subject  []byte
	payload  []byte
	now      time.Time
	links    []string // as names: one allocation each, made once
}

func newLoad(devices int) *load {
	l := &load{rng: rand.New(rand.NewPCG(1, 2)), counters: make([]uint64, devices), now: t0}
	for i := range 256 {
		l.links = append(l.links, fmt.Sprintf("10.20.%d.%d:%d", i, 255-i, 30_000+i*7))
	}
	l.frame = store.Frame{Link: "udp0", Bearer: "udp", TagLen: 8, Header: 0x40, Plaintext: make([]byte, 28), Raw: make([]byte, 40)}
	return l
}

// random fills b with bytes of which half carry nothing, as packed measurements do.
func (l *load) random(b []byte) {
	for i := range b {
		b[i] = byte(l.rng.Uint32())
		if i%2 == 0 {
			b[i] &= 0x0f
		}
	}
}

func (l *load) put(b *store.Batch) {
	n := l.rng.IntN(len(l.counters))
	l.counters[n]++
	l.now = l.now.Add(250 * time.Microsecond)
	k := store.FrameKey{Number: uint32(1000 + n), Epoch: 1, Counter: l.counters[n]}
	f := &l.frame
	l.random(f.Plaintext)
	for i := range f.Raw { // ciphertext
		f.Raw[i] = byte(l.rng.Uint32())
	}
	copy(f.Hash[:], f.Raw[20:])
	f.From, f.ReceivedAt = l.links[n%len(l.links)], l.now
	b.PutFrame(k, f)
	l.random(l.row[:80])
	b.PutDevice(k.Number, l.row[:])
	l.event(k)
	b.AddEvent(l.id, l.subject, l.ref, l.payload)
}

func (l *load) event(k store.FrameKey) {
	l.id = append(strconv.AppendUint(append(l.id[:0], "dev-"...), uint64(k.Number), 10), ".1."...)
	l.id = append(strconv.AppendUint(l.id, k.Counter, 10), ".0"...)
	l.ref = append(strconv.AppendUint(l.ref[:0], uint64(k.Number), 10), ".1.77.00112233445566ff"...)
	l.subject = append(strconv.AppendUint(append(l.subject[:0], "godwit.v1.gw1.event.acme.buoy.dev-"...), uint64(k.Number), 10), ".status"...)
	p := l.payload[:0]
	p = append(p, `{"specversion":"1.0","id":"`...)
	p = append(p, l.id...)
	p = append(p, `","source":"/godwit/gw1","type":"io.godwit.status","subject":"dev-`...)
	p = strconv.AppendUint(p, uint64(k.Number), 10)
	p = append(p, `","time":"`...)
	p = l.now.AppendFormat(p, "2006-01-02T15:04:05.000Z")
	p = append(p, `","datacontenttype":"application/json","data":{"device":"dev-`...)
	p = strconv.AppendUint(p, uint64(k.Number), 10)
	p = append(p, `","product":"buoy","customer":"acme","link":"udp0","bearer":"udp","epoch":1,"counter":`...)
	p = strconv.AppendUint(p, k.Counter, 10)
	p = append(p, `,"fields":{`...)
	for i, name := range []string{`"battery"`, `"water_temperature"`, `"air_pressure"`, `"wave_height"`, `"latitude"`, `"longitude"`, `"rssi"`} {
		if i > 0 {
			p = append(p, ',')
		}
		p = append(append(p, name...), `:{"value":`...)
		p = strconv.AppendFloat(p, float64(l.rng.IntN(100_000))/1000, 'f', -1, 64)
		p = append(p, `,"unit":"V"}`...)
	}
	p = append(p, "}}}"...)
	l.payload = p
}

// benchCommit commits groups of a size and reports frames and bytes.
func benchCommit(b *testing.B, group int, tune func(*pebble.Options)) {
	b.Helper()
	s := open(b, store.Options{Dir: b.TempDir(), FS: vfs.Default, Tune: tune})
	l, batch := newLoad(10_000), s.NewBatch()
	trimmed := uint64(0)
	for range 4 { // let the buffers grow
		for range group {
			l.put(batch)
		}
		commit(b, s, batch)
	}
	b.ReportAllocs()
	frames, bytes := 0, 0
	for b.Loop() {
		for range group {
			l.put(batch)
		}
		bytes += batch.Bytes()
		commit(b, s, batch)
		frames += group
		if last := s.DurableEvents(); last-trimmed > 200_000 { // what was published and verified goes
			trimmed = last - 100_000
			if err := s.TrimOutbox(trimmed); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(frames)/b.Elapsed().Seconds(), "frames/s")
	b.ReportMetric(float64(bytes)/float64(frames), "log-B/frame")
	total := s.Metrics().Total()
	b.ReportMetric(total.WriteAmp(), "write-amp")
}

func BenchmarkCommit(b *testing.B) {
	for _, group := range []int{1, 64, 512} {
		b.Run(strconv.Itoa(group), func(b *testing.B) { benchCommit(b, group, nil) })
	}
}

// What a batch costs without the disk: encoding, chain, Pebble's memory table.
func BenchmarkBatch(b *testing.B) {
	s := open(b, store.Options{})
	l, batch := newLoad(10_000), s.NewBatch()
	for range 512 {
		l.put(batch)
	}
	batch.Reset()
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		l.put(batch)
		if n++; n%512 == 0 {
			batch.Reset()
		}
	}
}

// Making the load is no cost of the store.
func BenchmarkLoad(b *testing.B) {
	l := newLoad(10_000)
	for b.Loop() {
		l.random(l.frame.Plaintext)
		l.event(store.FrameKey{Number: 1, Counter: 2})
	}
}

func BenchmarkOutbox(b *testing.B) {
	s := open(b, store.Options{Dir: b.TempDir(), FS: vfs.Default})
	l, batch := newLoad(10_000), s.NewBatch()
	for range 100 {
		for range 512 {
			l.put(batch)
		}
		commit(b, s, batch)
	}
	b.ReportAllocs()
	var events []store.Event
	from, n := uint64(1), 0
	for b.Loop() {
		var err error
		if events, err = s.Outbox(events[:0], from, 1000, 512<<10); err != nil {
			b.Fatal(err)
		}
		n += len(events)
		if from = events[len(events)-1].Seq + 1; from > s.DurableEvents() {
			from = 1
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkFrameHash(b *testing.B) {
	s := open(b, store.Options{})
	l, batch := newLoad(100), s.NewBatch()
	for range 10_000 {
		l.put(batch)
	}
	commit(b, s, batch)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, err := s.FrameHash(store.FrameKey{Number: 1001, Epoch: 1, Counter: 1}); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
