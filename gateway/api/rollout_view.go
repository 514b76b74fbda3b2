package api

import (
	"time"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/scheduler"
)

// RolloutSpec is what a rollout is to do.
type RolloutSpec struct {
	Name     string         `json:"name" minLength:"1" maxLength:"64"`
	Product  string         `json:"product" minLength:"1" maxLength:"64"`
	Version  string         `json:"version" minLength:"1" maxLength:"64" doc:"of the release that it leads to"`
	Filter   rollout.Filter `json:"filter,omitzero" doc:"which of the product's devices; each list that is not empty must have the device's value"`
	Waves    []WaveSpec     `json:"waves,omitempty" maxItems:"16" doc:"parts of the devices that are offered the release one after the other; left out: all at once"`
	HoldOut  float64        `json:"hold_out,omitempty" minimum:"0" maximum:"0.5" doc:"share of the devices that get nothing, to compare with"`
	Windows  []WindowSpec   `json:"windows,omitempty" maxItems:"32" doc:"times of the week in which offers are made; left out: always"`
	Links    []string       `json:"links,omitempty" doc:"over which offers may go; left out: all"`
	Soak     int            `json:"soak_contacts,omitempty" minimum:"0" maximum:"100" doc:"with the new version until it counts as confirmed; 0: 3"`
	Deadline int            `json:"deadline_contacts,omitempty" minimum:"0" maximum:"1000" doc:"that a device should have made until it is given up; 0: 50"`
	Consent  bool           `json:"consent,omitempty" doc:"somebody at the device must agree"`
	Safe     bool           `json:"safe,omitempty" doc:"one device goes first, alone"`
	Remark   string         `json:"remark,omitempty" maxLength:"1000"`
}

// WaveSpec is a wave.
type WaveSpec struct {
	Share    float64 `json:"share" minimum:"0" maximum:"1" doc:"of the devices that are not held out, with all waves before it; the last is 1"`
	Least    int64   `json:"least_seconds,omitempty" minimum:"0" maximum:"31622400" doc:"that it is open before the next one; 0: a day"`
	Reported float64 `json:"reported,omitempty" minimum:"0" maximum:"1" doc:"share of its devices that must have come to an end before the next one; 0: 0.8"`
	ByHand   bool    `json:"by_hand,omitempty" doc:"it opens when somebody says so"`
	Proof    bool    `json:"proof,omitempty" doc:"it opens only when the evidence speaks for it; otherwise it is enough that nothing speaks against it"`
}

// WindowSpec is a time of the week, in UTC.
type WindowSpec struct {
	Days []string `json:"days,omitempty" enum:"sun,mon,tue,wed,thu,fri,sat" doc:"left out: each day"`
	From uint8    `json:"from_hour" maximum:"23"`
	To   uint8    `json:"to_hour" minimum:"1" maximum:"24" doc:"not above from_hour: on the next day"`
}

// weekdays are the names of days, from bit 0 on.
var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func (s *RolloutSpec) spec() rollout.Spec {
	out := rollout.Spec{
		Name: s.Name, Product: s.Product, Version: s.Version, Filter: s.Filter, HoldOut: s.HoldOut, Links: s.Links, Soak: s.Soak, Deadline: s.Deadline,
		Consent: s.Consent, Safe: s.Safe, Remark: s.Remark,
	}
	for _, w := range s.Waves {
		out.Waves = append(out.Waves, rollout.Wave{Share: w.Share, Least: time.Duration(w.Least) * time.Second, Reported: w.Reported, ByHand: w.ByHand, Proof: w.Proof})
	}
	if len(out.Waves) == 0 {
		out.Waves = []rollout.Wave{{Share: 1}}
	}
	for _, w := range s.Windows {
		x := rollout.Window{From: w.From, To: w.To}
		for bit, name := range weekdays {
			for _, d := range w.Days {
				if d == name {
					x.Days |= 1 << bit
				}
			}
		}
		out.Windows = append(out.Windows, x)
	}
	return out
}

