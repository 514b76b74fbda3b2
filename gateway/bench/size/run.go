package size

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/train"
)

// Options say what is measured.
type Options struct {
	Data    string // folder of the known traces; what it lacks is passed over with a message
	Traces  string // folder of CSV files that nothing is known of; "": none
	Devices []int  // for the speed of opening and decoding; none: 1,000, 100,000 and 1,000,000
}

// Run measures. progress is told what begins, and what is passed over.
func Run(ctx context.Context, o Options, progress func(what string)) (*Figures, error) {
	traces, absent, err := load(o.Data)
	if err != nil {
		return nil, err
	}
	if len(absent) > 0 {
		progress(fmt.Sprintf("passed over, for they are not in %s: %s", o.Data, strings.Join(absent, ", ")))
	}
	traces = append(traces, synthetic()...)
	f := &Figures{Traces: make(map[string]*Figure, len(traces)), Transfer: make(map[string]float64), PassedOver: make(map[string]string)}
	var unusable []error
	passOver := func(name string, err error) {
		f.PassedOver[name] = err.Error()
		unusable = append(unusable, err)
		progress(fmt.Sprintf("passed over: %v", err))
	}
	unseen := 0 // of which there is at least one to measure
	if o.Traces != "" {
		unknown, err := loadUnknown(o.Traces, traces, passOver)
		if unseen = len(unknown); err == nil && unseen == 0 {
			err = errors.Join(unusable...)
		}
		if err != nil {
			return nil, err
		}
		traces = append(traces, unknown...)
	}
	var done []*prepared
	for i, tr := range traces {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("stopped: %w", err)
		}
		progress(fmt.Sprintf("%s: %d statuses of %d fields (%s)", tr.Name, len(tr.Rows), len(tr.Draft.Fields), strings.Join(tr.Notes, "; ")))
		p, err := prepare(tr)
		if tr.Unknown && (errors.Is(err, train.ErrRows) || errors.Is(err, errTooFew)) {
			passOver(tr.Name, err)
			if unseen--; unseen == 0 {
				return nil, errors.Join(unusable...)
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		if p.clipped > 0 {
			progress(fmt.Sprintf("%s: %d values are beyond their field's range, and are measured as its end", tr.Name, p.clipped))
		}
		one, err := p.figure(uint64(i))
		if err != nil {
			return nil, err
		}
		f.order, f.Traces[tr.Name] = append(f.order, tr.Name), one
		done = append(done, p)
	}
	if err := f.transfers(done); err != nil {
		return nil, err
	}
	return f, f.speeds(ctx, o, done, progress)
}

// transfers holds the templates of the lake buoys against each other.
func (f *Figures) transfers(done []*prepared) error {
	for _, from := range done {
		for _, to := range done {
			if from == to || !lakes[from.Name] || !lakes[to.Name] {
				continue
			}
			extra, err := transfer(from, to)
			if err != nil {
				return err
			}
			f.Transfer[from.Name+" to "+to.Name] = extra
		}
	}
	return nil
}

// speeds measures with the statuses of the tank.
func (f *Figures) speeds(ctx context.Context, o Options, done []*prepared, progress func(what string)) error {
	if o.Devices == nil {
		o.Devices = []int{1000, 100_000, 1_000_000}
	}
	for _, p := range done {
		if p.Name != "tank" {
			continue
		}
		for _, n := range o.Devices {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("stopped: %w", err)
			}
			progress(fmt.Sprintf("open and decode: %d devices", n))
			s, err := speed(p, n)
			if err != nil {
				return err
			}
			f.Speeds, f.OpenPerSecond, f.Allocs = append(f.Speeds, s), s.PerSecond, s.Allocs
		}
	}
	return nil
}

// Compare measures a template on statuses of one device, in the order of time, from the one numbered cut on. Those before it, of which there must be
// one at least, are what the dictionary and the entropy bound learn from.
func Compare(t *codec.Template, statuses []codec.Status, cut int) (*Figure, error) {
	if cut < 1 || cut >= len(statuses) {
		return nil, fmt.Errorf("%w: %d statuses of %d to learn from", errTooFew, cut, len(statuses))
	}
	p := prepared{Trace: &Trace{Name: "data"}, t: t, statuses: statuses, cut: cut}
	return p.sizes()
}

