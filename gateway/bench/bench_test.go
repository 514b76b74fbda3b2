package bench_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/godwit-gateway/godwit/gateway/bench"
)

// All that a run does, at a size that takes seconds. How large the figures are says nothing here, that they are there does.
func TestRun(t *testing.T) {
	o := bench.Options{Dir: t.TempDir(), Rounds: 2, Devices: 200, Frames: 3000, Fleet: 2000, Acks: 10}
	steps := 0
	f, err := bench.Run(t.Context(), o, func(s string) { steps++; t.Log(s) })
	if err != nil {
		t.Fatal(err)
	}
	d, r := &f.Details, &f.Details.Round
	for name, v := range map[string]float64{
		"ingest_ratio": f.IngestRatio, "ingest_frames_per_second": f.IngestPerSecond, "ack_fsync_ratio": f.AckFsyncRatio,
		"allocs_per_frame": f.AllocsPerFrame, "bytes_per_device": f.BytesPerDevice, "start_seconds": f.StartSeconds,
		"store ceiling": r.StorePerSecond, "stream ceiling": r.StreamPerSecond, "store alone": d.StoreAlonePerSecond, "stream alone": d.StreamAlonePerSecond,
		"ack": float64(d.AckMedian), "fsync": float64(d.FsyncMedian), "frames per commit": r.FramesPerCommit, "events per batch": r.EventsPerPublish,
		"bytes of rows": r.RowBytes, "allocations in all": r.Allocs,
	} {
		if !(v > 0) {
			t.Errorf("%s is %v, want more than nothing", name, v)
		}
	}
	// Each device registers with an event, and every frame is one: two of each device to warm up, and the measured ones.
	if want := uint64(3*o.Devices + o.Frames); r.Events != want {
		t.Errorf("%d events are on the stream, want %d", r.Events, want)
	}
	if r.Frames != o.Frames || len(d.Rounds) != o.Rounds || steps == 0 {
		t.Errorf("%d frames, %d rounds, %d steps", r.Frames, len(d.Rounds), steps)
	}
	var table bytes.Buffer
	if err := f.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", &table)
}

func TestFiguresJSON(t *testing.T) {
	b, err := json.Marshal(bench.Figures{})
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	want := []string{"ack_fsync_ratio", "allocs_per_frame", "bytes_per_device", "ingest_frames_per_second", "ingest_ratio", "start_seconds_100k"}
	if d := cmp.Diff(want, names); d != "" {
		t.Errorf("names in the JSON (-want +got):\n%s", d)
	}
}

func TestRunWithoutFolder(t *testing.T) {
	if _, err := bench.Run(t.Context(), bench.Options{Dir: "/dev/null/x", Devices: 1, Frames: 1}, func(string) {}); err == nil {
		t.Error("measured where nothing can be written")
	}
}