func viewSpec(s *rollout.Spec) RolloutSpec {
	out := RolloutSpec{
		Name: s.Name, Product: s.Product, Version: s.Version, Filter: s.Filter, HoldOut: s.HoldOut, Links: s.Links, Soak: s.Soak, Deadline: s.Deadline,
		Consent: s.Consent, Safe: s.Safe, Remark: s.Remark,
	}
	for _, w := range s.Waves {
		out.Waves = append(out.Waves, WaveSpec{Share: w.Share, Least: int64(w.Least / time.Second), Reported: w.Reported, ByHand: w.ByHand, Proof: w.Proof})
	}
	for _, w := range s.Windows {
		x := WindowSpec{From: w.From, To: w.To}
		for bit, name := range weekdays {
			if w.Days>>bit&1 == 1 {
				x.Days = append(x.Days, name)
			}
		}
		out.Windows = append(out.Windows, x)
	}
	return out
}

// A Rollout is a rollout in a list.
type Rollout struct {
	ID        uint32         `json:"id"`
	Spec      RolloutSpec    `json:"spec"`
	State     string         `json:"state" enum:"draft,submitted,approved,denied,running,paused,halted,stopped,completed"`
	By        string         `json:"by" doc:"who created it"`
	Approver  string         `json:"approver,omitempty"`
	Created   time.Time      `json:"created,omitzero"`
	Started   time.Time      `json:"started,omitzero"`
	Ended     time.Time      `json:"ended,omitzero"`
	Reason    string         `json:"reason,omitempty" doc:"of its state"`
	Wave      int            `json:"wave" doc:"the last one that is open, from 1; 0: none, or the one device that goes first"`
	Devices   int            `json:"devices" doc:"that match, held out or not"`
	Attempted int            `json:"attempted" doc:"that were sent an offer"`
	Retries   int            `json:"retries"`
	Alone     uint32         `json:"alone,omitempty" doc:"number of the device that goes first"`
	Held      []string       `json:"held,omitempty" doc:"versions whose devices are offered nothing: the evidence is against them alone"`
	Warned    bool           `json:"warned" doc:"the evidence holds the next wave back"`
	Notes     []RolloutNote  `json:"notes" doc:"what was done to it"`
	Standings map[string]int `json:"standings" doc:"devices by where they stand"`
}

// A RolloutNote is something that was done to a rollout.
type RolloutNote struct {
	At     time.Time `json:"at"`
	Who    string    `json:"who"`
	What   string    `json:"what"`
	Remark string    `json:"remark,omitempty"`
}

func viewRollout(s *rollout.Summary) Rollout {
	out := Rollout{
		ID: uint32(s.ID), Spec: viewSpec(&s.Spec), State: s.State.String(), By: s.By, Approver: s.Approver, Created: s.Created, Started: s.Started, Ended: s.Ended,
		Reason: s.Reason, Wave: s.Wave, Devices: s.Devices, Attempted: s.Attempted, Retries: s.Retries, Standings: byName(s.Standings),
		Alone: s.Alone, Held: s.Held, Warned: s.Warned, Notes: []RolloutNote{},
	}
	for _, n := range s.Notes {
		out.Notes = append(out.Notes, RolloutNote{n.Time, n.Actor.Name, n.What, n.Remark})
	}
	return out
}

func byName(standings map[rollout.Standing]int) map[string]int {
	out := make(map[string]int, len(standings))
	for s, n := range standings {
		if n > 0 {
			out[s.String()] = n
		}
	}
	return out
}

// A RolloutWave is a wave and what holds it back.
type RolloutWave struct {
	Wave      int            `json:"wave" doc:"from 1; 0 is the one device that goes first"`
	Share     float64        `json:"share"`
	Devices   int            `json:"devices"`
	Opened    time.Time      `json:"opened,omitzero"`
	By        string         `json:"by,omitempty" doc:"who opened it"`
	Standings map[string]int `json:"standings"`
	Gates     []rollout.Gate `json:"gates" doc:"conditions of its opening; of one that is open, as they were then"`
	Reason    string         `json:"reason,omitempty"`
}

func viewWaves(list []rollout.WaveView) (out []RolloutWave) {
	for _, w := range list {
		out = append(out, RolloutWave{w.Wave, w.Share, w.Devices, w.Opened, w.By, byName(w.Standings), append([]rollout.Gate{}, w.Gates...), w.Reason})
	}
	return out
}

