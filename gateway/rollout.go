package main

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/gateway/api"
	"github.com/godwit-gateway/godwit/gateway/config"
)

type rolloutCmd struct {
	Plan   rolloutPlanCmd   `cmd:"" help:"Say what a rollout would be like, and change nothing."`
	Create rolloutCreateCmd `cmd:"" help:"Make a rollout, as a draft."`

	Submit   rolloutSubmitCmd   `cmd:"" help:"Ask for a rollout to be approved."`
	Approve  rolloutApproveCmd  `cmd:"" help:"Approve a rollout of somebody else."`
	Deny     rolloutDenyCmd     `cmd:"" help:"Deny a rollout."`
	Start    rolloutStartCmd    `cmd:"" help:"Begin an approved rollout."`
	Pause    rolloutPauseCmd    `cmd:"" help:"Offer nothing more for now."`
	Resume   rolloutResumeCmd   `cmd:"" help:"Go on with a rollout that was paused."`
	Halt     rolloutHaltCmd     `cmd:"" help:"Halt a rollout because of what was seen."`
	Override rolloutOverrideCmd `cmd:"" help:"Go on with a rollout that was halted."`
	Advance  rolloutAdvanceCmd  `cmd:"" help:"Open the next wave, whatever its gate says."`
	Stop     rolloutStopCmd     `cmd:"" help:"End a rollout for good."`
	Retry    rolloutRetryCmd    `cmd:"" help:"Offer the release anew to devices that did not take it."`

	List     rolloutListCmd     `cmd:"" help:"List rollouts."`
	Show     rolloutShowCmd     `cmd:"" help:"Show a rollout and its waves."`
	Watch    rolloutWatchCmd    `cmd:"" help:"Follow a rollout until it ends."`
	Report   rolloutReportCmd   `cmd:"" help:"Say how a rollout goes, who is silent, and whom to call."`
	Funnel   rolloutFunnelCmd   `cmd:"" help:"Show how far devices came, by step."`
	Adoption rolloutAdoptionCmd `cmd:"" help:"Show how devices stood over time."`
	Devices  rolloutDevicesCmd  `cmd:"" help:"List the devices of a rollout."`
}

// rolloutSpec are the options that describe a rollout.
type rolloutSpec struct {
	Product  string   `arg:"" help:"Of the release."`
	Version  string   `arg:"" help:"Of the release."`
	Name     string   `help:"For people; by default product and version." placeholder:"TEXT"`
	Wave     []string `help:"A wave: the share of the devices with all waves before it, then how long it is open at least, which share must have reported, proof, by-hand. The last is 100%." placeholder:"SHARE[,DURATION][,SHARE][,proof][,by-hand]" sep:"none"`
	HoldOut  string   `help:"Share of the devices that get nothing, to compare with." default:"0%" placeholder:"SHARE"`
	Customer []string `help:"Only devices of these customers."`
	From     []string `help:"Only devices that run these versions."`
	Device   []string `help:"Only these devices, by name or number."`
	Hardware []string `help:"Only devices of these hardware revisions."`
	Window   []string `help:"Offer only then, in UTC: 22-06, or mon,tue:22-06." placeholder:"[DAYS:]FROM-TO" sep:"none"`
	Link     []string `help:"Offer only over these links."`
	Soak     int      `help:"Contacts with the new version until it counts as confirmed." default:"3"`
	Deadline int      `help:"Contacts that a device should have made until it is given up." default:"50"`
	Consent  bool     `help:"Somebody at the device must agree."`
	Safe     bool     `help:"One device goes first, alone."`
	Remark   string   `help:"Why; it stands in the book of authorisations." placeholder:"TEXT"`
}

const wavesHelp = `Without --wave all devices are offered the release at once. A wave is open for a day at least, and 80 % of its devices
must have come to an end before the next one opens, unless it says otherwise. One with by-hand opens when somebody says so,
one with proof when the evidence speaks for it; for the others it is enough that nothing speaks against it.

`

