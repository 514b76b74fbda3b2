package device

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
)

// ErrConfig is wrapped by the error for a device that cannot exist.
var ErrConfig = errors.New("device configuration")

// knownAfter is how many frames carry the connection id on a link that names the device itself, so that the gateway learns the address.
const knownAfter = 8

// A Config is what a device is when it leaves the factory. All fields but those with a default must be set.
type Config struct {
	Number   uint32
	Key      [32]byte // of the device
	Template *codec.Template
	Product  string
	Version  string           // of its firmware
	Releases map[uint8]string // of the product: version indices, for statuses that name the version
	Build    []byte
	Hardware string
	Links    []string // bearers
	Ways     []Way    // two or more: in the order in which they are tried until a policy says otherwise; Links and Stored follow

	CTRBits uint8 // low bits of the counter on air: 8 or 16
	TagLen  uint8 // 4 or 8

	// Stored says that the link keeps what it took until it is delivered, and says so (SMS): nothing is repeated unless Failed is
	// called, and after the first frames the link's own address names the device. Otherwise frames are repeated until acknowledged.
	Stored bool

	// Unnamed says that the link names no senders: each frame carries the connection id.
	Unnamed bool

	NoClock bool // it does not know the time before the gateway tells it

	Interval   time.Duration // between statuses
	Speed      float64       // how much faster the world turns than the clock; 0 means 1
	Retry      time.Duration // before the first repeat; doubled for each further one; 0 means 2 s
	RetryMax   time.Duration // 0 means 1 min
	PendingMax int           // frames kept until acknowledged; 0 means 64. When it is reached nothing new is measured
	Silence    time.Duration // without an answer before the device asks for a new epoch; 0 means 1 h
	Seed       uint64

	Sample    time.Duration  // between readings; those between two statuses go along where they cost nothing; 0: there are none
	Bearer    session.Bearer // 0 means that of a text message where it is Stored, else that each byte counts
	Deadbands session.Deadbands

	UplinkMax  int // bytes of a frame that the link carries; 0 means 140 where it is Stored, else 1,200
	Thresholds []Threshold

	Chatter     time.Duration // between two messages of the application; 0: it says nothing by itself
	Report      time.Duration // between two large ones
	ReportBytes int           // of a large one

	SIM     string    // its card; with another one it begins to say its connection id again
	Power   *Power    // nil: it never runs out
	Dies    time.Time // zero: not by itself; it may still be that its battery ends
	Retires time.Time // zero: it is not planned

	FreeMemory uint64 // for an image and its copy; 0 means 512 KiB
	Rate       uint64 // bytes a second at which an image is fetched; 0 means 64 KiB
	Owner      Owner
	Deferral   time.Duration // of an owner who puts an update off; 0 means 8 h
	Mishaps    Mishaps
	Images     map[string]Image // versions with mishaps of their own
	Publisher  *Publisher       // nil: it installs what it is offered, whoever made it
}

func (c *Config) setDefaults() {
	c.equip()
	if c.Speed == 0 {
		c.Speed = 1
	}
	if c.Retry == 0 {
		c.Retry = 2 * time.Second
	}
	if c.RetryMax == 0 {
		c.RetryMax = time.Minute
	}
	if c.PendingMax == 0 {
		c.PendingMax = 64
	}
	if c.Silence == 0 {
		c.Silence = time.Hour
	}
	if c.UplinkMax == 0 {
		c.UplinkMax = uplinkDefault
		if c.Stored {
			c.UplinkMax = uplinkStored
		}
	}
	if c.Bearer == (session.Bearer{}) {
		c.Bearer.Maximum = c.UplinkMax
		if c.Stored {
			c.Bearer.Quantum = c.UplinkMax
		}
	}
	if c.FreeMemory == 0 {
		c.FreeMemory = 512 << 10
	}
	if c.Rate == 0 {
		c.Rate = 64 << 10
	}
	if c.Deferral == 0 {
		c.Deferral = ownerDefers
	}
}

func (c *Config) validate() error {
	switch {
	case c.Template == nil:
		return fmt.Errorf("no template: %w", ErrConfig)
	case c.CTRBits != 8 && c.CTRBits != 16:
		return fmt.Errorf("counter of %d bits: %w", c.CTRBits, ErrConfig)
	case c.TagLen != 8 && (c.TagLen != 4 || !c.Stored || len(c.Ways) > 0):
		return fmt.Errorf("tag of %d bytes on this link: %w", c.TagLen, ErrConfig)
	case c.Interval <= 0 || c.Retry <= 0 || c.RetryMax < c.Retry || c.PendingMax < 1 || c.Speed < 0 || c.Silence < 0:
		return fmt.Errorf("interval %s, retry %s to %s, %d pending: %w", c.Interval, c.Retry, c.RetryMax, c.PendingMax, ErrConfig)
	case c.UplinkMax < 2*overheadMax || c.ReportBytes < 0 || c.ReportBytes >= codec.FragmentedMax || c.Chatter < 0 || c.Report < 0 || c.Sample < 0:
		return fmt.Errorf("frames of %d bytes, messages of %d: %w", c.UplinkMax, c.ReportBytes, ErrConfig)
	}
	errs := []error{c.Mishaps.Validate()}
	for _, i := range c.Images {
		errs = append(errs, i.Mishaps.Validate())
	}
	if c.Power != nil {
		errs = append(errs, c.Power.validate())
	}
	return errors.Join(errs...)
}

