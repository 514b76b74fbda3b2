package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/godwit-gateway/godwit/gateway/config"
	"github.com/godwit-gateway/godwit/scheduler/core"
)

// Pools belong to tariffs; where each line adds to an allowance, how many there are must be said.
func TestPools(t *testing.T) {
	c, err := config.Load(config.Source{Text: udpLink + "tariff = \"idp\"\n[[pool]]\nname = \"idp\"\nmembers = 250\nreserve = 0.2\nhard = true\n"})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.HubSchedule().Core.Pools; len(got) != 1 || !cmp.Equal(got[0], core.Pool{Name: "idp", Members: 250, Reserve: new(0.2), Hard: true}) {
		t.Errorf("%+v", got)
	}
	_, err = config.Load(config.Source{Text: udpLink + "tariff = \"idp\"\n[[pool]]\nname = \"ghost\"\nmembers = -1\nreserve = 1\n[[pool]]\nname = \"ghost\"\n"})
	var ps config.FileErrors
	if !errors.As(err, &ps) {
		t.Fatal(err)
	}
	keys := make([]string, len(ps))
	for i, p := range ps {
		keys[i] = p.Key
	}
	want := "pool[0].name pool[0].members pool[0].reserve pool[1].name pool[1].name link.udp0.tariff"
	for _, key := range strings.Fields(want) {
		if !strings.Contains(strings.Join(keys, " "), key) {
			t.Errorf("%s is not among %v", key, keys)
		}
	}
	if len(keys) != len(strings.Fields(want)) {
		t.Errorf("%v: %v", keys, err)
	}
}