// spec is the rollout that the options describe.
func (c *rolloutSpec) spec() (s api.RolloutSpec, err error) {
	s = api.RolloutSpec{
		Name: c.Name, Product: c.Product, Version: c.Version, Links: c.Link, Soak: c.Soak, Deadline: c.Deadline, Consent: c.Consent, Safe: c.Safe, Remark: c.Remark,
	}
	if s.Name == "" {
		s.Name = c.Product + " " + c.Version
	}
	s.Filter.Customers, s.Filter.From, s.Filter.Devices, s.Filter.Hardware = c.Customer, c.From, c.Device, c.Hardware
	if s.Soak < 1 || s.Soak > 100 {
		return s, fmt.Errorf("%w: --soak %d: want 1 to 100", errUsage, s.Soak)
	}
	if s.Deadline < 1 || s.Deadline > 1000 {
		return s, fmt.Errorf("%w: --deadline %d: want 1 to 1000", errUsage, s.Deadline)
	}
	if s.HoldOut, err = share(c.HoldOut); err != nil || s.HoldOut > 0.5 {
		return s, fmt.Errorf("%w: --hold-out %s: want a share up to 50%%", errUsage, c.HoldOut)
	}
	for _, text := range c.Wave {
		w, err := wave(text)
		if err != nil {
			return s, err
		}
		s.Waves = append(s.Waves, w)
	}
	if n := len(s.Waves); n > 0 && s.Waves[n-1].Share != 1 {
		return s, fmt.Errorf("%w: --wave %s: the last wave is 100%%", errUsage, c.Wave[n-1])
	}
	for _, text := range c.Window {
		w, err := window(text)
		if err != nil {
			return s, err
		}
		s.Windows = append(s.Windows, w)
	}
	return s, nil
}

// share reads 4% or 0.04.
func share(text string) (float64, error) {
	number, percent := strings.CutSuffix(text, "%")
	x, err := strconv.ParseFloat(number, 64)
	if percent {
		x /= 100
	}
	if err != nil || !(x >= 0 && x <= 1) {
		return 0, fmt.Errorf("%w: share %q: want one as 4%%", errUsage, text)
	}
	return x, nil
}

