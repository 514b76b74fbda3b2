package world

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/simulator/device"
	"github.com/godwit-gateway/godwit/simulator/radio"
	"github.com/godwit-gateway/godwit/transports"
)

// A Setup is a world before it begins.
type Setup struct {
	Seed    uint64
	Start   time.Time     // zero: the first of January 2026
	Length  time.Duration // how long it is played before everything is healed
	Publish time.Duration // between two rounds of the publisher; 0 means 15 s
	Stream  time.Duration // how long messages stay on the stream, at least two days; 0: for ever
	Keep    time.Duration // how long frames stay in the store; 0 means 400 days

	Products  []hub.Product
	Schedule  hub.Schedule // of the gateway
	Links     []Link
	Groups    []Group
	Incidents []Incident // planned
	Releases  []Release  // software that devices may be offered
	Rollouts  []Rollout  // that operators drive
	Chaos     bool       // beside them everything that may fail does, at random
	Without   []string   // kinds of incidents that chaos leaves out

	Server Server        // of the stream; nil: a model of one, which can do worse
	Watch  Watcher       // nil: nobody
	Sample time.Duration // between two samples; 0: none are taken
	Log    *slog.Logger  // of the gateway; nil: none
}

// A Link is a way between devices and the gateway, as the gateway's configuration has it.
type Link struct {
	Name    string
	Bearer  transports.Bearer
	Ack     hub.AckPolicy
	Metered bool
	Limits  transports.Limits
	// Keeps says that the network keeps what the gateway has not taken, and tells the device that it took a payload. Otherwise both are
	// datagrams, and lost is lost.
	Keeps bool
	// Linger is how long payloads gather before the gateway takes them together, as with a modem that is polled; 0: each is taken at once.
	Linger time.Duration
}

// A Group is a number of devices that are the same but for what they draw.
type Group struct {
	Name     string
	Count    int
	First    uint32 // number of its first device; the numbers of groups must not meet
	Product  string // of Setup.Products
	Customer string // "": acme
	Link     string // of Setup.Links
	Region   string // in which operators say that it is; "": they do not
	// Attrition is how many of its devices break for good within a year, as a part of those that are left; it may be above 1.
	Attrition float64
	Device    device.Config // of each of them; number, key, seed, template, product and bearers are filled in
	Up, Down  radio.Model
	Others    []Bearer // further links of each device, in the order in which it falls back on them until a policy says otherwise
}

// A Bearer is a link of a device and what carries its payloads there.
type Bearer struct {
	Link     string // of Setup.Links
	Up, Down radio.Model
}

// othersMost is how many further links a device may have: planning knows four.
const othersMost = 3

// An Incident is planned for a moment of a world.
type Incident struct {
	Kind    string        // of Kinds
	At      time.Duration // after the start
	For     time.Duration // where it lasts
	Group   string        // whom it meets, where it meets devices; "": all
	Link    string        // that fails, where it is an outage; "": all
	Share   float64       // of the group, 0 to 1; 0 means all of it
	Version string        // that is offered, where it is an offer
	Factor  float64       // by which devices count for more, where they have attention
}

// Errors of a run.
var (
	ErrSetup     = errors.New("world cannot be")
	ErrBroken    = errors.New("invariant is broken")
	errNotHealed = errors.New("world did not recover")
)

