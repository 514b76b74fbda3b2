package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/godwit-gateway/godwit/gateway/config"
	"github.com/godwit-gateway/godwit/simulator/report"
	"github.com/godwit-gateway/godwit/simulator/scenario"
	"github.com/godwit-gateway/godwit/simulator/world"
)

// runCmd plays a scenario.
type runCmd struct {
	Scenario string  `arg:"" optional:"" help:"A scenario file, or the name of one that comes with the program."`
	Seed     *uint64 `help:"Another seed than the file's." placeholder:"N"`
	Length   days    `help:"Another length than the file's; what is planned moves along." placeholder:"7d"`
	Scale    float64 `name:"devices-scale" help:"So many times as many devices in each group." default:"1" placeholder:"0.1"`
	HTML     string  `name:"html" help:"Write the report as a page that needs nothing else." type:"path" placeholder:"FILE"`
	JSON     string  `name:"json" help:"Write the report as JSON." type:"path" placeholder:"FILE"`
	Quiet    bool    `short:"q" help:"Do not show how far it is."`
	Output   string  `short:"o" help:"Form of the report on the standard output: json or text." enum:"json,text" default:"text"`

	List  bool   `help:"List the scenarios that come with the program." xor:"what"`
	Show  string `help:"Print the file of one of them, to start from." xor:"what" placeholder:"NAME"`
	Keys  bool   `help:"Print a file with every key and a comment on each." xor:"what"`
	Kinds bool   `help:"List what can be planned to happen." xor:"what"`
}

// days is a duration that may be written in days.
type days time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *days) UnmarshalText(text []byte) error {
	v, err := config.ParseDuration(string(text))
	*d = days(v)
	return err
}

// Help shows examples.
func (runCmd) Help() string {
	return `A scenario says which devices there are, over which links they speak, what that costs, and what goes
wrong. It is played in virtual time by the gateway's own code, and the same seed gives the same history.
At the end everything is healed, and what was acknowledged must be there, once; else the exit code is 1.
Ctrl-C ends it, and the report says so and tells what was seen until then.

A scenario file is TOML: [[product]], [[link]] with a ready network (cellular, iridium, low-power,
orbcomm, sms, sms-roaming) and what is different, [[group]], [[release]] and [[rollout]] for updates,
and [[incident]]. --keys prints one with every key; --show prints one of those that --list names.

Example:
  godwit-sim run --list
  godwit-sim run vehicles --html vehicles.html
  godwit-sim run --show vehicles > mine.toml
  godwit-sim run mine.toml --length 7d --devices-scale 0.1 -o json`
}

// errRun is wrapped by the error for a call that asks for nothing that can be done.
var errRun = errors.New("run")

// Run plays the scenario, or tells what there is.
func (c *runCmd) Run(e *env) error {
	switch {
	case c.List:
		return c.list(e.stdout)
	case c.Show != "":
		text, err := scenario.Text(c.Show)
		if err != nil {
			return err
		}
		_, err = io.WriteString(e.stdout, text)
		return err
	case c.Keys:
		_, err := io.WriteString(e.stdout, scenario.Reference)
		return err
	case c.Kinds:
		return kinds(e.stdout)
	case c.Scenario == "":
		return fmt.Errorf("%w: want a scenario: a file, or one of those that --list names", errRun)
	}
	s, err := scenario.Load(c.Scenario)
	if err != nil {
		return err
	}
	if err := c.change(s); err != nil {
		return err
	}
	return c.play(e, s)
}

func (c *runCmd) list(w io.Writer) error {
	for _, name := range scenario.Names() {
		s, err := scenario.Load(name)
		if err != nil {
			return err
		}
		devices := 0
		for i := range s.Setup.Groups {
			devices += s.Setup.Groups[i].Count
		}
		if _, err := fmt.Fprintf(w, "%-14s %6d devices, %5s  %s\n", name, devices, config.FormatDuration(s.Setup.Length), s.Title); err != nil {
			return err
		}
	}
	return nil
}

func kinds(w io.Writer) error {
	for _, k := range world.Kinds() {
		if _, err := fmt.Fprintf(w, "%-18s %s\n", k[0], k[1]); err != nil {
			return err
		}
	}
	return nil
}

// change makes a scenario what the flags ask for.
func (c *runCmd) change(s *scenario.Scenario) error {
	if c.Seed != nil {
		s.Setup.Seed = *c.Seed
	}
	if c.Length != 0 {
		if err := s.Last(time.Duration(c.Length)); err != nil {
			return err
		}
	}
	s.Setup.Sample = s.Pace()
	return s.Scale(c.Scale)
}

// again is the command that plays it once more.
func (c *runCmd) again(s *scenario.Scenario) string {
	line := "godwit-sim run " + c.Scenario + " --seed " + strconv.FormatUint(s.Setup.Seed, 10)
	if c.Length != 0 {
		line += " --length " + config.FormatDuration(time.Duration(c.Length))
	}
	if c.Scale != 1 {
		line += " --devices-scale " + strconv.FormatFloat(c.Scale, 'g', -1, 64)
	}
	return line
}

// play plays the scenario and writes what came of it. An invariant that broke, or a file that could not be written, is the error.
func (c *runCmd) play(e *env, s *scenario.Scenario) error {
	files, err := c.create()
	if err != nil {
		return err
	}
	r := report.New(&s.Setup)
	s.Setup.Watch, s.Setup.Log = r, e.log
	progress := c.progress(e, r)
	result, failed := world.Run(e.ctx, s.Setup)
	progress.end()
	if errors.Is(failed, context.Canceled) && !errors.Is(failed, world.ErrBroken) {
		failed = nil
	}
	version, commit := build()
	told := r.Report(report.About{
		Scenario: s.Name, Title: s.Title, Story: s.Story, Look: s.Look, Currency: s.Currency, Seed: s.Setup.Seed,
		Build: version + " commit " + commit, Repeat: c.again(s),
	}, result, errors.Join(failed, e.ctx.Err()))
	errs := []error{failed}
	for _, f := range files {
		errs = append(errs, f.write(told))
	}
	write := told.WriteText
	if c.Output == "json" {
		write = told.WriteJSON
	}
	return errors.Join(append(errs, write(e.stdout))...)
}

// sheet is a file that a report is written to.
type sheet struct {
	*os.File

	form func(*report.Report, io.Writer) error
}

// create opens the files before a long run, so that it is not in vain.
func (c *runCmd) create() ([]sheet, error) {
	var files []sheet
	for _, f := range []struct {
		name string
		form func(*report.Report, io.Writer) error
	}{{c.HTML, (*report.Report).WriteHTML}, {c.JSON, (*report.Report).WriteJSON}} {
		if f.name == "" {
			continue
		}
		file, err := os.Create(f.name)
		if err != nil {
			for _, open := range files {
				_ = open.Close() // nothing was written
			}
			return nil, fmt.Errorf("report: %w", err)
		}
		files = append(files, sheet{file, f.form})
	}
	return files, nil
}

func (f *sheet) write(r *report.Report) error {
	return errors.Join(f.form(r, f.File), f.Close())
}

// progress shows how far it is, on a terminal.
func (c *runCmd) progress(e *env, r *report.Recorder) *live {
	l := newLive(e)
	if !l.terminal || c.Quiet {
		return l
	}
	begun := time.Now()
	r.Progress = func(at time.Time, share float64, frames uint64) {
		took := time.Since(begun).Seconds()
		l.progress(fmt.Sprintf("%s  %3.0f %%  %d frames, %.0f a second", at.Format("2006-01-02 15:04"), 100*share, frames, float64(frames)/max(took, 1e-3)))
	}
	return l
}
