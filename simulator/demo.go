package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/term"

	"github.com/godwit-gateway/godwit/simulator/demo"
)

type demoCmd struct {
	For         time.Duration `help:"End by itself after this time; otherwise Ctrl-C ends it." placeholder:"30s"`
	Devices     int           `help:"Number of devices." default:"24"`
	State       string        `help:"Folder for the gateway's state; kept, and used again by the next demo with the same seed; if state is removed from it all begins anew. By default a new one that is removed at the end." type:"path"`
	Seed        uint64        `help:"Seed of the devices, their keys, the weather and the radio." default:"1"`
	Interval    time.Duration `help:"Between two statuses of a device on UDP." default:"2s"`
	SMSInterval time.Duration `name:"sms-interval" help:"Between two statuses of a device on SMS or satellites." default:"8s"`
	Speed       float64       `help:"How much faster the weather changes than the clock." default:"600"`
	Output      string        `short:"o" help:"Form of the summary: json, one line at the end, or table." enum:"json,table" default:"table"`
}

// Help shows examples.
func (demoCmd) Help() string {
	return `Everything is real but the air: datagrams go through UDP sockets, short messages through a
modem's AT commands on a pty, satellite messages through DirectIP, webhooks, web services and modems on ptys, events through NATS JetStream. The radio loses, delays, repeats and
reorders. The trucks are led to a release that is signed and lies on a web server; some of them cannot
have it, do not want it, or do not come up with it, and the gateway finds out which. At the end the devices fall silent, what is under way arrives, and every frame that was
acknowledged must be exactly one event; else the exit code is 1.

Example:
  godwit-sim demo --for 30s -o json
  godwit-sim demo --devices 200 --interval 500ms --state /tmp/godwit`
}

// Run plays the demo.
func (c *demoCmd) Run(e *env) error {
	live := newLive(e)
	summary, err := demo.Run(e.ctx, demo.Options{
		For: c.For, Devices: c.Devices, State: c.State, Seed: c.Seed, Interval: c.Interval, SMSInterval: c.SMSInterval, Speed: c.Speed,
		Program: beside(os.Args[0]), Log: e.log, Say: live.say, Progress: live.progress,
	})
	live.end()
	if summary == nil {
		return err
	}
	write := summary.WriteTable
	if c.Output == "json" {
		write = summary.WriteJSON
	}
	if werr := write(e.stdout); werr != nil {
		return werr
	}
	return err
}

// beside is how to call the gateway's program that lies in the folder of this one, "" if there is none, or this one was found by PATH: what the demo
// tells to try is to run as it stands.
func beside(program string) string {
	dir, _ := filepath.Split(program)
	if _, err := os.Stat(dir + "godwit"); err != nil || dir == "" { //nolint:gosec // the folder is that of this program
		return ""
	}
	return dir + "godwit"
}

// live shows how things stand on the error stream: one line that is written over on a terminal, a line every few seconds elsewhere.
type live struct {
	e        *env
	terminal bool
	shown    bool
	last     time.Time
}

const plainEvery = 5 * time.Second

func newLive(e *env) *live {
	f, ok := e.stderr.(*os.File)
	return &live{e: e, terminal: ok && term.IsTerminal(int(f.Fd()))}
}

func (l *live) say(format string, args ...any) {
	_, _ = fmt.Fprintf(l.e.stderr, format+"\n", args...)
}

func (l *live) progress(line string) {
	if l.terminal {
		_, _ = fmt.Fprintf(l.e.stderr, "\r\x1b[K%s", line)
		l.shown = true
		return
	}
	if now := time.Now(); now.Sub(l.last) >= plainEvery {
		l.last = now
		_, _ = fmt.Fprintln(l.e.stderr, line)
	}
}

func (l *live) end() {
	if l.shown {
		_, _ = fmt.Fprintln(l.e.stderr)
	}
}
