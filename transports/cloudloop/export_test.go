package cloudloop

import "time"

// SetPauses shortens what a transport waits. To be called before anything else.
func (t *Transport) SetPauses(pause, patient time.Duration) { t.pause, t.patient = pause, patient }
