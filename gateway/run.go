package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/godwit-gateway/godwit/gateway/config"
	"github.com/godwit-gateway/godwit/gateway/node"
)

type runCmd struct{}

// Help shows an example.
func (runCmd) Help() string {
	return `Runs until SIGINT or SIGTERM, then commits what was received and publishes it; a second signal ends
it at once. SIGHUP has it read tariffs, policies, budgets and pools anew. Under systemd use Type=notify, and WatchdogSec to have it restarted if it hangs.

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
	hangups := make(chan os.Signal, 1) // from now on one does not end the process
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	n, err := node.New(e.ctx, cfg, log)
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	watch, cancel := context.WithCancel(e.ctx)
	var beside sync.WaitGroup
	beside.Go(func() { watchdog(watch, n.Alive, log) })
	beside.Go(func() { reload(watch, hangups, n, e.load, log) })
	err = n.Run(e.ctx, func() { notify(log, daemon.SdNotifyReady) })
	notify(log, daemon.SdNotifyStopping)
	cancel()
	beside.Wait()
	if err == nil {
		log.Info("gateway has stopped")
	}
	return err
}

// reload reads the configuration anew at each SIGHUP.
func reload(ctx context.Context, hangups <-chan os.Signal, n *node.Node, load func() (*config.Config, error), log *slog.Logger) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
		}
		notify(log, "STATUS=reading the configuration anew")
		status := "STATUS=configuration taken at " + time.Now().UTC().Format(time.RFC3339)
		if err := n.Reload(ctx, load); err != nil {
			status = "STATUS=configuration refused at " + time.Now().UTC().Format(time.RFC3339) + ": see the log"
		}
		notify(log, status)
	}
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
