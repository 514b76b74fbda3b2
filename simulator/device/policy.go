package device

import (
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// agree takes a policy. What it does not name stays as it is; what is in force is remembered across restarts. Of its parts this device has use for
// the interval and the deadbands: it has one bearer, and its owner lets it speak at any hour.
func (d *Device) agree(body []byte) error {
	p, err := codec.DecodePolicy(body)
	if err != nil {
		return err
	}
	if p.Interval > 0 {
		d.policy.Interval = p.Interval
		d.config.Interval = time.Duration(p.Interval) * time.Second
	}
	if p.Deadbands != nil {
		d.policy.Deadbands = p.Deadbands
	}
	b, err := codec.AppendPolicy(nil, &d.policy)
	if err != nil {
		return err
	}
	d.agreed = Blob(b[1:])
	return nil
}
