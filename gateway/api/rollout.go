package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/rollout"
)

// RolloutRef names a rollout in a path.
type RolloutRef struct {
	Rollout uint32 `path:"rollout" doc:"its number" minimum:"1"`
}

// RetryRequest says to whom a release is offered anew.
type RetryRequest struct {
	Devices []string `json:"devices,omitempty" maxItems:"10000" doc:"names or numbers; left out: all that failed, declined, deferred or were given up"`
	Remark  string   `json:"remark,omitempty" maxLength:"1000"`
}

// RetryResult is to how many devices a release is offered anew.
type RetryResult struct {
	Devices int `json:"devices"`
}

// A moveOperation is what people do to a rollout: a path, and the role that it takes. The machine asks for more: nobody approves what the same token created
// or submitted, and some moves want a remark.
type moveOperation struct {
	move    rollout.Move
	role    Role
	summary string
}

var moveOperations = []moveOperation{
	{rollout.Submit, Operator, "Ask for a rollout to be approved"},
	{rollout.Approve, Approver, "Approve a rollout that another token created and submitted"},
	{rollout.Deny, Approver, "Deny a rollout"},
	{rollout.Start, Operator, "Begin an approved rollout"},
	{rollout.Pause, Operator, "Offer nothing more for now"},
	{rollout.Resume, Operator, "Go on with a rollout that was paused"},
	{rollout.Halt, Operator, "Halt a rollout because of what was seen"},
	{rollout.Override, Approver, "Go on with a halted rollout; the evidence is put aside, and gathered anew against a higher threshold"},
	{rollout.Advance, Approver, "Open the next wave, whatever its gate says"},
	{rollout.Stop, Operator, "End a rollout for good"},
}

func (a *api) registerRollouts(h huma.API) {
	op := operation(http.MethodPost, "/rollouts", "create-rollout", "Make a rollout, as a draft", Operator)
	op.DefaultStatus = http.StatusCreated
	huma.Register(h, op, func(ctx context.Context, in *struct{ Body RolloutSpec }) (*one[Rollout], error) {
		return rolloutOf(a.Hub.CreateRollout(ctx, in.Body.spec()))
	})
	huma.Register(h, operation(http.MethodPost, "/rollouts/plan", "plan-rollout", "What a rollout would be like: devices, waves, power to see harm, cost; changes nothing", Viewer),
		func(_ context.Context, in *struct{ Body RolloutSpec }) (*one[RolloutForecast], error) {
			f, err := a.Hub.PlanRollout(in.Body.spec())
			return answered(viewForecast(&f), err)
		})
	huma.Register(h, operation(http.MethodGet, "/rollouts", "list-rollouts", "Rollouts, the newest first", Viewer),
		func(_ context.Context, in *struct {
			State   string `query:"state" enum:"draft,submitted,approved,denied,running,paused,halted,stopped,completed"`
			Product string `query:"product"`
		},
		) (*one[Page[Rollout]], error) {
			var items []Rollout
			a.Hub.LookAtRollouts(func(_ time.Time, m *rollout.Machine) {
				for _, s := range m.List() {
					if (in.State == "" || s.State.String() == in.State) && (in.Product == "" || s.Spec.Product == in.Product) {
						items = append(items, viewRollout(&s))
					}
				}
			})
			return page(items, ""), nil
		})
	huma.Register(h, operation(http.MethodGet, "/rollouts/{rollout}", "show-rollout", "One rollout", Viewer),
		func(_ context.Context, in *RolloutRef) (out *one[Rollout], err error) {
			a.Hub.LookAtRollouts(func(_ time.Time, m *rollout.Machine) { out, err = rolloutOf(m.Get(rollout.ID(in.Rollout))) })
			return out, err
		})
	for _, o := range moveOperations {
		name := o.move.String()
		huma.Register(h, operation(http.MethodPost, "/rollouts/{rollout}/"+name, name+"-rollout", o.summary, o.role),
			func(ctx context.Context, in *struct {
				RolloutRef
				Body RemarkRequest
			},
			) (*one[Rollout], error) {
				return rolloutOf(a.Hub.MoveRollout(ctx, rollout.ID(in.Rollout), o.move, in.Body.Remark))
			})
	}
	huma.Register(h, operation(http.MethodPost, "/rollouts/{rollout}/retry", "retry-rollout", "Offer the release anew to devices that failed, declined, deferred or were given up", Operator),
		func(ctx context.Context, in *struct {
			RolloutRef
			Body RetryRequest
		},
		) (*one[RetryResult], error) {
			n, err := a.Hub.RetryRollout(ctx, rollout.ID(in.Rollout), in.Body.Devices, in.Body.Remark)
			return answered(RetryResult{n}, err)
		})
	a.registerRolloutViews(h)
}

func rolloutOf(s rollout.Summary, err error) (*one[Rollout], error) {
	return answered(viewRollout(&s), err)
}