// wave reads SHARE[,DURATION][,SHARE][,proof][,by-hand].
func wave(text string) (w api.WaveSpec, err error) {
	parts := strings.Split(text, ",")
	if w.Share, err = share(parts[0]); err != nil || w.Share == 0 {
		return w, fmt.Errorf("%w: --wave %s: want a share above 0 and up to 100%% first, such as 4%%", errUsage, text)
	}
	for _, p := range parts[1:] {
		switch p {
		case "by-hand":
			w.ByHand = true
			continue
		case "proof":
			w.Proof = true
			continue
		}
		if d, err := config.ParseDuration(p); err == nil && d > 0 {
			w.Least = int64(d / time.Second)
			continue
		}
		if w.Reported, err = share(p); err != nil {
			return w, fmt.Errorf("%w: --wave %s: %q is no duration, share, proof or by-hand", errUsage, text, p)
		}
	}
	return w, nil
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// window reads [DAYS:]FROM-TO.
func window(text string) (w api.WindowSpec, err error) {
	bad := fmt.Errorf("%w: --window %s: want hours as 22-06, or mon,tue:22-06", errUsage, text)
	hours := text
	if days, rest, ok := strings.Cut(text, ":"); ok {
		hours = rest
		for _, d := range strings.Split(days, ",") {
			if !slices.Contains(weekdays, d) {
				return w, bad
			}
			w.Days = append(w.Days, d)
		}
	}
	from, to, _ := strings.Cut(hours, "-")
	a, err := strconv.ParseUint(from, 10, 8)
	if err != nil || a > 23 {
		return w, bad
	}
	b, err := strconv.ParseUint(to, 10, 8)
	if err != nil || b < 1 || b > 24 {
		return w, bad
	}
	w.From, w.To = uint8(a), uint8(b)
	return w, nil
}

type rolloutCreateCmd struct {
	rolloutSpec
}

// Help shows an example.
func (rolloutCreateCmd) Help() string {
	return wavesHelp + `Example:
  godwit rollout create buoy-demo 2.5.0 --wave 4% --wave 30%,2d --wave 100% --hold-out 2% --safe
  godwit rollout create buoy-demo 2.5.0 --customer acme --window mon,tue,wed,thu:08-16 --consent --remark "asked for by acme"`
}

// Run creates.
func (c *rolloutCreateCmd) Run(e *env) error {
	s, err := c.spec()
	if err != nil {
		return err
	}
	client, err := e.client()
	if err != nil {
		return err
	}
	var r api.Rollout
	if err := client.Post(e.ctx, "/rollouts", nil, s, &r); err != nil {
		return err
	}
	return e.print(r, "", func(row func(...any)) { rolloutRows(&r, row) })
}

type rolloutPlanCmd struct {
	rolloutSpec
}

// Help shows an example.
func (rolloutPlanCmd) Help() string {
	return wavesHelp + `Shows how many devices each wave has, how long they should take to call, what offers and answers cost, and how likely each
wave is to show that an update silences some of them.

Example:
  godwit rollout plan buoy-demo 2.5.0 --wave 4% --wave 30% --wave 100%`
}

// Run plans.
func (c *rolloutPlanCmd) Run(e *env) error {
	s, err := c.spec()
	if err != nil {
		return err
	}
	client, err := e.client()
	if err != nil {
		return err
	}
	var f api.RolloutForecast
	if err := client.Post(e.ctx, "/rollouts/plan", nil, s, &f); err != nil {
		return err
	}
	return e.print(f, "", func(row func(...any)) { forecastRows(&f, row) })
}

func forecastRows(f *api.RolloutForecast, row func(...any)) {
	row("devices", f.Devices)
	row("held out", f.HeldOut)
	row("run it already", f.Already)
	for _, reason := range sortedKeys(f.Refused) {
		row("refused, "+reason, f.Refused[reason])
	}
	for i := range f.Waves {
		w := &f.Waves[i]
		row(fmt.Sprintf("wave %d", w.Wave), fmt.Sprintf("%d %s, %d with those before", w.Devices, plural(w.Devices, "device"), w.Total))
		for _, link := range sortedKeys(w.Strata) {
			row("", fmt.Sprintf("%d over %s", w.Strata[link], link))
		}
		if w.Reports > 0 {
			row("", "enough should have called after "+every(w.Reports))
		}
		for _, p := range w.Power {
			row("", fmt.Sprintf("%.0f %% likely to halt if %.3g %% are silenced", 100*p.Power, 100*p.Bricked))
		}
		for _, currency := range sortedKeys(w.Cost) {
			row("", "costs about "+w.Cost[currency]+" "+currency)
		}
	}
	for _, r := range f.Remarks {
		row("remark", r)
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// rolloutRows is a rollout for people.
func rolloutRows(r *api.Rollout, row func(...any)) {
	row("rollout", fmt.Sprintf("%d, %s", r.ID, r.Spec.Name))
	row("release", r.Spec.Product+" "+r.Spec.Version)
	row("state", r.State)
	if r.Reason != "" {
		row("reason", r.Reason)
	}
	row("created", cell(r.Created)+" by "+r.By)
	if r.Approver != "" {
		row("approved", "by "+r.Approver)
	}
	row("started", r.Started)
	row("ended", r.Ended)
	row("wave", fmt.Sprintf("%d of %d", r.Wave, len(r.Spec.Waves)))
	row("devices", fmt.Sprintf("%d, %d of them were sent an offer", r.Devices, r.Attempted))
	for _, s := range sortedKeys(r.Standings) {
		row("", fmt.Sprintf("%d %s", r.Standings[s], s))
	}
}

// rolloutPath is the path of a rollout.
func rolloutPath(id uint32) string { return "/rollouts/" + strconv.FormatUint(uint64(id), 10) }

type rolloutListCmd struct {
	State   string `help:"Only rollouts in this state." enum:"draft,submitted,approved,denied,running,paused,halted,stopped,completed," default:""`
	Product string `help:"Only rollouts of this product."`
}

// Help shows an example.
func (rolloutListCmd) Help() string {
	return `Example:
  godwit rollout list --state halted`
}

// Run lists.
func (c *rolloutListCmd) Run(e *env) error {
	q := url.Values{}
	for key, v := range map[string]string{"state": c.State, "product": c.Product} {
		if v != "" {
			q.Set(key, v)
		}
	}
	all, err := list[api.Rollout](e, "/rollouts?"+q.Encode())
	if err != nil {
		return err
	}
	return e.print(all, "ID NAME PRODUCT VERSION STATE WAVE DEVICES ATTEMPTED CONFIRMED STARTED", func(row func(...any)) {
		for i := range all {
			r := &all[i]
			row(r.ID, r.Spec.Name, r.Spec.Product, r.Spec.Version, r.State, fmt.Sprintf("%d/%d", r.Wave, len(r.Spec.Waves)), r.Devices, r.Attempted,
				r.Standings["confirmed"], r.Started)
		}
	})
}
