package main

import (
	"fmt"
	"net/url"
	"time"

	"github.com/godwit-gateway/godwit/gateway/api"
	"github.com/godwit-gateway/godwit/gateway/config"
	"github.com/godwit-gateway/godwit/gateway/hub"
)

type scheduleAttendCmd struct {
	Device string  `arg:"" help:"Name or number."`
	Factor float64 `help:"By which its weight is multiplied, 1 to 1000; 1 ends the attention." default:"5"`
	For    string  `help:"For how long." default:"7d" placeholder:"DURATION"`
}

// Help shows an example.
func (scheduleAttendCmd) Help() string {
	return `The device learns of it when it speaks next, as of any other interval, and only where devices are told (schedule.mode = "send").

Example:
  godwit schedule attend buoy-2001
  godwit schedule attend buoy-2001 --factor 20 --for 36h
  godwit schedule attend buoy-2001 --factor 1`
}

// Run has the device count for more.
func (c *scheduleAttendCmd) Run(e *env) error {
	d, err := config.ParseDuration(c.For)
	if err != nil {
		return fmt.Errorf("%w: --for: %w", errUsage, err)
	}
	client, err := e.client()
	if err != nil {
		return err
	}
	var x hub.Explanation
	r := api.AttendRequest{Factor: c.Factor, Seconds: int64(d / time.Second)}
	if err := client.Post(e.ctx, "/devices/"+url.PathEscape(c.Device)+"/attend", nil, r, &x); err != nil {
		return err
	}
	return printExplanation(e, &x)
}
