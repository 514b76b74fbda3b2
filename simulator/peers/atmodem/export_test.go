package atmodem

import "time"

// Bench is a modem without a terminal, in a time of its own.
type Bench struct {
	o   Options
	m   *machine
	Now time.Time
}

// NewBench makes a modem that has been running for a while.
func NewBench(o Options) *Bench {
	b := &Bench{o: o, Now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	b.o.Now = func() time.Time { return b.Now }
	b.o.setDefaults()
	if err := b.o.validate(); err != nil {
		panic(err)
	}
	b.m = newMachine(&b.o, b.Now)
	return b
}

// Type types and returns what the modem sends at once. A cable that a fault pulled is put back when its time has come.
func (b *Bench) Type(s string) string {
	b.m.Input([]byte(s))
	return b.poll()
}

func (b *Bench) poll() string {
	var out []byte
	for range 1 << 16 {
		e := b.m.Poll(b.Now)
		out = append(out, e.Out...)
		for _, f := range e.Calls {
			f()
		}
		if e.Plug {
			b.m.Plug(b.Now)
		}
		if len(e.Out) == 0 && len(e.Calls) == 0 && !e.Plug {
			return string(out)
		}
	}
	panic("modem does not come to rest")
}

// Pass lets time pass, stopping whenever the modem asked for it, and returns what it sent.
func (b *Bench) Pass(d time.Duration) string {
	out, end := b.poll(), b.Now.Add(d)
	for range 1 << 16 {
		wake := b.m.wake(b.Now)
		if wake.IsZero() || wake.After(end) {
			b.Now = end
			return out + b.poll()
		}
		b.Now = later(wake, b.Now)
		out += b.poll()
	}
	panic("modem does not let time pass")
}

// Deliver is Modem.Deliver.
func (b *Bench) Deliver(msg Message) error { return b.m.deliver(b.Now, msg) }

// Stats is Modem.Stats.
func (b *Bench) Stats() Stats { return b.m.snapshot() }

// Bounded reports whether what the modem holds is within its limits.
func (b *Bench) Bounded() bool {
	return len(b.m.in) <= inMax && len(b.m.typed) <= lineMax+1 && (b.m.entry == nil || len(b.m.entry.text) <= entryMax) && len(b.m.urcs)+len(b.m.held) <= urcsMax
}

// Parsed is a parsed command.
type Parsed struct {
	Name, Args string
	Verb       int
}

// ParseLine is parseLine.
func ParseLine(s string) ([]Parsed, error) {
	var out []Parsed
	commands, err := parseLine(s)
	for _, c := range commands {
		out = append(out, Parsed{c.name, c.args, int(c.verb)})
	}
	return out, err
}

// Params are the parameters of a parsed command.
func (p Parsed) Params() []string { return (&command{args: p.Args}).params() }
