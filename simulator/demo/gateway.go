package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/api"
	"github.com/godwit-gateway/godwit/gateway/config"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/node"
	"github.com/godwit-gateway/godwit/scheduler"
)

const (
	gatewayID  = "demo"
	streamName = "GODWIT_" + gatewayID
)

// gateway is the gateway under show: the node that `godwit run` runs, from a configuration file as `godwit run` reads it. Devices reach it
// through its links only, and everything else goes through its API.
type gateway struct {
	cfg    *config.Config
	node   *node.Node
	client *api.Client
	cancel context.CancelFunc
	ended  chan error // how Run ended, if it did so by itself
	done   chan error // how Run ended
}

// startGateway starts it and returns once it listens.
func startGateway(ctx context.Context, s *site, log *slog.Logger) (*gateway, error) {
	cfg, err := config.Load(config.Source{Path: s.Config})
	if err != nil {
		return nil, err
	}
	n, err := node.New(ctx, cfg, log)
	if err != nil {
		return nil, fmt.Errorf("start the gateway: %w", err)
	}
	token, err := os.ReadFile(cfg.API.TokenFile)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("token of the gateway: %w", err), n.Close())
	}
	g := &gateway{
		cfg: cfg, node: n, client: api.NewClient(n.APIAddress(), strings.TrimSpace(string(token))), ended: make(chan error, 1), done: make(chan error, 1),
	}
	ctx, g.cancel = context.WithCancel(ctx)
	started := make(chan struct{})
	go func() {
		err := n.Run(ctx, func() { close(started) })
		g.ended <- err
		g.done <- err
	}()
	select {
	case <-started:
		return g, nil
	case err := <-g.done:
		g.cancel()
		return nil, fmt.Errorf("start the gateway: %w", err)
	}
}

func (g *gateway) templates() map[string]*codec.Template {
	templates := make(map[string]*codec.Template)
	for i := range g.cfg.Products {
		templates[g.cfg.Products[i].Name] = g.cfg.Products[i].Template
	}
	return templates
}

// importDevices brings the devices with factory keys, as an operator would. On a state that is used again they are there already.
func (g *gateway) importDevices(ctx context.Context, members []member) error {
	var missing []member
	for _, m := range members {
		if !m.imported {
			continue
		}
		if _, err := g.node.Hub().Device(m.name); err != nil {
			missing = append(missing, m)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	text, err := importFile(missing)
	if err != nil {
		return err
	}
	var report api.ImportReport
	if err := g.client.Post(ctx, "/devices/import", nil, []byte(text), &report); err != nil {
		return fmt.Errorf("import the devices: %w", err)
	}
	if !report.Done {
		return fmt.Errorf("import the devices: line %d: %s", report.Errors[0].Line, report.Errors[0].Error)
	}
	return nil
}

// counts is what the gateway says of its links.
func (g *gateway) counts() map[string]Link {
	counts := make(map[string]Link)
	for _, l := range g.node.Hub().Links() {
		c := Link{Received: l.Received, Accepted: l.Stored, Duplicate: l.Duplicate}
		for _, n := range l.Rejected {
			c.Rejected += n
		}
		counts[l.Name] = c
	}
	return counts
}

// schedule is what the gateway says of intervals and money.
func (g *gateway) schedule(s *Summary, members []member) {
	h := g.node.Hub()
	var spent scheduler.Micros
	for _, t := range h.Spend(0, 0, hub.SpendFilter{}).Totals {
		spent += t.Micros
	}
	s.Spent = spent.String()
	var longest scheduler.Secs
	for i := range members {
		p, ok := h.Prospects(members[i].name)
		if !ok || !p.Told {
			continue
		}
		s.Told++
		if members[i].link == linkSMS {
			longest = max(longest, p.Every)
		}
	}
	if longest > 0 {
		s.TellsSMS = (time.Duration(longest) * time.Second).String()
	}
}

func (g *gateway) api() string { return "http://" + g.node.APIAddress() + "/api/v1" }

// stop ends the gateway as a signal does.
func (g *gateway) stop() error {
	g.cancel()
	return <-g.done
}
