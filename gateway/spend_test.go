package main_test

import (
	"fmt"
	"strings"
	"testing"
)

// A forecast that nothing is known of yet is told as that, and not as certain.
func TestForecastThatIsNotKnown(t *testing.T) {
	const total = `{"link":"udp0","currency":"EUR","price":"0.50","ours":"0.00","count":1,"payload_bytes":9,"billed_bytes":9}`
	for days, want := range map[int]struct{ spend, spendNot, budget, csv string }{
		0: {"what 2026-11 will come to is not known yet", "between", "not known yet", "9.50,EUR,false,,,,"},
		3: {"2026-11 will come to 7.25, between 6.00 and 8.00", "not known", "7.25", "9.50,EUR,false,7.25,6.00,8.00,"},
	} {
		forecast := fmt.Sprintf(`{"month":"2026-11","spent":"0.50","expected":"7.25","low":"6.00","high":"8.00","days":%d}`, days)
		address, _ := pathsAPI(t, map[string]string{
			"/spend":   fmt.Sprintf(`{"month":"2026-11","zone":"UTC","totals":[%s],"forecast":%s}`, total, forecast),
			"/budgets": fmt.Sprintf(`{"items":[{"scope":"fleet","currency":"EUR","amount":"10.00","left":"9.50","forecast":%s}]}`, forecast),
		})
		out := godwit(t, 0, "spend", "--api", address)
		contains(t, out, want.spend)
		if strings.Contains(out, want.spendNot) || strings.Contains(out, "nothing is booked") {
			t.Errorf("%d days: %s", days, out)
		}
		contains(t, godwit(t, 0, "spend", "budgets", "--api", address), want.budget)
		contains(t, godwit(t, 0, "spend", "budgets", "--api", address, "-o", "csv"), want.csv)
	}
}

// Where nothing is booked, that is told, with what was asked about; and that a link is not configured.
func TestNothingIsBooked(t *testing.T) {
	address, asked := pathsAPI(t, map[string]string{
		"/spend": `{"month":"2026-11","zone":"UTC","totals":[]}`, "/spend/devices": `{"items":[]}`, "/links": `{"items":[{"name":"udp0"}]}`,
	})
	for _, tc := range []struct{ args, told, query string }{
		{"", "nothing is booked in 2026-11\n", "/spend?by=customer%2Clink"},
		{"--link udp0", "nothing is booked of link udp0 in 2026-11\n", "/spend?by=customer%2Clink&link=udp0"},
		{
			"--link nope --customer acme --cause fee --by pool",
			"nothing is booked of customer acme and link nope and cause fee in 2026-11; no link of that name is configured\n",
			"/spend?by=pool&cause=fee&customer=acme&link=nope",
		},
		{"--devices --link nope", "nothing is booked of link nope in this month; no link of that name is configured\n", "/spend/devices?limit=1000&link=nope"},
		{
			"--devices --customer acme --product truck --month 2026-10 -o csv", "nothing is booked of customer acme and product truck in 2026-10\n",
			"/spend/devices?customer=acme&limit=1000&month=2026-10&product=truck",
		},
	} {
		*asked = nil
		contains(t, godwit(t, 0, append([]string{"spend", "--api", address}, strings.Fields(tc.args)...)...), tc.told)
		if len(*asked) == 0 || (*asked)[0] != tc.query {
			t.Errorf("%s: asked %q, want %q", tc.args, *asked, tc.query)
		}
	}
	for args, want := range map[string]string{
		"--by song":                `--by: sums are not kept apart by "song": want some of customer, link`,
		"--cause song":             `there is no cause "song": want one of other, status`,
		"--product truck":          "--product goes with --devices",
		"--devices --pool p":       "--pool, --campaign and --cause do not go with --devices",
		"--devices --campaign 7":   "--pool, --campaign and --cause do not go with --devices",
		"--devices --cause fee":    "--pool, --campaign and --cause do not go with --devices",
		"--devices --by customer":  "--by does not go with --devices",
		"--devices --month soon":   "want one as 2026-11",
		"--devices --product x -l": "unknown flag -l",
	} {
		*asked = nil
		contains(t, godwit(t, 2, append([]string{"spend", "--api", address}, strings.Fields(args)...)...), want)
		if len(*asked) > 0 {
			t.Errorf("%s: the gateway was asked %q", args, *asked)
		}
	}
}

// A plan tells how many devices have quiet hours, where some have.
func TestPlanTellsOfQuietHours(t *testing.T) {
	for answer, want := range map[string]bool{`{"devices":3,"quiet":2}`: true, `{"devices":3,"quiet":0}`: false} {
		address, _ := pathsAPI(t, map[string]string{"/schedule": answer})
		if out := godwit(t, 0, "schedule", "plan", "--api", address); strings.Contains(out, "with quiet hours") != want {
			t.Errorf("%s: %s", answer, out)
		}
	}
}
