package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"

	"github.com/godwit-gateway/godwit/gateway/config"
)

// reloadable are the tables that take effect while the gateway runs, by their keys; and of a link its tariff, and what contacts are like.
var reloadable = map[string]bool{"tariff": true, "schedule": true, "policy": true, "budget": true, "pool": true, "region": true}

// Reload goes on with the tariffs, policies, budgets, pools and regions of a configuration that load reads: as a whole, or not at all if anything in it is wrong.
// What else is new in it takes effect at the next start, and is named in the log. It waits until that is on disk.
func (n *Node) Reload(ctx context.Context, load func() (*config.Config, error)) error {
	cfg, err := load()
	if err == nil {
		err = n.hub.Reconfigure(ctx, cfg.HubSchedule())
	}
	if err != nil {
		mistakes := mistakesOf(err)
		for _, text := range mistakes {
			n.log.Error("configuration is not taken, the one in force stays", slog.String("mistake", text))
		}
		return errors.Join(fmt.Errorf("read the configuration anew: %w", err), n.hub.RefuseConfig(ctx, mistakes))
	}
	n.log.Info("configuration is taken: tariffs, policies, budgets, pools and regions")
	if later := atNextStart(n.cfg, cfg); len(later) > 0 {
		n.log.Warn("configuration has changes that take effect at the next start", slog.Any("tables", later))
	}
	return nil
}

// mistakesOf is all that is wrong, one by one.
func mistakesOf(err error) []string {
	var list config.FileErrors
	if !errors.As(err, &list) {
		return []string{err.Error()}
	}
	texts := make([]string, len(list))
	for i := range list {
		texts[i] = list[i].String()
	}
	return texts
}

// atNextStart are the keys of tables that differ and are not reloadable.
func atNextStart(was, is *config.Config) (keys []string) {
	a, b := reflect.ValueOf(*was), reflect.ValueOf(*is)
	for i := range a.NumField() {
		key := a.Type().Field(i).Tag.Get("toml")
		if key == "-" || reloadable[key] {
			continue
		}
		x, y := a.Field(i).Interface(), b.Field(i).Interface()
		if key == "link" {
			x, y = withoutPrices(was.Links), withoutPrices(is.Links)
		}
		if !reflect.DeepEqual(x, y) {
			keys = append(keys, key)
		}
	}
	return keys
}

// withoutPrices are links without what is reloadable of them.
func withoutPrices(links map[string]config.Link) map[string]config.Link {
	plain := make(map[string]config.Link, len(links))
	for name, l := range links {
		l.Tariff, l.Contact = "", config.Contact{}
		plain[name] = l
	}
	return plain
}
