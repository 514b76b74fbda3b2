package rollout

import (
	"fmt"
	"time"

	"github.com/godwit-gateway/godwit/gateway/rollout/silence"
)

// A Summary is a rollout in a list.
type Summary struct {
	ID        ID               `json:"id"`
	Spec      Spec             `json:"spec"`
	State     State            `json:"state"`
	By        string           `json:"by"` // who created it
	Approver  string           `json:"approver,omitempty"`
	Created   time.Time        `json:"created,omitzero"`
	Started   time.Time        `json:"started,omitzero"`
	Ended     time.Time        `json:"ended,omitzero"`
	Reason    string           `json:"reason,omitempty"` // why it is halted, paused, denied, stopped
	Wave      int              `json:"wave"`             // the last one that is open, from 1; 0: none
	Devices   int              `json:"devices"`          // that match, held out or not
	Standings map[Standing]int `json:"standings"`        // devices by where they stand
	Attempted int              `json:"attempted"`        // devices that were sent an offer
	Until     time.Time        `json:"until,omitzero"`   // nothing more is expected of any device; it is watched until then
	Retries   int              `json:"retries"`
	Alone     uint32           `json:"alone,omitempty"` // number of the device that goes first in safe mode
	Held      []string         `json:"held,omitempty"`  // versions whose devices are offered nothing: the verdict is against them alone
	Warned    bool             `json:"warned"`          // by the verdict
	Notes     []Note           `json:"notes"`           // what was done to it
}

// A Gate is a condition of a wave.
type Gate struct {
	Name string `json:"name"` // "time", "reported", "verdict", "hand", "state", "safe"
	Open bool   `json:"open"`
	Have string `json:"have"`
	Want string `json:"want"`
}

// A WaveView is a wave and what holds it back.
type WaveView struct {
	Wave      int              `json:"wave"` // from 1; 0 is the one device of safe mode
	Share     float64          `json:"share"`
	Devices   int              `json:"devices"`
	Opened    time.Time        `json:"opened,omitzero"`
	By        string           `json:"by,omitempty"` // who opened it
	Standings map[Standing]int `json:"standings"`
	Gates     []Gate           `json:"gates"` // of its opening; of one that is open, as they were then
	Reason    string           `json:"reason"`
}

// A FunnelStep is how many devices came to a step of an update, and how many stand there.
type FunnelStep struct {
	Step    string        `json:"step"`
	Reached int           `json:"reached"`
	Here    int           `json:"here"`    // it is the last that is known of them
	Silent  int           `json:"silent"`  // of these, overdue: they dropped off here, or sleep
	Median  time.Duration `json:"median"`  // age of those here
	Codes   map[uint8]int `json:"codes"`   // result codes of those here
	Devices []uint32      `json:"devices"` // numbers of those that are silent here, 100 at most
}

// An AdoptionPoint is the devices that were sent an offer by a time, by what is known of them at that time. The four always sum to Attempted.
type AdoptionPoint struct {
	Time      time.Time `json:"time"`
	Attempted int       `json:"attempted"`
	Confirmed int       `json:"confirmed"` // ran the release then, and do not run something else by now
	Progress  int       `json:"progress"`
	Ended     int       `json:"ended"`   // declined, failed, rolled back
	Unknown   int       `json:"unknown"` // overdue: nothing was heard of them from then on
	HeldOut   int       `json:"held_out"`
}

// A HistoryStep is a step of a device's story.
type HistoryStep struct {
	Step    string        `json:"step"`
	Code    uint8         `json:"code"`
	At      time.Time     `json:"at"`      // by the device
	Known   time.Time     `json:"known"`   // when it was received
	Attempt int           `json:"attempt"` // from 1
	Within  time.Duration `json:"within"`  // At may be off by so much
	AtMost  bool          `json:"at_most"` // it was then or earlier
}

// A DeviceView is where a device stands in a rollout.
type DeviceView struct {
	Rollout   ID            `json:"rollout"`
	Number    uint32        `json:"number"`
	Name      string        `json:"name"`
	Customer  string        `json:"customer"`
	Wave      int           `json:"wave"` // from 1; 0 is the one device of safe mode, -1 held out
	Standing  Standing      `json:"standing"`
	Reason    string        `json:"reason,omitempty"` // a sentence: why refused, failed, expired
	Refusal   Reason        `json:"refusal,omitempty"`
	From      string        `json:"from"`           // version at the start
	Version   string        `json:"version"`        // that it runs, as far as is known
	Step      string        `json:"step,omitempty"` // the last that it told
	Tries     int           `json:"tries"`          // offers that were sent, of this attempt
	GivenUp   bool          `json:"given_up"`
	Code      uint8         `json:"code"`
	Since     time.Time     `json:"since"`
	Offered   time.Time     `json:"offered,omitzero"` // first
	Deferred  time.Time     `json:"deferred,omitzero"`
	Ran       time.Time     `json:"ran,omitzero"`       // the first frame of the release was sent then
	Confirmed time.Time     `json:"confirmed,omitzero"` // known since
	Earliest  time.Time     `json:"earliest,omitzero"`  // of rolled back: between the two
	Latest    time.Time     `json:"latest,omitzero"`
	Soak      int           `json:"soak"` // contacts with the release so far
	Last      time.Time     `json:"last,omitzero"`
	Missed    int           `json:"missed"`  // contacts that it should have made since
	Suspect   float64       `json:"suspect"` // probability that the update silenced it
	History   []HistoryStep `json:"history"`

	Cause silence.Finding `json:"cause"` // what its silence is put down to
}

