package size_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/gateway/bench/size"
)

// A run without the shared traces says what it lacks, measures the synthetic ones and a file that nothing is known of.
func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	dir := t.TempDir()
	var csv strings.Builder
	csv.WriteString("at,level,label\n")
	for i := range 200 {
		csv.WriteString("2024-01-0" + string(rune('1'+i/100)) + " 10:" + string(rune('0'+i/10%6)) + string(rune('0'+i%10)) + "," + string(rune('0'+i%7)) + ".5,x\n")
	}
	for name, text := range map[string]string{
		"unseen": csv.String(), "tank": csv.String(), // as one of those that are always there
		"words": "once,upon\na,time\n", "short": "t,x\n1,2\n2,3\n", "vast": csv.String() + "2024-01-03,9.96921e36,x\n",
		"partly": strings.ReplaceAll(strings.ReplaceAll(csv.String(), ",x\n", ",9.96921e36\n"), ",6.5,", ",,"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name+".csv"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var said strings.Builder
	f, err := size.Run(t.Context(), size.Options{Data: t.TempDir(), Traces: dir, Devices: []int{100}}, func(what string) { said.WriteString(what + "\n") })
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"passed over", "buoy_ndbc_44005_2012.csv", "generated", `column "label" is not of numbers`, `"label" spans`} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("%q was not said:\n%s", want, &said)
		}
	}
	for _, name := range []string{"tank", "fridge", "heartbeat", "tracker", "unseen", "tank.csv", "partly"} {
		r := f.Traces[name]
		if r == nil || r.PayloadMean <= 0 || r.EntropyMean <= 0 || r.JSONRatio > 0.2 || r.HeartbeatP95Tag4 > 10 || r.HeartbeatP95Tag8 > 14 ||
			r.Means["packed_absolute"] < r.PayloadMean || r.Batch24Mean > r.PayloadMean {
			t.Errorf("%s: %+v", name, r)
		}
	}
	for name, want := range map[string]string{"words": "line 2", "short": "too few", "vast": "too many"} {
		if got := f.PassedOver[name]; !strings.Contains(got, want) || f.Traces[name] != nil {
			t.Errorf("%s is passed over: %q, want %q", name, got, want)
		}
	}
	if f.Allocs != 0 || f.OpenPerSecond == 0 {
		t.Errorf("%v frames a second with %v allocations each", f.OpenPerSecond, f.Allocs)
	}
}

// Files of which none can be measured are no run that went well.
func TestRunRefuses(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "words.csv"), []byte("once,upon\na,time\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if f, err := size.Run(t.Context(), size.Options{Data: t.TempDir(), Traces: dir}, func(string) {}); err == nil || !strings.Contains(err.Error(), "words.csv") {
		t.Errorf("%+v, %v", f, err)
	}
}
