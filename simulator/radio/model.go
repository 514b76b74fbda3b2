package radio

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// A Model says what a link does to what is sent over it. Probabilities are from 0 to 1. The zero value is a perfect link.
type Model struct {
	Loss      float64 // that a payload never arrives
	Duplicate float64 // that a payload which is not lost arrives a second time
	Reorder   float64 // that an arriving copy is held back, so that later ones overtake it
	Delay     Delay
	HoldBack  Delay // more delay of a copy that is held back
	SizeMax   int   // larger payloads are lost (see Link.SendSized); 0: no limit
	Pending   int   // copies under way at most, more are lost; 0: PendingDefault
}

// PendingDefault is the number of copies that a link has under way at most unless its model says otherwise.
const PendingDefault = 1 << 16

// A Delay is a distribution of delays: Least, and on top of it an exponential share so that the mean is Mean before the cut at Most.
// The exponential share is the time in queues; Most is the network's own limit.
type Delay struct {
	Least, Mean, Most time.Duration
}

// Cellular is a model of datagrams over a mobile network of middling quality: high enough loss for retries to show in a short run.
func Cellular() Model {
	return Model{
		Loss: 0.06, Duplicate: 0.02, Reorder: 0.03,
		Delay:    Delay{Least: 40 * time.Millisecond, Mean: 120 * time.Millisecond, Most: 3 * time.Second},
		HoldBack: Delay{Least: 100 * time.Millisecond, Mean: 400 * time.Millisecond, Most: 5 * time.Second},
		SizeMax:  1280,
	}
}

// ShortMessages is a model of the way through a short message centre: store and forward, slower than datagrams and with a long tail.
func ShortMessages() Model {
	return Model{
		Loss: 0.05, Duplicate: 0.02, Reorder: 0.05,
		Delay:    Delay{Least: 300 * time.Millisecond, Mean: 900 * time.Millisecond, Most: 20 * time.Second},
		HoldBack: Delay{Least: time.Second, Mean: 3 * time.Second, Most: 30 * time.Second},
		SizeMax:  140,
	}
}

// Validate reports everything that makes no sense in the model.
func (m *Model) Validate() error {
	var errs []error
	for _, p := range []struct {
		name  string
		value float64
	}{{"loss", m.Loss}, {"duplicate", m.Duplicate}, {"reorder", m.Reorder}} {
		if !(p.value >= 0 && p.value <= 1) { // NaN fails too
			errs = append(errs, fmt.Errorf("%s is %v, want a probability from 0 to 1", p.name, p.value))
		}
	}
	for _, d := range []struct {
		name  string
		value Delay
	}{{"delay", m.Delay}, {"hold back", m.HoldBack}} {
		if d.value.Least < 0 || d.value.Mean < d.value.Least || d.value.Most < d.value.Mean {
			errs = append(errs, fmt.Errorf("%s is %+v, want 0 <= least <= mean <= most", d.name, d.value))
		}
	}
	if m.SizeMax < 0 || m.Pending < 0 {
		errs = append(errs, fmt.Errorf("size limit is %d and pending limit %d, want neither below 0", m.SizeMax, m.Pending))
	}
	return errors.Join(errs...)
}

// draw returns a delay for a uniform u from [0, 1).
func (d Delay) draw(u float64) time.Duration {
	share := -math.Log1p(-u) * float64(d.Mean-d.Least) // exponential with that mean, by inversion
	if share >= float64(d.Most-d.Least) {
		return d.Most
	}
	return d.Least + time.Duration(share)
}
