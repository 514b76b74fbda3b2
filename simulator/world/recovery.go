package world

import "time"

// recovery measures how long it takes until all is well again after something went wrong: for a device, until a frame of it is stored; for the
// gateway and its stream, until the gateway runs and the stream has all that it has to say.
type recovery struct {
	open []wound
	took map[string][]time.Duration // by kind
}

// wound is something that went wrong and is not well yet.
type wound struct {
	kind string
	from time.Time // when its cause was over
	m    *mobile   // nil: the gateway, or its stream
}

// hurt notes what an incident did.
func (w *world) hurt(kind string) {
	from := w.now
	if w.ends.After(from) {
		from = w.ends
	}
	for _, m := range w.met {
		w.recovery.open = append(w.recovery.open, wound{kind, from, m})
	}
	if len(w.met) == 0 {
		w.recovery.open = append(w.recovery.open, wound{kind: kind, from: from})
	}
}

// well closes the wounds of a device, or, with nil, those of the gateway.
func (r *recovery) well(now time.Time, m *mobile) {
	left := r.open[:0]
	for _, x := range r.open {
		if x.m != m || now.Before(x.from) {
			left = append(left, x)
			continue
		}
		r.took[x.kind] = append(r.took[x.kind], now.Sub(x.from))
	}
	clear(r.open[len(left):])
	r.open = left
}