// adoptionInput selects a curve.
type adoptionInput struct {
	RolloutRef
	AsOf time.Time `query:"as_of" doc:"as far as was known then; left out: now"`
	Step int64     `query:"step_seconds" minimum:"60" maximum:"31622400" default:"3600" doc:"between two points; more where there would be more than 2,000"`
}

// devicesOfInput selects devices of a rollout.
type devicesOfInput struct {
	RolloutRef
	Standing string `query:"standing"`
	Customer string `query:"customer"`
	Behind   bool   `query:"behind" doc:"only those that do not run the release, as far as is known"`
	Silent   bool   `query:"silent" doc:"only those that have not called as they should"`
	Limit    int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Cursor   string `query:"cursor"`
}

func (in *devicesOfInput) query() (hub.RolloutQuery, error) {
	if in.Standing != "" {
		if _, err := rollout.ParseStanding(in.Standing); err != nil {
			return hub.RolloutQuery{}, fmt.Errorf("%w: %s", hub.ErrQuery, err) //nolint:errorlint // what is not known is the query's fault
		}
	}
	return hub.RolloutQuery{Standing: in.Standing, Customer: in.Customer, Behind: in.Behind, Silent: in.Silent, After: in.Cursor, Limit: in.Limit}, nil
}

func (a *api) waves(in *RolloutRef) (list []rollout.WaveView, err error) {
	a.Hub.LookAtRollouts(func(now time.Time, m *rollout.Machine) { list, err = m.Waves(now, rollout.ID(in.Rollout)) })
	return list, err
}

func (a *api) adoption(in *adoptionInput) ([]rollout.AdoptionPoint, error) {
	return a.Hub.RolloutAdoption(rollout.ID(in.Rollout), in.AsOf, time.Duration(in.Step)*time.Second)
}

func (a *api) devicesOf(in *devicesOfInput) (list []rollout.DeviceView, next string, err error) {
	q, err := in.query()
	if err != nil {
		return nil, "", err
	}
	return a.Hub.RolloutDevices(rollout.ID(in.Rollout), q)
}

func (a *api) registerRolloutViews(h huma.API) {
	huma.Register(h, operation(http.MethodGet, "/rollouts/{rollout}/waves", "rollout-waves", "Waves, with what holds them back", Viewer),
		func(_ context.Context, in *RolloutRef) (*one[Page[RolloutWave]], error) {
			list, err := a.waves(in)
			return paged(viewWaves(list), "", err)
		})
	huma.Register(h, operation(http.MethodGet, "/rollouts/{rollout}/funnel", "rollout-funnel", "How far devices came, by step", Viewer),
		func(_ context.Context, in *RolloutRef) (*one[Page[FunnelStep]], error) {
			list, err := a.Hub.RolloutFunnel(rollout.ID(in.Rollout))
			return paged(viewFunnel(list), "", err)
		})
	huma.Register(h, operation(http.MethodGet, "/rollouts/{rollout}/adoption", "rollout-adoption", "How devices stood over time, by the time of the device", Viewer),
		func(_ context.Context, in *adoptionInput) (*one[Page[rollout.AdoptionPoint]], error) {
			list, err := a.adoption(in)
			return paged(list, "", err)
		})
	huma.Register(h, operation(http.MethodGet, "/rollouts/{rollout}/behind", "rollout-behind", "Who is behind, by customer", Viewer),
		func(_ context.Context, in *RolloutRef) (*one[Page[rollout.Behind]], error) {
			list, err := a.Hub.RolloutBehind(rollout.ID(in.Rollout))
			return paged(list, "", err)
		})
	huma.Register(h, operation(http.MethodGet, "/rollouts/{rollout}/devices", "rollout-devices", "Devices of a rollout, by number", Viewer),
		func(_ context.Context, in *devicesOfInput) (*one[Page[DeviceUpdate]], error) {
			list, next, err := a.devicesOf(in)
			return paged(viewUpdates(list), next, err)
		})
	huma.Register(h, operation(http.MethodGet, "/rollouts/{rollout}/report", "report-rollout", "What is to be said of a rollout: who reported, who is silent, how many should be, whom to call", Viewer),
		func(_ context.Context, in *RolloutRef) (*one[RolloutReport], error) {
			r, err := a.Hub.RolloutReport(rollout.ID(in.Rollout))
			return answered(viewReport(&r), err)
		})
	huma.Register(h, operation(http.MethodGet, "/devices/{device}/updates", "device-updates", "Where a device stands in each rollout, the newest first", Viewer),
		func(_ context.Context, in *DeviceRef) (*one[Page[DeviceUpdate]], error) {
			list, err := a.Hub.UpdatesOf(in.Device)
			return paged(viewUpdates(list), "", err)
		})
	a.registerRolloutTables(h)
}
