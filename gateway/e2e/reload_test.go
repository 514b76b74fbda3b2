//go:build e2e

package e2e_test

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestReload: SIGHUP has tariffs, policies and budgets read anew, as a whole; of a file with mistakes nothing is taken, and all of them are told.
func TestReload(t *testing.T) {
	s := newSite(t)
	s.edit(t, func(text string) string {
		return strings.Replace(text, `kind = "udp"`, "kind = \"udp\"\ntariff = \"ntn\"", 1)
	})
	p := s.gateway(t)
	godwit := func(args string) string {
		got := call(t, "godwit", "", append(strings.Fields(args), "--config", s.config)...)
		if got.code != 0 {
			t.Errorf("%s: exit code %d\n%s%s", args, got.code, got.out, got.errout)
		}
		return got.out
	}
	reloaded := func(counter string) {
		if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		until(t, time.Minute, counter, func() bool {
			_, text := s.asks(t, "/metrics")
			return strings.Contains(text, counter)
		})
	}
	sound := ""
	s.edit(t, func(text string) string {
		sound = text
		return text + "\n[[budget]]\nscope = \"galaxy\"\namount = \"5.00\"\n[[policy]]\nname = \"odd\"\nlaw = \"song\"\n"
	})
	reloaded(`godwit_config_reloads_total{outcome="refused"} 1`)
	for _, mistake := range []string{"budget[0].scope", "policy[0].law"} {
		if !strings.Contains(p.out.String(), mistake) {
			t.Errorf("the log does not tell of %s\n%s", mistake, p.out)
		}
	}
	// The commands read the file as well: of it they only want where the gateway is.
	s.configure(t, sound)
	if out := godwit("spend budgets -o json"); strings.Contains(out, "5.00") {
		t.Errorf("a budget of a wrong file is in force: %s", out)
	}
	s.configure(t, strings.Replace(sound, `tariff = "ntn"`, `tariff = "dear"`, 1)+`
[log]
level = "debug"
[[tariff]]
name = "dear"
currency = "USD"
[[tariff.term]]
unit = "message"
price = "7.00"
[[budget]]
scope = "fleet"
amount = "5.00"
[schedule]
budget = "4.00"
`)
	reloaded(`godwit_config_reloads_total{outcome="taken"} 1`)
	if out := godwit("spend budgets -o json"); !strings.Contains(out, `"5.00"`) {
		t.Errorf("the new budget is not in force: %s", out)
	}
	until(t, time.Minute, "the log to tell of what waits for the next start", func() bool {
		return strings.Contains(p.out.String(), "next start") && strings.Contains(p.out.String(), "[log]")
	})
	d := newDevice(t, 1, s.udp, 1)
	counter, hello := d.frame(t)
	buf := make([]byte, 2048)
	until(t, time.Minute, "the gateway to answer the device", func() bool {
		_, err := d.conn.Write(hello)
		return err == nil && d.awaitAck(buf, counter)
	})
	if out := godwit("event tail --from 1 --max 1 --subject godwit.v1.gw1.event.*.*.*.hello -o json"); !strings.Contains(out, `"price":"7.00"`) && !strings.Contains(out, `"price": "7.00"`) {
		t.Errorf("the new price is not that of the frame: %s", out)
	}
	told := godwit("event tail --from 1 --max 2 --subject godwit.v1.gw1.config.> -o json")
	if !strings.Contains(told, "policy[0].law") || !strings.Contains(told, "config.taken") && !strings.Contains(told, `taken`) {
		t.Errorf("%s", told)
	}
	if err := p.stop(t); err != nil {
		t.Errorf("the gateway ended with %v\n%s", err, p.out)
	}
}