// A FunnelStep is how many devices came to a step, and how many stand there.
type FunnelStep struct {
	Step    string        `json:"step"`
	Reached int           `json:"reached"`
	Here    int           `json:"here" doc:"devices of which this is the last that is known"`
	Silent  int           `json:"silent" doc:"of these, overdue: they dropped off here, or sleep"`
	Median  int64         `json:"median_seconds" doc:"age of those here"`
	Codes   map[uint8]int `json:"codes" doc:"result codes of those here"`
	Devices []uint32      `json:"devices" doc:"numbers of those that are silent here, 100 at most"`
}

func viewFunnel(list []rollout.FunnelStep) (out []FunnelStep) {
	for _, s := range list {
		out = append(out, FunnelStep{s.Step, s.Reached, s.Here, s.Silent, int64(s.Median / time.Second), s.Codes, append([]uint32{}, s.Devices...)})
	}
	return out
}

// An UpdateStep is a step of an update on a device.
type UpdateStep struct {
	Step    string    `json:"step"`
	Code    uint8     `json:"code"`
	At      time.Time `json:"at" doc:"by the device"`
	Known   time.Time `json:"known" doc:"when it was received"`
	Attempt int       `json:"attempt"`
	Within  int64     `json:"within_seconds,omitempty" doc:"by which the device's time may be off"`
	Earlier bool      `json:"or_earlier,omitempty"`
}

// A DeviceUpdate is where a device stands in a rollout.
type DeviceUpdate struct {
	Rollout   uint32       `json:"rollout"`
	Number    uint32       `json:"number"`
	Name      string       `json:"name"`
	Customer  string       `json:"customer"`
	Wave      int          `json:"wave" doc:"from 1; 0 is the one device that goes first, -1 held out"`
	Standing  string       `json:"standing"`
	Reason    string       `json:"reason,omitempty"`
	From      string       `json:"from" doc:"version at the start"`
	Version   string       `json:"version" doc:"that it runs, as far as is known"`
	Step      string       `json:"step,omitempty" doc:"the last that it told"`
	Tries     int          `json:"tries" doc:"offers that were sent, of this attempt"`
	GivenUp   bool         `json:"given_up"`
	Code      uint8        `json:"code"`
	Since     time.Time    `json:"since"`
	Offered   time.Time    `json:"offered,omitzero" doc:"first"`
	Deferred  time.Time    `json:"deferred_until,omitzero"`
	Ran       time.Time    `json:"ran,omitzero" doc:"the first frame of the release was sent then"`
	Confirmed time.Time    `json:"confirmed,omitzero" doc:"known since"`
	Earliest  time.Time    `json:"earliest,omitzero" doc:"of rolled back: it was after this"`
	Latest    time.Time    `json:"latest,omitzero" doc:"and before this"`
	Soak      int          `json:"soak_contacts"`
	Last      time.Time    `json:"last_seen,omitzero"`
	Missed    int          `json:"missed" doc:"contacts that it should have made since"`
	Suspect   float64      `json:"suspect" doc:"probability that the update silenced it"`
	History   []UpdateStep `json:"history"`

	hub.Cause // what its silence is put down to
}

func viewUpdate(d *rollout.DeviceView) DeviceUpdate {
	out := DeviceUpdate{
		Rollout: uint32(d.Rollout), Number: d.Number, Name: d.Name, Customer: d.Customer, Wave: d.Wave, Standing: d.Standing.String(), Reason: d.Reason,
		From: d.From, Version: d.Version, Step: d.Step, Tries: d.Tries, GivenUp: d.GivenUp,
		Code: d.Code, Since: d.Since, Offered: d.Offered, Deferred: d.Deferred, Ran: d.Ran, Confirmed: d.Confirmed, Earliest: d.Earliest, Latest: d.Latest,
		Soak: d.Soak, Last: d.Last, Missed: d.Missed, Suspect: d.Suspect, History: []UpdateStep{}, Cause: hub.CauseOf(&d.Cause),
	}
	for _, s := range d.History {
		out.History = append(out.History, UpdateStep{s.Step, s.Code, s.At, s.Known, s.Attempt, int64(s.Within / time.Second), s.AtMost})
	}
	return out
}

func viewUpdates(list []rollout.DeviceView) []DeviceUpdate {
	out := make([]DeviceUpdate, len(list))
	for i := range list {
		out[i] = viewUpdate(&list[i])
	}
	return out
}

