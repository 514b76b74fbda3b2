package rollouts

import (
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/trial"
)

func TestDev(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("RUNS"))
	hold := os.Getenv("HOLD") != ""
	began := time.Now()
	f, err := NewFleet(10000, 100)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("fleet", time.Since(began))
	var iv []int64
	for c := trial.Cell; c <= trial.IDP; c++ {
		iv = iv[:0]
		for _, d := range f.devices {
			if d.class == c {
				iv = append(iv, d.interval)
			}
		}
		sort.Slice(iv, func(a, b int) bool { return iv[a] < iv[b] })
		fmt.Println(c, float64(iv[len(iv)/10])/3600, float64(iv[len(iv)/2])/3600, float64(iv[len(iv)*9/10])/3600, "burst C:")
		for k := 1; k <= 8; k++ {
			fmt.Printf(" %.5f", f.model.BurstProbability(uint8(c), k))
		}
		fmt.Println()
	}
	for _, s := range []Scenario{{Name: "plain"}, {Name: "x5", Attrition: 5}, {Name: "sms", SMS: true}, {Name: "out3", Outages: 3}, {Name: "x5p1", Attrition: 5, OneOnly: true},
		{Name: "3%", Bad: 0.03}, {Name: "10%", Bad: 0.1}, {Name: "1%", Bad: 0.01}, {Name: "delayed", Bad: 0.03, Delay: 24 * 3600}, {Name: "3%x5", Bad: 0.03, Attrition: 5}} {
		if o := os.Getenv("ONLY"); o != "" && !strings.Contains(","+o+",", ","+s.Name+",") {
			continue
		}
		began := time.Now()
		var rs []Result
		for i := range n {
			r, err := Run{Fleet: f, Scenario: s, Seed: uint64(1000 + i), Hold: hold}.Play()
			if err != nil {
				t.Fatal(err)
			}
			rs = append(rs, r)
		}
		fmt.Println(s.Name, time.Since(began)/time.Duration(n))
		sum := func(name string, of func(r *Result) *Outcome) {
			var h, e, b []float64
			for i := range rs {
				o := of(&rs[i])
				if o.Hours >= 0 {
					h = append(h, o.Hours)
				}
				e = append(e, float64(o.Exposed))
				b = append(b, float64(o.Bricked))
			}
			sort.Float64s(h)
			sort.Float64s(e)
			sort.Float64s(b)
			med := func(x []float64, q float64) float64 {
				if len(x) == 0 {
					return -1
				}
				return x[int(q*float64(len(x)-1))]
			}
			fmt.Printf("   %-45s halted %d/%d  h %.1f/%.1f exposed %.0f bricked %.0f\n", name, len(h), n, med(h, .5), med(h, .9), med(e, .5), med(b, .5))
		}
		sum("ours", func(r *Result) *Outcome { return &r.Ours })
		for i, name := range RuleNames() {
			sum(name, func(r *Result) *Outcome { return &r.Rules[i] })
		}
		for c, name := range []string{"B", "B2", "F", "A1", "A2", "C"} {
			sum(name, func(r *Result) *Outcome { return &r.Parts[c] })
		}
		var ev [6]float64
		var done, peak []float64
		for i := range rs {
			for c := range ev {
				ev[c] += rs[i].Evidence[c] / float64(n)
			}
			done = append(done, rs[i].Complete)
			peak = append(peak, rs[i].Peak)
		}
		sort.Float64s(done)
		sort.Float64s(peak)
		fmt.Printf("   mean E %.3g complete %.0f peak %.3g max %.3g\n", ev, done[n/2], peak[n/2], peak[n-1])
	}
}
