package trial

import (
	"math"
	"math/rand/v2"

	"github.com/godwit-gateway/godwit/scheduler"
)

// Lengths of time in seconds.
const (
	Minute int64 = 60
	Hour         = 60 * Minute
	Day          = 24 * Hour
	Year         = 365 * Day
)

// Class is the kind of link that a device speaks over.
type Class int

// The classes.
const (
	Cell Class = iota
	SMS
	SBD
	IDP

	classes
)

// String is the name of the class.
func (c Class) String() string { return [...]string{"cell", "sms", "sbd", "idp"}[c] }

// terms are what a class costs and how it fares. They are no provider's: each is of the order of a tariff of its kind.
type terms struct {
	share    float64          // of the fleet
	up, down scheduler.Micros // of a message
	arrives  float64          // probability that a message arrives
	floor    float64          // median of the shortest interval that a battery bears, in hours
}

var byClass = [classes]terms{
	Cell: {share: 0.45, up: 1000, down: 500, arrives: 0.98, floor: 2},
	SMS:  {share: 0.20, up: 20_000, down: 20_000, arrives: 0.95, floor: 3},
	SBD:  {share: 0.25, up: 120_000, down: 120_000, arrives: 0.90, floor: 6},
	IDP:  {share: 0.10, up: 60_000, down: 60_000, arrives: 0.93, floor: 4},
}

// Arrives is the probability with which a message of the class arrives, over all devices.
func (c Class) Arrives() float64 { return byClass[c].arrives }

// The rest of what makes a fleet.
const (
	onBattery    = 0.6           // part of the devices
	floorSpread  = 0.5           // of the shortest interval of a battery, in standard deviations of its logarithm
	lossSpread   = 0.5           // of the probability of loss, likewise
	worstLoss    = 0.5           // no device loses more
	attrition    = 0.01          // a month
	month        = Year / 12     // for rates
	attention    = 5             // times the weight during an episode
	episode      = 7 * Day       // its length
	episodeEvery = 60 * Day      // from start to start, in the mean
	shortest     = 15 * Minute   // interval of a device without a battery
	never        = math.MaxInt64 // a time after all others
)

// Setup is what a fleet is drawn from.
type Setup struct {
	Devices  int
	Spread   float64 // of weights: standard deviation of their logarithm; 0: all weigh the same
	Episodes bool    // weights are five times as high for a week, once in sixty days
	Seed     uint64
}

// Device is one of a fleet.
type Device struct {
	Class    Class
	Arrives  float64          // probability that a message arrives, in each direction
	Up, Down scheduler.Micros // price of a message
	Weight   float64          // outside of episodes
	Floor    int64            // shortest interval, in seconds
	Battery  bool
	Death    int64   // when it falls silent for good; Year: it does not
	Episodes []int64 // when each starts; the first may have before the year
	fate     uint64  // seed of its luck
}

// Fleet is what policies are tried on. It is not changed by a run.
type Fleet struct {
	Setup
	All []Device
}

// NewFleet draws a fleet.
func NewFleet(s Setup) *Fleet {
	f := &Fleet{Setup: s, All: make([]Device, s.Devices)}
	for i := range f.All {
		f.All[i] = newDevice(s, uint64(i))
	}
	return f
}

func newDevice(s Setup, number uint64) Device {
	rng := rand.New(rand.NewPCG(s.Seed, number)) //nolint:gosec // drawn from a seed, to be drawn again
	d := Device{Weight: math.Exp(s.Spread * rng.NormFloat64()), Floor: shortest, Death: Year}
	pick := rng.Float64()
	for d.Class < classes-1 && pick >= byClass[d.Class].share {
		pick -= byClass[d.Class].share
		d.Class++
	}
	t := &byClass[d.Class]
	d.Up, d.Down = t.up, t.down
	loss := (1 - t.arrives) * math.Exp(lossSpread*rng.NormFloat64()-lossSpread*lossSpread/2)
	d.Arrives = 1 - min(loss, worstLoss)
	floor := t.floor * math.Exp(floorSpread*rng.NormFloat64())
	if d.Battery = rng.Float64() < onBattery; d.Battery {
		d.Floor = max(shortest, int64(floor*float64(Hour)))
	}
	d.Death = min(Year, int64(rng.ExpFloat64()*float64(month)/attrition))
	d.fate = rng.Uint64()
	if s.Episodes {
		d.Episodes = episodes(rng, d.Death)
	}
	return d
}

// episodes are those of a process that has long been going on: the first may have begun before the year.
func episodes(rng *rand.Rand, until int64) []int64 {
	var starts []int64
	calm := func() int64 { return int64(rng.ExpFloat64() * float64(episodeEvery-episode)) }
	at := calm()
	if part := rng.Float64() * float64(episodeEvery); part < float64(episode) {
		at = -int64(part)
	}
	for ; at < until; at += episode + calm() {
		starts = append(starts, at)
	}
	return starts
}

// weights is where a device's weight stands in time; times that are asked for never go back.
type weights struct {
	device *Device
	next   int   // index of the first episode that is not over
	until  int64 // the weight stays so until then
	now    float64
}

func (d *Device) weights() weights {
	w := weights{device: d}
	w.to(0)
	return w
}

// to goes on to a time.
func (w *weights) to(at int64) float64 {
	for at >= w.until && w.until < never {
		starts := w.device.Episodes
		for w.next < len(starts) && starts[w.next]+episode <= at {
			w.next++
		}
		w.now, w.until = w.device.Weight, never
		if w.next < len(starts) {
			if w.until = starts[w.next]; w.until <= at {
				w.now, w.until = attention*w.device.Weight, starts[w.next]+episode
			}
		}
	}
	return w.now
}

// attention is until when the weight is raised; 0: it is not.
func (w *weights) attention() int64 {
	if w.now > w.device.Weight {
		return w.until
	}
	return 0
}