// A Device is one device between two restarts. Not safe for concurrent use.
type Device struct {
	config Config
	state  State
	world  *World
	rng    *rand.Rand
	boots  uint32
	known  uint8

	session  session.Device
	current  keys
	previous keys
	joinKey  [32]byte
	join     joining
	silent   int       // attempts to join because nobody answered
	heard    time.Time // when somebody last did
	answered bool      // since the last Poll
	owed     bool      // a hello, in a new epoch
	anew     []pending // to be sealed in it

	ways    []int     // places in Config.Ways, in the order in which they are tried
	pending []pending // in the order of their counters
	quiet   bool      // makes nothing new
	status  time.Time // when the next status is due
	last    time.Time // when the last was taken
	skipped uint64
	inbox   [][]byte

	orders    orders
	policy    codec.Policy // in force
	agreed    Blob         // as it is remembered
	receipts  uint8        // statuses that are still to say which policy that is
	restarted bool         // since the last status
	clock     clock

	version  string
	update   Update
	software [2]Software
	logging  bool   // a step log is under way
	raised   []bool // by threshold
	parts    parts
	told     [][]byte // messages of the application that wait
	parcels  []*parcel
	set      uint8
	chatter  time.Time // when the application says something next
	report   time.Time

	statuses statuses
	sample   time.Time      // when the next reading is due that is no status
	backlog  []codec.Status // readings that were not sent, oldest first
}

// New boots a device with what its memory holds; the zero Memory is that of a new one. Its first frame is a hello.
func New(c Config, m Memory, now time.Time) (*Device, error) {
	c.setDefaults()
	if err := c.validate(); err != nil {
		return nil, err
	}
	w := NewWorld(c.Seed, now)
	if c.Power != nil {
		w.supply.equip(*c.Power)
	}
	return boot(c, m, w, now)
}

// boot starts a device in a world.
func boot(c Config, m Memory, w *World, now time.Time) (*Device, error) {
	w.boot, w.supply.off = w.now, false
	if m.SIM != c.SIM {
		m.Known = 0
	}
	m.BootCount++
	d := &Device{
		config: c, boots: m.BootCount, known: m.Known, world: w,
		rng:     rand.New(rand.NewPCG(c.Seed, uint64(m.BootCount))), //nolint:gosec // repeatable
		session: session.NewDevice(m.Memory, c.CTRBits), joinKey: codec.DeriveJoinKey(&c.Key, c.Number), last: now, heard: now,
		version: cmp.Or(m.Version, c.Version), restarted: true, update: m.Update, software: m.Software, set: m.Set, raised: make([]bool, len(c.Thresholds)), parts: parts{state: m.Parts},
	}
	if err := d.parts.whole.Load([]byte(m.Parts)); err != nil {
		return nil, fmt.Errorf("device %d: %w", c.Number, err)
	}
	for i := range c.Ways {
		d.ways = append(d.ways, i)
	}
	d.update.News = d.update.Count > 0 // whether a log of it was under way is forgotten
	w.supply.drain = d.update.Later.Watts
	if err := d.recall(&m); err != nil {
		return nil, err
	}
	d.chatter, d.report = d.soon(now, c.Chatter), d.soon(now, c.Report)
	d.clock.sure = !c.NoClock
	d.derive()
	// Devices that are switched on together must not all speak at once for ever.
	d.status = now.Add(time.Duration(d.rng.Float64() * float64(d.config.Interval)))
	if c.Sample > 0 {
		d.sample = now.Add(c.Sample)
	}
	if d.session.Blank {
		return d, nil // it must not seal anything before it joined
	}
	return d, d.hello(now)
}

// Number is the device's number.
func (d *Device) Number() uint32 { return d.config.Number }

// Memory is what permanent memory holds now: hand it to New to restart the device.
func (d *Device) Memory() Memory {
	return Memory{
		Memory: d.session.Memory, BootCount: d.boots, Known: d.known, SIM: d.config.SIM, Set: d.set, Version: d.version, Software: d.software, Parts: d.parts.state,
		Update: d.update, Policy: d.agreed, Receipts: d.receipts,
	}
}

// Epoch is the epoch that the device seals in.
func (d *Device) Epoch() uint32 { return d.session.Current.Number }

// Pending is the number of frames that are not acknowledged.
func (d *Device) Pending() int { return len(d.pending) }

