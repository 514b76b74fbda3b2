package size

import (
	"math"
	"math/rand/v2"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/train"
)

// source of randomness of a trace: repeatable.
func seeded(seed, stream uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, stream)) //nolint:gosec // a measurement must be repeatable
}

// Shape of the heartbeat that is added.
const (
	rebootRate  = 0.001  // per status
	updateRate  = 0.0005 // per status
	versionsMax = 60
)

// addHeartbeat adds what every device of ours reports and sources lack: battery (unless there is one), signal, uptime, and now and then a rare
// block with a new version or a reboot.
func (t *Trace) addHeartbeat(seed uint64) {
	rng := seeded(seed, 1)
	battery := true
	for i := range t.Draft.Fields {
		battery = battery && t.Draft.Fields[i].Name != "battery"
	}
	added := "signal, uptime and version are generated"
	if battery {
		added = "battery, " + added
		t.Draft.Fields = append(t.Draft.Fields, field("battery", "V", decimal(5, -2), 180, 7))
	}
	t.Notes = append(t.Notes, added)
	uptime := field("uptime", "s", decimal(3600, 0), 0, 16)
	uptime.Predictor = codec.PredictElapsed
	t.Draft.Fields = append(t.Draft.Fields, field("signal", "dBm", decimal(2, 0), -70, 6), uptime)
	for i := range t.Draft.Fields {
		t.Draft.Fields[i].ID = uint8(i + 1)
	}
	volts, signal, boot, version := 12.6, -85.0, t.Rows[0].Time-5000, uint8(1)
	t.Rare = make([]codec.Rare, len(t.Rows))
	for i := range t.Rows {
		r := &t.Rows[i]
		if battery {
			hour := float64(r.Time%86400) / 3600
			sun := math.Max(0, math.Sin((hour-6)/12*math.Pi))
			volts += 0.1*(12.3+0.7*sun-volts) + rng.NormFloat64()*0.01
			r.Values = append(r.Values, volts)
		}
		signal += 0.2*(-88-signal) + rng.NormFloat64()*1.5
		if rng.Float64() < updateRate {
			version = version%versionsMax + 1
			boot = r.Time - int64(rng.IntN(3600))
			t.Rare[i] = codec.Rare{Present: true, VersionIndex: version, BootChanged: true}
		} else if rng.Float64() < rebootRate {
			boot = r.Time - int64(rng.IntN(3600))
			t.Rare[i] = codec.Rare{Present: true, VersionIndex: version, BootChanged: true}
		}
		r.Values = append(r.Values, signal, math.Floor(float64(max(r.Time-boot, 0))/3600)*3600)
	}
}

// Lengths and times of synthetic traces.
const (
	syntheticRows  = 6000
	syntheticStart = 1_700_000_000
)

// synthetic are the traces that are generated whole.
func synthetic() []*Trace {
	traces := []*Trace{tank(21), fridge(22), heartbeat("heartbeat", 23, nil), tracker(24)}
	for _, t := range traces {
		t.Notes = append(t.Notes, "all of it is synthetic")
	}
	return traces
}

func generate(name string, seconds int64, fields []train.Field, next func(at int64) []float64) *Trace {
	t := &Trace{Name: name, Draft: train.Draft{AnyUnit: true, AnyInterval: true, Fields: fields}}
	for i := range int64(syntheticRows) {
		at := syntheticStart + i*seconds
		t.Rows = append(t.Rows, train.Row{Time: at, Values: next(at)})
	}
	return t
}

// heartbeat is a device that reports nothing else, on a fixed schedule. volts are those of a battery that was measured, if there is one.
func heartbeat(name string, seed uint64, volts []float64) *Trace {
	var fields []train.Field
	if len(volts) > 0 {
		fields = append(fields, field("battery", "V", decimal(1, -1), 50, 8))
	}
	i := -1
	t := generate(name, 3600, fields, func(int64) []float64 {
		if i++; len(volts) == 0 {
			return nil
		}
		return []float64{volts[i%len(volts)]}
	})
	t.addHeartbeat(seed)
	return t
}

// tank is a level that falls in working hours and is filled up, and a temperature.
func tank(seed uint64) *Trace {
	rng := seeded(seed, 7)
	level, temperature := 80.0, 10.0
	t := generate("tank", 3600, []train.Field{field("level", "%", decimal(1, -1), 0, 10), field("temperature", "Cel", decimal(5, -1), -80, 8)},
		func(at int64) []float64 {
			hour := float64(at%86400) / 3600
			if hour > 6 && hour < 20 && rng.Float64() < 0.3 {
				level -= rng.ExpFloat64() * 0.6
			}
			if level < 15 && rng.Float64() < 0.1 {
				level = 85 + rng.Float64()*10
			}
			temperature += 0.1*(12+6*math.Sin((hour-9)/24*2*math.Pi)-temperature) + rng.NormFloat64()*0.1
			return []float64{max(level+rng.NormFloat64()*0.04, 0), temperature}
		})
	t.addHeartbeat(seed)
	return t
}

// fridge has two temperatures that follow its compressor and its door, how often that was opened, and how warm the compressor is.
func fridge(seed uint64) *Trace {
	rng := seeded(seed, 7)
	phase := 0.0
	t := generate("fridge", 3600, []train.Field{
		field("temperature_1", "Cel", decimal(1, -1), -400, 10), field("temperature_2", "Cel", decimal(1, -1), -400, 10),
		field("door", "", decimal(1, 0), 0, 6), field("compressor", "Cel", decimal(1, 0), 0, 7),
	}, func(at int64) []float64 {
		phase += 0.9 + rng.NormFloat64()*0.2
		door := 0
		if hour := float64(at%86400) / 3600; hour > 7 && hour < 19 {
			door = int(rng.ExpFloat64() * 2)
		}
		base := 4 + 0.8*math.Sin(phase) + float64(door)*0.3
		return []float64{base + rng.NormFloat64()*0.1, base + 0.7 + rng.NormFloat64()*0.15, float64(door), float64((rng.IntN(60) + 200) / 10)}
	})
	t.addHeartbeat(seed)
	return t
}

// tracker stands, or drives about, with the noise of a receiver's position.
func tracker(seed uint64) *Trace {
	rng := seeded(seed, 7)
	latitude, longitude, speed, heading := 47.5, 8.5, 0.0, 0.0
	moving := false
	t := generate("tracker", 300, []train.Field{
		field("latitude", "deg", decimal(1, -5), -9_000_000, 25), field("longitude", "deg", decimal(1, -5), -18_000_000, 26),
		field("speed", "km/h", decimal(1, 0), 0, 8),
	}, func(int64) []float64 {
		if rng.Float64() < 0.1 {
			moving = !moving
		}
		if !moving {
			speed = 0
		} else {
			speed = math.Max(3, speed*0.7+rng.Float64()*30)
			heading += rng.NormFloat64() * 0.3
			latitude += math.Cos(heading) * speed / 3.6 * 300 / 111e3
			longitude += math.Sin(heading) * speed / 3.6 * 300 / 75e3
			latitude, longitude = min(max(latitude, 47.1), 47.9), min(max(longitude, 8.1), 8.9)
		}
		return []float64{latitude + rng.NormFloat64()*0.00002, longitude + rng.NormFloat64()*0.00002, speed}
	})
	t.addHeartbeat(seed)
	return t
}
