package size

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/train"
)

// A Trace is what one device measured, and the draft of a template for it.
type Trace struct {
	Name  string
	Draft train.Draft
	Rows  []train.Row
	Rare  []codec.Rare // with each row
	Notes []string     // what of it is not from its source

	Unknown bool // nobody saw it before: there may be nothing to learn from it
}

// field is a field with its lowest value and bits, in steps of a scale.
func field(name, unit string, scale codec.Decimal, lowest int64, bits uint8) train.Field {
	return train.Field{Field: codec.Field{Name: name, Unit: unit, Scale: scale, Offset: lowest, Width: bits}}
}

func decimal(coef int64, exp int8) codec.Decimal { return codec.Decimal{Coef: coef, Exp: exp} }

// source is a trace that is known: its file, and what its columns are.
type source struct {
	name, file string
	time       string // name of the column
	columns    []string
	fields     []train.Field
}

// lakes are the traces of one make of buoy.
var lakes = map[string]bool{"montrose": true, "calumet": true, "osterman": true}

func lake(name string) source {
	return source{
		name: name, file: "lakebuoy_chicago_" + name + ".csv", time: "ts_localnaive",
		columns: []string{"water_temp_c", "turbidity_ntu", "depth_m", "wave_height_m", "wave_period_s", "batt_v"},
		fields: []train.Field{
			field("water_temperature", "Cel", decimal(1, -1), -50, 10), field("turbidity", "NTU", decimal(1, -2), 0, 18),
			field("depth", "m", decimal(1, -3), -2000, 13), field("wave_height", "m", decimal(1, -3), 0, 13),
			field("wave_period", "s", decimal(1, 0), 0, 6), field("battery", "V", decimal(1, -1), 50, 8),
		},
	}
}

var sources = []source{
	{
		name: "weatherbuoy", file: "buoy_ndbc_44005_2012.csv", time: "ts",
		columns: []string{"wdir", "wspd", "gst", "wvht", "dpd", "apd", "mwd", "pres", "atmp", "wtmp", "dewp"},
		fields: []train.Field{
			field("wind_direction", "deg", decimal(1, 0), 0, 9), field("wind_speed", "m/s", decimal(1, -1), 0, 10),
			field("wind_gust", "m/s", decimal(1, -1), 0, 10), field("wave_height", "m", decimal(1, -2), 0, 11),
			field("dominant_period", "s", decimal(1, -2), 0, 12), field("average_period", "s", decimal(1, -2), 0, 12),
			field("wave_direction", "deg", decimal(1, 0), 0, 9), field("pressure", "hPa", decimal(1, -1), 8500, 12),
			field("air_temperature", "Cel", decimal(1, -1), -400, 10), field("water_temperature", "Cel", decimal(1, -1), -50, 9),
			field("dew_point", "Cel", decimal(1, -1), -500, 10),
		},
	},
	lake("montrose"), lake("calumet"), lake("osterman"),
	{
		name: "room", file: "nab_ambient_temperature_system_failure.csv", time: "timestamp", columns: []string{"value"},
		fields: []train.Field{field("temperature", "[degF]", decimal(1, -1), 0, 11)},
	},
	{
		name: "vehicle", file: "vehicle_gotrack_uci.csv", time: "time", columns: []string{"latitude", "longitude"},
		fields: []train.Field{field("latitude", "deg", decimal(1, -5), -9_000_000, 25), field("longitude", "deg", decimal(1, -5), -18_000_000, 26)},
	},
}

// load reads the known traces of a folder. What is absent is named.
func load(dir string) (traces []*Trace, absent []string, err error) {
	for i := range sources {
		s := &sources[i]
		table, err := readTable(filepath.Join(dir, s.file), s.time)
		if errors.Is(err, fs.ErrNotExist) {
			absent = append(absent, s.file)
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		table.Match(s.columns)
		t := &Trace{Name: s.name, Draft: train.Draft{AnyUnit: true, AnyInterval: true, Fields: slices.Clone(s.fields)}, Rows: table.Rows}
		t.addHeartbeat(uint64(i) + 1)
		traces = append(traces, t)
	}
	return traces, absent, nil
}

func readTable(path, timeColumn string) (*train.Table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	t, err := train.ReadTable(f, timeColumn)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("trace %s: %w", path, err)
	}
	return t, nil
}

// columnsMax leaves room for the heartbeat.
const columnsMax = codec.FieldsMax - 3

// loadUnknown reads all CSV files of a folder that nothing is known of but that their first column is a time. Scales and ranges come from the whole
// of a file: what a sensor can say is known before it is used. A file that is no such table is passed over. known are the traces of these names.
func loadUnknown(dir string, known []*Trace, passOver func(name string, err error)) ([]*Trace, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.csv"))
	if err != nil || len(paths) == 0 {
		return nil, fmt.Errorf("traces: no CSV files in %s", dir)
	}
	var traces []*Trace
	for i, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".csv")
		if slices.ContainsFunc(known, func(t *Trace) bool { return t.Name == name }) {
			name += ".csv"
		}
		table, err := readTable(path, "")
		if errors.Is(err, train.ErrTable) {
			passOver(name, err)
			continue
		}
		if err != nil {
			return nil, err
		}
		t := &Trace{Name: name, Unknown: true, Draft: train.Draft{AnyUnit: true, AnyInterval: true}}
		for _, skipped := range table.Skipped {
			t.Notes = append(t.Notes, skipped.String())
		}
		unsayable := dropUnsayable(table)
		if err := errors.Join(unsayable...); err != nil && len(table.Names) == 0 {
			passOver(name, fmt.Errorf("trace %s: %w", path, err))
			continue
		}
		for _, err := range unsayable {
			t.Notes = append(t.Notes, err.Error())
		}
		if len(table.Names) > columnsMax {
			t.Notes = append(t.Notes, fmt.Sprintf("the first %d of %d columns", columnsMax, len(table.Names)))
			first := make([]int, columnsMax)
			for n := range first {
				first[n] = n
			}
			table.Choose(first)
		}
		for n := range table.Names {
			t.Draft.Fields = append(t.Draft.Fields, open(fmt.Sprintf("f%d", n)))
		}
		t.Rows = table.Rows
		t.addHeartbeat(100 + uint64(i))
		traces = append(traces, t)
	}
	return traces, nil
}

// open is a field of which all is to be chosen.
func open(name string) train.Field {
	return train.Field{Field: codec.Field{Name: name}, AnyScale: true, AnyOffset: true, AnyWidth: true}
}

// dropUnsayable takes the columns out whose numbers no template can say, and says why.
func dropUnsayable(table *train.Table) (why []error) {
	var keep []int
	rows := make([]train.Row, len(table.Rows))
	for n, name := range table.Names {
		for i := range rows {
			rows[i].Values = table.Rows[i].Values[n : n+1]
		}
		if _, err := train.Resolve(train.Draft{Fields: []train.Field{open(name)}}, rows); err != nil {
			why = append(why, err)
			continue
		}
		keep = append(keep, n)
	}
	table.Choose(keep)
	return why
}