// Skipped is the number of statuses that were not taken because PendingMax was reached.
func (d *Device) Skipped() uint64 { return d.skipped }

// Quiet stops new statuses; what is pending is repeated as before.
func (d *Device) Quiet() { d.quiet = true }

// A Frame names a frame of a device.
type Frame struct {
	Epoch   uint32
	Counter uint64
}

// A Transmission is one payload to send now. The payload belongs to the device and does not change while it is pending.
type Transmission struct {
	Frame
	Join    bool      // it is no frame: the device asks for a new epoch
	Way     int       // in Config.Ways, that is to carry it
	Try     int       // 1 for the first
	Made    time.Time // when its content was; zero for a join
	Payload []byte
}

// Poll takes a status if one is due and returns what is to be sent now, oldest first, and the time of the next call. The zero time
// means that nothing is due before something is received or reported.
func (d *Device) Poll(now time.Time) (out []Transmission, wake time.Time, err error) {
	if again, alive, err := d.lives(now); !alive || err != nil {
		return nil, again, err
	}
	if d.answered {
		d.heard, d.answered, d.silent = now, false, 0
	}
	if err := d.greet(now); err != nil {
		return nil, time.Time{}, err
	}
	if err := d.obey(now); err != nil {
		return nil, time.Time{}, err
	}
	if err := d.work(now); err != nil {
		return nil, time.Time{}, err
	}
	if d.state != Working { // an update switched it off
		wake, _, err = d.lives(now)
		return nil, wake, err
	}
	if !d.quiet {
		wake = d.nextWork()
	}
	joins, at := d.pollJoin(now)
	out = append(out, joins...)
	if !at.IsZero() && (wake.IsZero() || at.Before(wake)) {
		wake = at
	}
	for i := range d.pending {
		p := &d.pending[i]
		if !p.due.IsZero() && !now.Before(p.due) {
			d.fallBack(p)
			p.due = d.after(now, p)
			out = append(out, Transmission{Frame: p.frame, Way: d.way(p), Try: p.tries, Made: p.made, Payload: p.payload})
			d.world.supply.consume(1, len(p.payload))
		}
		if !p.due.IsZero() && (wake.IsZero() || p.due.Before(wake)) {
			wake = p.due
		}
	}
	return out, wake, nil
}

// work does what the device does by itself: it puts together what came, measures, goes on with an update, and has its application speak.
func (d *Device) work(now time.Time) error {
	if err := d.assemble(now); err != nil {
		return err
	}
	if !d.quiet && !d.looping() {
		if err := d.gather(now); err != nil {
			return err
		}
	}
	if o := d.orders.offer; o != nil {
		d.orders.offer = nil
		d.begin(now, o)
	}
	if err := d.install(now); err != nil || d.state != Working {
		return err
	}
	if err := d.journal(now); err != nil {
		return err
	}
	d.chat(now)
	return d.speak(now)
}

// gather takes a status if one is due, by the interval or by a burst programme, or else a reading.
func (d *Device) gather(now time.Time) error {
	regular := !now.Before(d.status)
	if !d.update.Burst.due(now) && !regular {
		if !d.sample.IsZero() && !now.Before(d.sample) {
			d.read(now)
		}
		return nil
	}
	if err := d.measure(now); err != nil || !regular {
		return err
	}
	d.status = d.status.Add(d.config.Interval)
	if d.status.Before(now) { // the caller slept: no burst to catch up
		d.status = now.Add(d.config.Interval)
	}
	return nil
}

// nextWork is when the device has something to do by itself.
func (d *Device) nextWork() time.Time {
	wake := d.status
	if d.session.Blank {
		return wake // it has nothing to say before it has joined
	}
	own := []time.Time{d.chatter, d.report, d.sample, d.update.Burst.next(), d.update.Later.next()}
	if d.looping() { // it never gets to its work
		wake, own = d.update.Later.next(), nil
	}
	for _, at := range own {
		if !at.IsZero() && at.Before(wake) {
			wake = at
		}
	}
	if at := time.UnixMilli(d.update.Due); d.update.Due != 0 && at.Before(wake) {
		wake = at
	}
	return wake
}

// helloHeader asks for an acknowledgement and says that the counter is whole.
var helloHeader = codec.MakeHeader(codec.KindExtended, 1, 1)

func (d *Device) hello(now time.Time) error {
	plaintext, err := codec.AppendHello(nil, &codec.Hello{
		Version: d.version, Build: d.build(), Product: d.config.Product, Hardware: d.config.Hardware,
		FreeMemory: d.config.FreeMemory, BootCount: d.boots, ResetCause: 1, Links: d.config.Links,
		Templates: []codec.TemplateHash{codec.TemplateHash(d.config.Template.Hash())}, Counter: d.session.Upcoming(),
	})
	if err != nil {
		return fmt.Errorf("device %d: %w", d.config.Number, err)
	}
	return d.enqueue(now, helloHeader, plaintext, nil)
}
