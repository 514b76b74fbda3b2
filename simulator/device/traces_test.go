package device_test

import (
	"encoding/csv"
	"errors"
	"io/fs"
	"math"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/simulator/device"
)

// buoyTrace is a year of a weather buoy, hour by hour, where the traces are.
const buoyTrace = "../../../shared/data/buoy_ndbc_44005_2012.csv"

// stepOver is how far a signal moves in so many hours: the root of the mean square. It says as much as the autocorrelation, in the signal's own unit.
func stepOver(signal map[int]float64, hours int) float64 {
	sum, n := 0.0, 0
	for at, x := range signal {
		if y, ok := signal[at+hours]; ok {
			sum += (y - x) * (y - x)
			n++
		}
	}
	return math.Sqrt(sum / float64(max(n, 1)))
}

// The weather of a simulated device moves as that of a real buoy does, over half a day and a day, however long its steps are. Within an hour it is
// rougher: real pressure goes on as it went, and what follows a random walk does not.
func TestWeatherMovesAsARealOne(t *testing.T) {
	buoy := readTrace(t)
	hundredth := codec.Decimal{Coef: 1, Exp: -2}
	names := []struct{ ours, theirs string }{{"air_temperature", "atmp"}, {"pressure", "pres"}, {"wind_speed", "wspd"}, {"wave_height", "wvht"}}
	fields := make([]codec.Field, 0, len(names))
	for i, n := range names {
		fields = append(fields, codec.Field{ID: uint8(i + 1), Name: n.ours, Scale: hundredth, Offset: -20000, Width: 24})
	}
	tpl, err := codec.NewTemplate(codec.Timing{}, fields)
	if err != nil {
		t.Fatal(err)
	}
	for _, every := range []int{1, 12} { // hours between readings: also with long steps
		ours := make([]map[int]float64, len(fields))
		w := device.NewWorld(5, start)
		for i := range ours {
			ours[i] = map[int]float64{}
		}
		for at := 0; at < 2*8766; at += every {
			w.Advance(time.Duration(every) * time.Hour)
			for i, v := range w.Measure(tpl, time.Hour) {
				ours[i][at] = fields[i].Float(v)
			}
		}
		for i, n := range names {
			for _, hours := range []int{1, 12, 24} {
				if hours < every {
					continue
				}
				got, want := stepOver(ours[i], hours), stepOver(buoy[n.theirs], hours)
				t.Logf("%s read every %d h, over %d h: %.2f, of a real one %.2f", n.ours, every, hours, got, want)
				most := 2.5
				if hours == 1 {
					most = 4
				}
				if got < want/most || got > want*most {
					t.Errorf("%s moves by %.2f in %d h, a real one by %.2f", n.ours, got, hours, want)
				}
			}
		}
	}
}

// readTrace reads the columns of the trace by the hour of its time.
func readTrace(t *testing.T) map[string]map[int]float64 {
	t.Helper()
	f, err := os.Open(buoyTrace)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the traces are not here")
	} else if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	columns := map[string]map[int]float64{}
	for _, row := range rows[1:] {
		seconds, err := strconv.Atoi(row[0])
		if err != nil {
			t.Fatal(err)
		}
		for i, name := range rows[0][1:] {
			if x, err := strconv.ParseFloat(row[i+1], 64); err == nil {
				if columns[name] == nil {
					columns[name] = map[int]float64{}
				}
				columns[name][seconds/3600] = x
			}
		}
	}
	return columns
}
