package device

import (
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// A Threshold is a limit of a sensor beyond which a device does not wait for its next status to be asked about.
type Threshold struct {
	Field string  // beginning of the field's name
	Code  uint16  // of the alarm
	Limit float64 // in the field's unit
	Below bool    // the alarm is for values below the limit, not above it
	Clear float64 // how far back behind the limit the value must be for the alarm to be over
	Text  string
}

// watch raises and clears the alarms of a status.
func (d *Device) watch(now time.Time, values []codec.Value) error {
	fields := d.config.Template.Fields()
	for n := range d.config.Thresholds {
		t := &d.config.Thresholds[n]
		for i := range fields {
			if !strings.HasPrefix(fields[i].Name, t.Field) || values[i].State == codec.NotMeasured {
				continue
			}
			v := fields[i].Float(values[i])
			beyond := v - t.Limit
			if t.Below {
				beyond = -beyond
			}
			raised := d.raised[n]
			if raised && beyond > -t.Clear || !raised && beyond <= 0 {
				break
			}
			d.raised[n] = !raised
			if err := d.alarm(now, t, v, raised); err != nil {
				return err
			}
			break // of several fields the first counts
		}
	}
	return nil
}

func (d *Device) alarm(now time.Time, t *Threshold, value float64, cleared bool) error {
	a := codec.Alarm{Code: t.Code, Text: t.Text, Value: value, Cleared: cleared}
	if d.clock.sure {
		a.Seconds = uint64(max(0, now.Add(d.clock.offset).Unix()))
	}
	b, err := codec.AppendAlarm(nil, &a)
	if err != nil {
		return err
	}
	return d.enqueue(now, messageHeader(!d.config.Stored), b, nil)
}
