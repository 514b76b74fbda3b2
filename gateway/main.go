package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/godwit-gateway/godwit/gateway/api"
	"github.com/godwit-gateway/godwit/gateway/config"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// cli is the command line.
type cli struct {
	Config    string   `short:"c" help:"Configuration file." env:"GODWIT_CONFIG" default:"godwit.toml" type:"path" placeholder:"FILE"`
	Set       []string `help:"Set a value of the configuration, as in --set nats.mode=external." placeholder:"KEY=VALUE" sep:"none"`
	API       string   `name:"api" help:"Address of the gateway's API instead of the configuration's: unix:/path, host:port or a URL." env:"GODWIT_API" placeholder:"ADDRESS"`
	TokenFile string   `help:"File with the token for the API instead of the configuration's; GODWIT_TOKEN holds a token itself." type:"path" placeholder:"FILE"`
	Output    string   `short:"o" help:"Form of the output: table, json, or the table as csv." enum:"table,json,csv" default:"table"`

	Run        runCmd        `cmd:"" help:"Run the gateway."`
	Status     statusCmd     `cmd:"" help:"Show how the gateway is."`
	Conf       configCmd     `cmd:"" name:"config" help:"Write a configuration, or check one."`
	Device     deviceCmd     `cmd:"" help:"The inventory of devices."`
	Frame      frameCmd      `cmd:"" help:"Look at frames, and make them."`
	Template   templateCmd   `cmd:"" help:"Templates of products: train them, look at them."`
	Release    releaseCmd    `cmd:"" help:"Software for devices: sign it, make it known."`
	Rollout    rolloutCmd    `cmd:"" help:"Updates of devices: plan them, allow them, follow them."`
	Tariff     tariffCmd     `cmd:"" help:"What links cost."`
	Schedule   scheduleCmd   `cmd:"" help:"How often devices speak, and which are silent."`
	Spend      spendCmd      `cmd:"" help:"What was spent, on what."`
	Event      eventCmd      `cmd:"" help:"Events as they are published."`
	Message    messageCmd    `cmd:"" help:"Messages to devices."`
	Quarantine quarantineCmd `cmd:"" help:"What was not understood."`
	Link       linkCmd       `cmd:"" help:"Links and their counters."`
	Audit      auditCmd      `cmd:"" help:"Who allowed what."`
	Token      tokenCmd      `cmd:"" help:"Tokens for the API."`
	Store      storeCmd      `cmd:"" help:"The store: backups, checks and repairs."`
	Bench      benchCmd      `cmd:"" help:"Measure the gateway on this machine."`
	Version    versionCmd    `cmd:"" help:"Print the build."`
}

// env is what commands get of the process.
type env struct {
	ctx    context.Context //nolint:containedctx // kong hands one value to a command
	cli    *cli
	stdout io.Writer
	stderr io.Writer
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// exit carries kong's wish to end (after --help) through the parser.
type exit int

// errUsage is wrapped by errors of the command line that only the command itself could find.
var errUsage = errors.New("usage")

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
	parser, err := kong.New(&c, kong.Name("godwit"), kong.Description("A gateway between fleets of remote devices and NATS JetStream."),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { panic(exit(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}))
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "godwit:", err)
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
	return report(parsed.Run(&env{ctx: ctx, cli: &c, stdout: stdout, stderr: stderr}), stderr)
}

// usage writes how the command is to be used that could not be parsed, what was wrong, and where there is more.
func usage(err error, stderr io.Writer) {
	command := "godwit"
	var pe *kong.ParseError
	if errors.As(err, &pe) && pe.Context != nil {
		node := pe.Context.Selected()
		if node != nil {
			command = node.FullPath()
		}
		_ = pe.Context.PrintUsage(node != nil && node.Leaf()) // of a group of commands all are listed
		_, _ = fmt.Fprintln(stderr)
	}
	_, _ = fmt.Fprintf(stderr, "godwit: %v\nTry: %s --help\n", err, command)
}

// report writes an error for people and gives the exit code.
func report(err error, stderr io.Writer) int {
	if err == nil {
		return exitOK
	}
	var ps config.FileErrors
	if errors.As(err, &ps) {
		_, _ = fmt.Fprintln(stderr, ps)
		_, _ = fmt.Fprintf(stderr, "godwit: %d %s in the configuration\n", len(ps), plural(len(ps), "mistake"))
		return exitFailed
	}
	_, _ = fmt.Fprintln(stderr, "godwit:", err)
	if errors.Is(err, api.ErrToken) {
		_, _ = fmt.Fprintln(stderr, "The token was that of --token-file, else of GODWIT_TOKEN, else of api.token_file in the configuration.")
	}
	if errors.Is(err, errUsage) {
		return exitUsage
	}
	return exitFailed
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// load reads the configuration that the command line names.
func (e *env) load() (*config.Config, error) {
	return config.Load(config.Source{Path: e.cli.Config, Environ: os.Environ(), Set: e.cli.Set})
}

// client is a client of the gateway that the command line, the environment or the configuration name, in this order.
func (e *env) client() (*api.Client, error) {
	address, token := e.cli.API, os.Getenv("GODWIT_TOKEN")
	file := e.cli.TokenFile
	if address == "" || token == "" && file == "" {
		cfg, err := e.load()
		if err != nil {
			return nil, stranger(err)
		}
		address, file = cmp.Or(address, cfg.API.Listen), cmp.Or(file, cfg.API.TokenFile)
	}
	if token == "" || e.cli.TokenFile != "" {
		b, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("token for the API: %w (the gateway makes it at its first start; set GODWIT_TOKEN or --token-file)", err)
		}
		if err != nil {
			return nil, stranger(fmt.Errorf("token for the API: %w", err))
		}
		token = strings.TrimSpace(string(b))
	}
	return api.NewClient(address, token), nil
}

// stranger adds to an error what somebody does who may not read the gateway's own files.
func stranger(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w (run it as root or as the gateway's user; others give --api, and their own token in GODWIT_TOKEN or --token-file)", err)
	}
	return err
}

// logger is the daemon's log.
func logger(c config.Log, w io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		panic("config: level was not checked: " + err.Error())
	}
	o := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
