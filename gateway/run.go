package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/godwit-gateway/godwit/gateway/node"
)

type runCmd struct{}

// Help shows an example.
func (runCmd) Help() string {
	return `Runs until SIGINT or SIGTERM, then commits what was received and publishes it; a second signal ends
it at once. Under systemd use Type=notify, and WatchdogSec to have it restarted if it hangs.

Example:
  godwit config default > godwit.toml
  godwit run --config godwit.toml`
}

// Run runs the gateway.
func (runCmd) Run(e *env) error {
	cfg, err := e.load()
	if err != nil {
		return err
	}
	log := logger(cfg.Log, e.stderr)
	n, err := node.New(e.ctx, cfg, log)
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	watch, cancel := context.WithCancel(e.ctx)
	watched := make(chan struct{})
	go func() { defer close(watched); watchdog(watch, n.Alive, log) }()
	err = n.Run(e.ctx, func() { notify(log, daemon.SdNotifyReady) })
	notify(log, daemon.SdNotifyStopping)
	cancel()
	<-watched
	if err == nil {
		log.Info("gateway has stopped")
	}
	return err
}

// notify tells systemd, if it wants to know.
func notify(log *slog.Logger, state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		log.Warn("cannot notify systemd", slog.String("error", err.Error()))
	}
}

// watchdog tells systemd that the gateway is alive, for as long as it is.
func watchdog(ctx context.Context, alive func() error, log *slog.Logger) {
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil || every == 0 {
		return
	}
	tick := time.NewTicker(every / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := alive(); err != nil {
			log.Error("not alive: systemd is going to hear nothing", slog.String("error", err.Error()))
			continue
		}
		notify(log, daemon.SdNotifyWatchdog)
	}
}
