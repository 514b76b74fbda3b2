package codec_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/codec"
)

// F-060, F-061: steps come back with ages that are at most their own, and no coarser than one part in 128; no step has more than three bytes.
func TestStepLogRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := codec.StepLog{Rollout: rapid.Uint32().Draw(t, "rollout"), HasClock: rapid.Bool().Draw(t, "clocked")}
		if l.HasClock {
			l.Clock = rapid.Uint16().Draw(t, "clock")
		}
		for range rapid.IntRange(1, codec.StepsMax).Draw(t, "steps") {
			l.Steps = append(l.Steps, codec.StepEntry{
				Step: codec.UpdateStep(rapid.Uint8Range(0, 14).Draw(t, "step")), Code: rapid.SampledFrom([]uint8{0, 0, 1, 1, 2, 11, 128, 255}).Draw(t, "code"),
				Age: time.Duration(rapid.Int64Range(0, 40*24*60).Draw(t, "minutes")) * time.Minute,
			})
		}
		b, err := codec.AppendStepLog(nil, &l)
		body := written(t, codec.MessageStepLog, b, err)
		if most := 5 + 3*len(l.Steps) + 3; len(body) > most {
			t.Fatalf("%d bytes, want up to %d", len(body), most)
		}
		got, err := codec.DecodeStepLog(body)
		if err != nil || got.Rollout != l.Rollout || got.HasClock != l.HasClock || got.Clock != l.Clock || len(got.Steps) != len(l.Steps) {
			t.Fatalf("%+v, %v", got, err)
		}
		for i, e := range got.Steps {
			want := l.Steps[i]
			late := want.Age - e.Age
			if e.Step != want.Step || e.Code != want.Code || late < 0 || !e.Over && late > want.Age/128 || e.Over && e.Age < 11*24*time.Hour {
				t.Fatalf("%+v became %+v", want, e)
			}
		}
		again, err := codec.AppendStepLog(nil, &got)
		if err != nil || string(again) != string(b) {
			t.Fatalf("%x is %x when it is written again, %v", b, again, err)
		}
	})
}

// F-062: the log was made at the only time that its clock can mean; without one, when the frame was sent.
func TestStepLogMade(t *testing.T) {
	made := time.Date(2026, 3, 1, 11, 7, 0, 0, time.UTC)
	l := codec.StepLog{HasClock: true, Clock: codec.ClockOf(made)}
	for _, late := range []time.Duration{-time.Hour + time.Minute, 0, time.Hour, 40 * 24 * time.Hour} {
		if got := l.Made(made.Add(late)); !got.Equal(made) {
			t.Errorf("%s later it was made at %s", late, got)
		}
	}
	if got := (&codec.StepLog{}).Made(made); !got.Equal(made) {
		t.Error(got)
	}
}

// The sizes that SPEC §4.2 promises.
func TestStepLogSizes(t *testing.T) {
	dev := testDevice()
	up := codec.NewCipher(codec.DeriveSealKey(&dev, nil, codec.LabelUp8, 7, 0))
	size := func(ctrBits uint8, l codec.StepLog) int {
		plaintext, err := codec.AppendStepLog(nil, &l)
		if err != nil {
			t.Fatal(err)
		}
		item, err := up.AppendSealed(nil, codec.MakeHeader(codec.KindExtended, 0, 0), codec.Position{Number: 7, Counter: 1}, ctrBits, 8, plaintext)
		if err != nil {
			t.Fatal(err)
		}
		return len(item)
	}
	done := codec.StepEntry{Step: codec.StepConfirmed, Code: codec.CodeSuccess}
	failed := codec.StepEntry{Step: codec.StepFailed, Code: 5, Age: 10 * time.Minute}
	many := []codec.StepEntry{done, done, done, done, done, failed}
	got := map[string]int{
		"one step, 8-bit counter":           size(8, codec.StepLog{Rollout: 7, Steps: []codec.StepEntry{done}}),
		"one step, rollout above 23":        size(8, codec.StepLog{Rollout: 200, Steps: []codec.StepEntry{done}}),
		"one step, 16-bit counter":          size(16, codec.StepLog{Rollout: 200, Steps: []codec.StepEntry{done}}),
		"one failed step":                   size(8, codec.StepLog{Rollout: 200, Steps: []codec.StepEntry{failed}}),
		"one step and the clock":            size(8, codec.StepLog{Rollout: 200, HasClock: true, Steps: []codec.StepEntry{done}}),
		"five steps and a failed one":       size(8, codec.StepLog{Rollout: 200, Steps: many}),
		"rollout of five bytes, failed one": size(8, codec.StepLog{Rollout: 1 << 31, Steps: []codec.StepEntry{failed}}),
	}
	want := map[string]int{
		"one step, 8-bit counter": 15, "one step, rollout above 23": 16, "one step, 16-bit counter": 17, "one failed step": 17,
		"one step and the clock": 19, "five steps and a failed one": 28, "rollout of five bytes, failed one": 20,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestUpdateStepNames(t *testing.T) {
	for i := range codec.UpdateStep(15) {
		if got, err := codec.ParseUpdateStep(i.String()); err != nil || got != i {
			t.Errorf("%d is %s is %d, %v", i, i, got, err)
		}
	}
	for _, s := range []string{"", "15", "-1", "done"} {
		if _, err := codec.ParseUpdateStep(s); err == nil {
			t.Errorf("%q is a step", s)
		}
	}
}