// A RolloutCall is a device whose owner should be called, and why.
type RolloutCall struct {
	Device DeviceUpdate `json:"device"`
	Why    string       `json:"why"`
}

// A RolloutReport is what is to be said of a rollout.
type RolloutReport struct {
	Rollout Rollout          `json:"rollout"`
	Line    string           `json:"line" doc:"all of it in one line"`
	Days    []rollout.Day    `json:"days" doc:"devices that were there on each day since the start, and those that had been sent an offer by its end"`
	Silent  int              `json:"silent" doc:"of these, overdue now"`
	Causes  map[string]int   `json:"causes" doc:"of these, by what their silence is put down to"`
	Events  int              `json:"events" doc:"silences of devices with the update that were longer than hardly any living device's"`
	Usual   float64          `json:"usual" doc:"how many such silences there would be without the update, by the devices that do not have it"`
	Low     float64          `json:"low" doc:"with 95 % at least"`
	High    float64          `json:"high" doc:"and at most"`
	Verdict string           `json:"verdict"`
	Behind  []rollout.Behind `json:"behind" doc:"by customer"`
	Calls   []RolloutCall    `json:"calls" doc:"whom to call, and why"`

	Evidence []rollout.Evidence      `json:"evidence" doc:"how much likelier what was seen is if the update does harm, by kind"`
	Survival []rollout.SurvivalPoint `json:"survival" doc:"share of devices that kept on being heard for so long after the update (Kaplan and Meier)"`
	Groups   []rollout.GroupReport   `json:"groups" doc:"by the version that devices came from"`
}

func viewReport(r *rollout.Report) RolloutReport {
	out := RolloutReport{
		Rollout: viewRollout(&r.Summary), Line: r.Line, Days: append([]rollout.Day{}, r.Days...), Silent: r.Silent, Causes: r.Causes, Events: r.Events, Usual: r.Usual, Low: r.Low, High: r.High,
		Verdict: r.Verdict, Behind: append([]rollout.Behind{}, r.Behind...), Calls: []RolloutCall{},
		Evidence: append([]rollout.Evidence{}, r.Evidence...), Groups: append([]rollout.GroupReport{}, r.Groups...), Survival: append([]rollout.SurvivalPoint{}, r.Survival...),
	}
	for i := range r.Calls {
		out.Calls = append(out.Calls, RolloutCall{viewUpdate(&r.Calls[i].Device), r.Calls[i].Why})
	}
	return out
}

// A RolloutForecast is what a rollout will be like.
type RolloutForecast struct {
	Devices int            `json:"devices"`
	HeldOut int            `json:"held_out"`
	Already int            `json:"already" doc:"run the release"`
	Refused map[string]int `json:"refused" doc:"devices by reason"`
	Waves   []WaveForecast `json:"waves"`
	Remarks []string       `json:"remarks"`
}

// A WaveForecast is what a wave will be like.
type WaveForecast struct {
	Wave    int                     `json:"wave"`
	Devices int                     `json:"devices" doc:"that join with it"`
	Total   int                     `json:"total" doc:"with all before it"`
	Strata  map[string]int          `json:"strata" doc:"of the total, by link"`
	Reports int64                   `json:"reports_seconds" doc:"after which as many as the gate asks for should have called"`
	Power   []rollout.PowerForecast `json:"power" doc:"chance to halt within the wave, by the share of devices that an update silences"`
	Cost    map[string]string       `json:"cost" doc:"by currency"`
}

func viewForecast(f *rollout.Forecast) RolloutForecast {
	out := RolloutForecast{
		Devices: f.Devices, HeldOut: f.HeldOut, Already: f.Already, Refused: f.Refused, Waves: []WaveForecast{}, Remarks: append([]string{}, f.Remarks...),
	}
	for _, w := range f.Waves {
		x := WaveForecast{
			Wave: w.Wave, Devices: w.Devices, Total: w.Total, Strata: w.Strata, Reports: int64(w.Reports / time.Second),
			Power: append([]rollout.PowerForecast{}, w.Power...), Cost: make(map[string]string, len(w.Cost)),
		}
		for currency, micros := range w.Cost {
			x.Cost[currency] = scheduler.Micros(micros).String()
		}
		out.Waves = append(out.Waves, x)
	}
	return out
}
