package satbench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/rockblock"
)

// post is one webhook, ready to go.
type post struct {
	contentType string
	body        []byte
}

// Webhooks has so many webhooks a second come to a whole gateway, whatever becomes of the ones before, and returns how long 99 of 100 took at most, from
// when they were due to the 200 that says that their events are on disk.
func Webhooks(ctx context.Context, o Options, rate int) (time.Duration, error) {
	service, err := rockblock.New(rockblock.Options{})
	if err != nil {
		return 0, err
	}
	key, err := service.PublicKey()
	if err != nil {
		return 0, err
	}
	g, err := startGateway(ctx, o, key)
	if err != nil {
		return 0, err
	}
	times, err := g.webhooks(ctx, service, o, rate)
	if serr := g.stop(); err == nil {
		err = serr
	}
	if err != nil {
		return 0, err
	}
	slices.Sort(times)
	return times[min(len(times)*99/100, len(times)-1)], nil
}

// webhooks returns how long each of o.Messages took.
func (g *gateway) webhooks(ctx context.Context, service *rockblock.Service, o Options, rate int) ([]time.Duration, error) {
	modems := make([]*modem, o.Senders)
	for i := range modems {
		modems[i] = newModem(uint32(i + 1))
	}
	posts := make([]post, o.Messages+o.Senders) // made before: signing is not the gateway's work
	for i := range posts {
		m := modems[i%len(modems)]
		n := m.next
		payload, err := m.payload()
		if err != nil {
			return nil, err
		}
		if posts[i].contentType, posts[i].body, err = service.Body(rockblock.Message{IMEI: m.imei(), MOMSN: n, At: time.Now(), Data: payload}); err != nil {
			return nil, err
		}
	}
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	address := "http://" + g.node.LinkAddress(webhookLink) + "/"
	for _, p := range posts[:o.Senders] { // they register
		if err := p.send(ctx, client, address); err != nil {
			return nil, err
		}
	}
	posts = posts[o.Senders:]
	times, errs := make([]time.Duration, len(posts)), make([]error, len(posts))
	began := time.Now()
	var wg sync.WaitGroup
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i := range posts {
		due := began.Add(time.Duration(i) * time.Second / time.Duration(rate))
		timer.Reset(time.Until(due))
		select {
		case <-timer.C:
		case <-ctx.Done():
			wg.Wait()
			return nil, ctx.Err()
		}
		wg.Go(func() {
			errs[i] = posts[i].send(ctx, client, address)
			times[i] = time.Since(due)
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return times, g.check(webhookLink, len(posts)+o.Senders)
}

// send brings one webhook, which must be taken.
func (p *post) send(ctx context.Context, client *http.Client, address string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(p.body))
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	r.Header.Set("Content-Type", p.contentType)
	res, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	defer func() { _ = res.Body.Close() }() // there is nothing in it
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<16))
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("webhook: %s: %w", res.Status, errNotTaken)
	}
	return nil
}
