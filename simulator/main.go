package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/godwit-gateway/godwit/simulator/demo"
	"github.com/godwit-gateway/godwit/simulator/scenario"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// cli is the command line.
type cli struct {
	Log string `help:"Log level of what runs inside: debug, info, warn or error." enum:"debug,info,warn,error" default:"warn"`

	Demo    demoCmd    `cmd:"" help:"Run the whole gateway on loopback against a simulated fleet."`
	Serve   serveCmd   `cmd:"" help:"Run simulated devices and a simulated modem for a gateway that runs elsewhere."`
	Run     runCmd     `cmd:"" help:"Play a scenario in virtual time and tell what came of it: a fleet, its links, and what goes wrong."`
	Seeds   seedsCmd   `cmd:"" help:"Play random worlds in virtual time: the gateway's own code, and everything that can fail."`
	Bench   benchCmd   `cmd:"" help:"Measure how fast virtual time passes, and what schedules are worth."`
	Faults  faultsCmd  `cmd:"" help:"Run the fault matrix: what can go wrong, and the tests that show what comes of it."`
	Data    dataCmd    `cmd:"" help:"Print what simulated sensors measure, as a CSV file to train templates on."`
	Version versionCmd `cmd:"" help:"Print the build."`
}

// env is what commands get of the process.
type env struct {
	ctx    context.Context //nolint:containedctx // kong hands one value to a command
	stdout io.Writer
	stderr io.Writer
	log    *slog.Logger
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// exit carries kong's wish to end (after --help) through the parser.
type exit int

func run(args []string, stdout, stderr io.Writer) (code int) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case exit:
			code = int(r)
		default:
			panic(r)
		}
	}()
	var c cli
	parser, err := kong.New(&c, kong.Name("godwit-sim"), kong.Description("The other side of a gateway: devices, radios, modems."),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { panic(exit(code)) }), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "godwit-sim:", err)
		return exitFailed
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		parser.Stdout = stderr
		usage(err, stderr)
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Log)); err != nil {
		_, _ = fmt.Fprintln(stderr, "godwit-sim:", err)
		return exitUsage
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	err = parsed.Run(&env{ctx: ctx, stdout: stdout, stderr: stderr, log: log})
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, demo.ErrOptions), errors.Is(err, errRun), errors.Is(err, scenario.ErrUnknown), errors.Is(err, scenario.ErrScale):
		_, _ = fmt.Fprintln(stderr, "godwit-sim:", err)
		return exitUsage
	default:
		_, _ = fmt.Fprintln(stderr, "godwit-sim:", err)
		return exitFailed
	}
}

// usage writes how the command is to be used that could not be parsed, what was wrong, and where there is more.
func usage(err error, stderr io.Writer) {
	command := "godwit-sim"
	var pe *kong.ParseError
	if errors.As(err, &pe) && pe.Context != nil {
		node := pe.Context.Selected()
		if node != nil {
			command = node.FullPath()
		}
		_ = pe.Context.PrintUsage(node != nil)
		_, _ = fmt.Fprintln(stderr)
	}
	_, _ = fmt.Fprintf(stderr, "godwit-sim: %v\nTry: %s --help\n", err, command)
}

type versionCmd struct {
	Output string `short:"o" help:"Form of the output: json or table." enum:"json,table" default:"table"`
}

// Help shows an example.
func (versionCmd) Help() string {
	return `Example:
  godwit-sim version -o json`
}

// Run prints the module version and the commit that the program was built from.
func (c *versionCmd) Run(e *env) error {
	version, commit := build()
	if c.Output == "json" {
		return json.NewEncoder(e.stdout).Encode(map[string]string{"version": version, "commit": commit})
	}
	_, err := fmt.Fprintf(e.stdout, "godwit-sim %s commit %s\n", version, commit)
	return err
}

// build is what the program was built from.
func build() (version, commit string) {
	version, commit = "unknown", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = s.Value
			}
		}
	}
	return version, commit
}