func (s *Setup) setDefaults() {
	if s.Start.IsZero() {
		s.Start = birth
	}
	if s.Publish == 0 {
		s.Publish = publishEvery
	}
	if s.Keep == 0 {
		s.Keep = 400 * 24 * time.Hour
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
}

// schedule is that of the gateway, with the regions of the groups.
func (s *Setup) schedule() hub.Schedule {
	schedule := s.Schedule
	for i := range s.Groups {
		if g := &s.Groups[i]; g.Region != "" {
			schedule.Core.Regions = append(schedule.Core.Regions, core.Region{Name: g.Region, First: g.First, Last: g.First + uint32(g.Count) - 1}) //nolint:gosec // above zero
		}
	}
	return schedule
}

// Validate reports everything that makes no sense.
func (s *Setup) Validate() error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%w: "+format, append([]any{ErrSetup}, args...)...))
	}
	if s.Length <= 0 || s.Publish < 0 || s.Keep < 0 || s.Stream < 0 || s.Sample < 0 {
		bad("it is played for %s, publishes every %s, keeps frames for %s, is looked at every %s", s.Length, s.Publish, s.Keep, s.Sample)
	}
	if s.Stream > 0 && s.Stream < 48*time.Hour {
		bad("messages stay on the stream for %s: the gateway looks back for a day", s.Stream)
	}
	if len(s.Groups) == 0 {
		bad("it has no devices")
	}
	products, links, groups := make(map[string]bool), make(map[string]*Link), make(map[string]bool)
	for i := range s.Products {
		products[s.Products[i].Name] = true
	}
	for i := range s.Links {
		links[s.Links[i].Name] = &s.Links[i]
		if l := &s.Links[i]; l.Linger < 0 || l.Limits.UplinkMax < 1 || l.Limits.DownlinkMax < 1 {
			bad("link %s gathers payloads for %s, and carries %d and %d bytes", l.Name, l.Linger, l.Limits.UplinkMax, l.Limits.DownlinkMax)
		}
	}
	for i := range s.Groups {
		g := &s.Groups[i]
		switch {
		case g.Name == "" || groups[g.Name]:
			bad("group %d is called %q, want a name of its own", i+1, g.Name)
		case g.Count < 1 || g.First == 0 || uint64(g.First)+uint64(g.Count) > 1<<32 || !(g.Attrition >= 0):
			bad("group %s has %d devices from number %d on, of which a part of %v breaks within a year", g.Name, g.Count, g.First, g.Attrition)
		case !products[g.Product]:
			bad("group %s is of product %q, which is not there", g.Name, g.Product)
		case links[g.Link] == nil:
			bad("group %s speaks over link %q, which is not there", g.Name, g.Link)
		}
		groups[g.Name] = true
		for k := range i {
			if o := &s.Groups[k]; g.First < o.First+uint32(o.Count) && o.First < g.First+uint32(g.Count) { //nolint:gosec // checked above
				bad("groups %s and %s have numbers in common", o.Name, g.Name)
			}
		}
		errs = append(errs, g.Up.Validate(), g.Down.Validate())
		errs = append(errs, g.validateBearers(links)...)
	}
	return errors.Join(append(errs, s.validateIncidents(groups), s.validateUpdates())...)
}

func (s *Setup) validateIncidents(groups map[string]bool) error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%w: "+format, append([]any{ErrSetup}, args...)...))
	}
	for _, name := range s.Without {
		if kindOf(name) == nil {
			bad("%q is left out, and is none of %v", name, Kinds())
		}
	}
	for i := range s.Incidents {
		f := &s.Incidents[i]
		switch k := kindOf(f.Kind); {
		case k == nil:
			bad("incident %d is a %q, want one of %v", i+1, f.Kind, Kinds())
		case f.At < 0 || f.At > s.Length || f.For < 0 || f.Share < 0 || f.Share > 1:
			bad("incident %d, %s, is at %s for %s on a share of %v", i+1, f.Kind, f.At, f.For, f.Share)
		case f.Link != "" && !slices.ContainsFunc(s.Links, func(l Link) bool { return l.Name == f.Link }):
			bad("incident %d, %s, meets link %q, which is not there", i+1, f.Kind, f.Link)
		case f.Group != "" && !groups[f.Group]:
			bad("incident %d, %s, meets group %q, which is not there", i+1, f.Kind, f.Group)
		case f.Kind == Attention && (!(f.Factor >= 1 && f.Factor <= hub.AttentionMax) || f.For < time.Second):
			bad("incident %d, %s, makes devices count %v times as much for %s", i+1, f.Kind, f.Factor, f.For)
		}
	}
	return errors.Join(errs...)
}
