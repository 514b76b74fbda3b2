package verdict

import (
	"errors"
	"fmt"
	"slices"

	"github.com/godwit-gateway/godwit/scheduler/presence"
)

// Place names a device: a small dense number that the caller gives.
type Place = uint32

// A Group is what an update may harm while it spares others.
type Group struct {
	Product uint16
	From    uint16 // the version that the device ran when the rollout began, by any numbering of the caller
}

// A Stratum is what devices have in common that are compared with each other.
type Stratum struct {
	Group
	Link uint8 // index in Config.Links
}

// A Config says what a rollout is judged by. The zero value of a probability is its default.
type Config struct {
	Alpha    float64 // probability of halting an update that does no harm; 0: 0.01
	Beta     float64 // probability of promoting one that silences a share of Excess; 0: 0.05
	Excess   float64 // share of silenced devices that is to be excluded before a wave opens; 0: 0.03
	Failures float64 // share of updates that may report a failure without harm; 0: 0.005
	Groups   []Group // those of the rollout's devices, none twice; others count in what is common to all
	Links    []presence.Link
	Bursts   []presence.Burst
}

// ErrConfig is wrapped by errors about a Config that cannot be used, ErrSnapshot by those about bytes that are no snapshot of this package.
var (
	ErrConfig   = errors.New("unusable configuration of a verdict")
	ErrSnapshot = errors.New("no snapshot of a verdict")
)

// check fills in defaults.
func (c *Config) check() error {
	for _, p := range []struct {
		value *float64
		usual float64
	}{{&c.Alpha, 0.01}, {&c.Beta, 0.05}, {&c.Excess, 0.03}, {&c.Failures, 0.005}} {
		if *p.value == 0 {
			*p.value = p.usual
		}
		if !(*p.value > 0 && *p.value < 0.5) {
			return fmt.Errorf("alpha %g, beta %g, excess %g, failures %g: want more than 0 and less than 0.5: %w", c.Alpha, c.Beta, c.Excess, c.Failures, ErrConfig)
		}
	}
	if len(c.Links) == 0 || len(c.Links) > 256 || len(c.Bursts) > 255 || len(c.Groups) == 0 || (len(c.Groups)+1)*len(c.Links) > 1<<16 {
		return fmt.Errorf("%d links, %d bursts, %d groups: %w", len(c.Links), len(c.Bursts), len(c.Groups), ErrConfig)
	}
	for i, g := range c.Groups {
		if slices.Contains(c.Groups[:i], g) {
			return fmt.Errorf("group %v twice: %w", g, ErrConfig)
		}
	}
	for _, b := range c.Bursts {
		if len(b) > 16 || !slices.IsSorted(b) {
			return fmt.Errorf("burst %v, want at most 16 contacts, ascending: %w", b, ErrConfig)
		}
	}
	return nil
}

const (
	hour = 3600
	day  = 24 * hour
	tick = 300 // seconds: nothing is decided between two of them
)

// A Judge weighs what is heard during one rollout. It belongs to one goroutine, or to who holds its lock.
type Judge struct {
	config Config
	hazard []float64 // of each group and of others, in a second
	links  []link

	base   int64  // Unix seconds at second 0
	tick   uint32 // up to which all is decided
	strata []stratum
	groups map[Group]int // in Config.Groups
	pages  []*page
	timers timers

	vetoes    []attempts // of each link
	linkPast  []past     // of each link: how controls do of late
	groupPast []past     // of each group
	evidence  []evidence // of each group, then of all others
	common    commonEvidence
	decision  decision
	falls     [spans]int64 // devices by when after the update they were first silent
	usual95   quantiles    // as far as they were asked for
}

// New is a Judge for a rollout that starts now. What the living miss as usual is read from the model once, so that neither the rollout nor a restart
// changes what it is held against. The model has the same links as the Config.
func New(now int64, c Config, m *presence.Model) (*Judge, error) {
	c.Groups, c.Links, c.Bursts = slices.Clone(c.Groups), slices.Clone(c.Links), slices.Clone(c.Bursts)
	if err := c.check(); err != nil {
		return nil, err
	}
	j := &Judge{base: now - now%tick - tick, tick: 1, config: c}
	const month = 30.4375 * day
	for _, g := range c.Groups {
		j.hazard = append(j.hazard, m.Attrition(int(g.Product))/month)
	}
	j.hazard = append(j.hazard, slices.Max(j.hazard))
	for i, l := range c.Links {
		j.links = append(j.links, newLink(l, uint8(i), m))
	}
	j.prepare()
	return j, nil
}

// Links are those of the Config, not to be changed.
func (j *Judge) Links() []presence.Link { return j.config.Links }

// Groups are those of the Config, not to be changed.
func (j *Judge) Groups() []Group { return j.config.Groups }

// Vetoed reports whether the caller said of a link that it is out, and not that it is back.
func (j *Judge) Vetoed() bool {
	return slices.ContainsFunc(j.vetoes, func(a attempts) bool { return a.told })
}

// Burst is a programme of Config.Bursts, none if there is none at the index.
func (j *Judge) Burst(i int) presence.Burst {
	if i < 0 || i >= len(j.config.Bursts) {
		return nil
	}
	return j.config.Bursts[i]
}

// prepare makes room for what is counted.
func (j *Judge) prepare() {
	j.prepareStrata()
	groups := len(j.config.Groups) + 1
	j.vetoes, j.linkPast = make([]attempts, len(j.links)), make([]past, len(j.links))
	j.groupPast, j.evidence = make([]past, groups), make([]evidence, groups)
}
