package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/godwit-gateway/godwit/simulator/check"
)

// Options say how large and how long a demo is. The zero value of a field gives its default.
type Options struct {
	For         time.Duration // 0: until ctx is done
	Devices     int           // 0: 24
	State       string        // folder that is kept and used again; "": a new one, removed at the end
	Seed        uint64
	Interval    time.Duration // between the statuses of a device on UDP; 0: 2 s
	SMSInterval time.Duration // the same on SMS and over satellites; 0: 8 s
	Speed       float64       // how much faster the weather changes than the clock; 0: 600, ten minutes a second
	Program     string        // that the lines to try begin with; "": godwit
	Log         *slog.Logger  // of the gateway
	Say         func(format string, args ...any)
	Progress    func(line string) // called every second
}

const (
	drainMax    = 60 * time.Second       // for devices to get their last acknowledgements, and for the outbox to run empty
	drainPoll   = 50 * time.Millisecond  // between two looks while draining
	settleAfter = 500 * time.Millisecond // the stream must stay as it is so long: a second event of a frame would come late
)

// ErrOptions is wrapped by the error for options that make no sense.
var ErrOptions = errors.New("options")

func (o *Options) setDefaults() error {
	if o.Devices == 0 {
		o.Devices = 24
	}
	if o.Interval == 0 {
		o.Interval = 2 * time.Second
	}
	if o.SMSInterval == 0 {
		o.SMSInterval = 8 * time.Second
	}
	if o.Speed == 0 {
		o.Speed = 600
	}
	o.Program = cmp.Or(o.Program, "godwit")
	if o.Devices < 1 || o.Devices > DevicesMax {
		return fmt.Errorf("%w: %d devices, want 1 to %d", ErrOptions, o.Devices, DevicesMax)
	}
	if o.Interval < 0 || o.SMSInterval < 0 || o.For < 0 || o.Speed < 0 {
		return fmt.Errorf("%w: durations and speed must not be negative", ErrOptions)
	}
	return nil
}

// demo is a demo while it runs.
type demo struct {
	o        Options
	site     *site
	flash    *flash
	ledger   *check.Ledger
	gateway  *gateway
	members  []member
	software *software
	release  int           // the trucks' release of this run
	rollout  atomic.Uint32 // that leads to it; 0: none yet
	watcher  *watcher
	udp      *udpFleet
	kept     []*keptFleet // all but UDP
	waiting  *waiting
	quiet    chan struct{}
	traffic  map[string]*traffic
}

// Run plays a demo to its end and returns its summary. The error is ErrBroken if the promise was not kept; then, too, there is a summary.
func Run(ctx context.Context, o Options) (*Summary, error) {
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	d := &demo{
		o: o, ledger: check.New(), waiting: newWaiting(), quiet: make(chan struct{}),
		traffic: map[string]*traffic{},
	}
	remove, err := d.prepare()
	if err != nil {
		return nil, err
	}
	summary, err := d.run(ctx)
	return summary, errors.Join(err, d.flash.close(), remove())
}