// figure measures a trace.
func (p *prepared) figure(seed uint64) (*Figure, error) {
	f, err := p.sizes()
	if err != nil {
		return nil, err
	}
	if f.Day, err = p.day(); err != nil {
		return nil, err
	}
	return f, p.heartbeat(f, seed)
}

func (p *prepared) sizes() (*Figure, error) {
	single, err := p.packed(p.t, 1)
	if err != nil {
		return nil, err
	}
	b, err := p.bounds()
	if err != nil {
		return nil, fmt.Errorf("trace %s: %w", p.Name, err)
	}
	f := &Figure{
		PayloadMean: single.mean(1), PayloadP95: single.p95(), EntropyMean: b.bits, ModelMean: b.model, WholeMean: b.whole, FloorMean: b.floor,
		FrameMean4: single.frames(4).mean(1), FrameP95Tag4: single.frames(4).p95(),
		FrameMean8: single.frames(8).mean(1), FrameP95Tag8: single.frames(8).p95(),
	}
	f.Ratio, f.ModelRatio = ratio(f.PayloadMean, f.EntropyMean), ratio(f.ModelMean, f.EntropyMean)
	f.WholeRatio, f.FloorRatio = ratio(f.WholeMean, f.EntropyMean), ratio(f.FloorMean, f.EntropyMean)
	for _, b := range []struct {
		each        int
		mean, ratio *float64
	}{{batchSmall, &f.Batch10Mean, &f.Batch10Ratio}, {batchLarge, &f.Batch24Mean, &f.Batch24Ratio}} {
		l, err := p.packed(p.t, b.each)
		if err != nil {
			return nil, err
		}
		*b.mean = l.mean(b.each)
		*b.ratio = ratio(*b.mean, f.EntropyMean)
	}
	if err := p.others(f); err != nil {
		return nil, err
	}
	f.JSONRatio = ratio(f.PayloadMean, f.Means["json"])
	return f, nil
}

// sampled is how many messages of a format are measured that takes milliseconds for each.
const sampled = 200

// others measures the other formats, single and in batches.
func (p *prepared) others(f *Figure) error {
	all := withVersions(p.statuses)
	list, err := formats(p.t, all[:p.cut])
	if err != nil {
		return fmt.Errorf("trace %s: %w", p.Name, err)
	}
	f.Means, f.Means10, f.Means24 = make(map[string]float64), make(map[string]float64), make(map[string]float64)
	for _, one := range list {
		for _, b := range []struct {
			each  int
			means map[string]float64
		}{{1, f.Means}, {batchSmall, f.Means10}, {batchLarge, f.Means24}} {
			var l lengths
			stride := b.each
			if one.slow {
				stride = max(stride, (len(all)-p.cut)/sampled)
			}
			for i := p.cut; i+b.each <= len(all); i += stride {
				m, err := one.many(p.t, all[i:i+b.each])
				if err != nil {
					return fmt.Errorf("trace %s, %s: %w", p.Name, one.name, err)
				}
				l = append(l, len(m))
			}
			b.means[one.name] = l.mean(b.each)
		}
	}
	return nil
}

// heartbeat measures the trace's heartbeat alone, on a fixed schedule: with the battery that was measured if there is one.
func (p *prepared) heartbeat(f *Figure, seed uint64) error {
	var volts []float64
	for i, field := range p.t.Fields() {
		if field.Name != "battery" || field.Scale != decimal(1, -1) {
			continue
		}
		for _, s := range p.statuses {
			if s.Values[i].State != codec.NotMeasured {
				volts = append(volts, field.Float(s.Values[i]))
			}
		}
	}
	h, err := prepare(heartbeat(p.Name, 1000+seed, volts))
	if err != nil {
		return err
	}
	l, err := h.packed(h.t, 1)
	f.HeartbeatP95Tag4, f.HeartbeatP95Tag8 = l.frames(4).p95(), l.frames(8).p95()
	return err
}