// A Behind is how a customer's devices stand.
type Behind struct {
	Customer  string `json:"customer"`
	Devices   int    `json:"devices"`
	Confirmed int    `json:"confirmed"`
	Behind    int    `json:"behind"`  // do not run the release, as far as is known
	Silent    int    `json:"silent"`  // of all, overdue
	Refused   int    `json:"refused"` // of those behind
	Declined  int    `json:"declined"`
	Failed    int    `json:"failed"` // or rolled back
}

// A Call is a device whose owner should be called, and why.
type Call struct {
	Device DeviceView `json:"device"`
	Why    string     `json:"why"`
}

// A Report is what is to be said of a rollout at a time.
type Report struct {
	Summary  Summary         `json:"summary"`
	Line     string          `json:"line"`     // in one line: how many reported on the first day and today, who is silent, and how much of that is usual
	Days     []Day           `json:"days"`     // since the start
	Silent   int             `json:"silent"`   // devices that were sent an offer and are overdue now
	Causes   map[string]int  `json:"causes"`   // of these, by what their silence is put down to
	Events   int             `json:"events"`   // silences of devices with the update that were longer than hardly any living device's
	Usual    float64         `json:"usual"`    // how many there would be without the update, by the devices that do not have it
	Low      float64         `json:"low"`      // with 95 % at least
	High     float64         `json:"high"`     // and at most
	Verdict  string          `json:"verdict"`  // in a sentence
	Evidence []Evidence      `json:"evidence"` // of which the verdict is made
	Survival []SurvivalPoint `json:"survival"` // of devices with the update, over time since it
	Groups   []GroupReport   `json:"groups"`
	Behind   []Behind        `json:"behind"`
	Calls    []Call          `json:"calls"`
}

// A Day is how many devices were there on a day after the start, and how many had been sent an offer by its end.
type Day struct {
	Day   int       `json:"day"` // from 1
	From  time.Time `json:"from"`
	Heard int       `json:"heard"`
	Of    int       `json:"of"`
}

// String is the day as the line of a report has it.
func (d Day) String() string { return fmt.Sprintf("%d of %d on day %d", d.Heard, d.Of, d.Day) }

// Evidence is one kind of evidence that an update does harm: how much likelier what was seen is if it does.
type Evidence struct {
	Of    string  `json:"of"`
	Value float64 `json:"value"`
	Peak  float64 `json:"peak"`
}

// A SurvivalPoint is the share of devices that kept on being heard for so long after the update, as verdict.Survival.
type SurvivalPoint struct {
	Hours  int     `json:"hours"`
	Share  float64 `json:"share"`
	Low    float64 `json:"low"` // with 95 % at least
	High   float64 `json:"high"`
	AtRisk int     `json:"at_risk"` // devices that were seen for as long, or fell silent then
	Silent int     `json:"silent"`  // of them, those that did
}

// A GroupReport is how devices that came from one version do.
type GroupReport struct {
	From     string  `json:"from"`
	Started  int     `json:"started"`  // have the update
	Resolved int     `json:"resolved"` // of them, were heard since
	Silent   int     `json:"silent"`   // of them, are silent now for longer than hardly any living device
	Failed   int     `json:"failed"`
	Events   int     `json:"events"` // as in Report
	Usual    float64 `json:"usual"`
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
	Harm     float64 `json:"harm"` // share of devices that the update silences: mean of what is likely now
	Evidence float64 `json:"evidence"`
	Halted   bool    `json:"halted"`
	Safe     bool    `json:"safe"`
}

// A Forecast is what a rollout will be like, before it is started.
type Forecast struct {
	Devices int            `json:"devices"`
	HeldOut int            `json:"held_out"`
	Already int            `json:"already"` // run the release
	Refused map[string]int `json:"refused"` // by reason
	Waves   []WaveForecast `json:"waves"`
	Remarks []string       `json:"remarks"`
}

// A WaveForecast is what a wave will be like.
type WaveForecast struct {
	Wave    int              `json:"wave"`
	Devices int              `json:"devices"` // that join with it
	Total   int              `json:"total"`   // with all before it
	Strata  map[string]int   `json:"strata"`  // of the total, by link
	Reports time.Duration    `json:"reports"` // after which as many as the gate asks for should have called
	Power   []PowerForecast  `json:"power"`
	Cost    map[string]int64 `json:"cost"` // millionths of a currency, by currency
}

// A PowerForecast is the chance to halt within a wave.
type PowerForecast struct {
	Bricked float64 `json:"bricked"` // share of devices that the update silences
	Power   float64 `json:"power"`
}
