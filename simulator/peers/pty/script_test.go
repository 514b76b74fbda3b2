package pty_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/pty"
)

type action uint8

const (
	nothing action = iota
	mute
	fail
	end
)

func director(script ...pty.Step[action]) *pty.Director[action] {
	d := &pty.Director[action]{Rng: rand.New(rand.NewPCG(1, 2))}
	d.Add(script...)
	return d
}

// Each step counts the commands that contain its own, those included to which another step happens; of two whose turn it is the second waits.
func TestScript(t *testing.T) {
	commands := []string{"AT+CMGL=4", "at+cmgd=1", "AT+CSQ", "AT+CMGD=2", "AT+CMGD=3", "AT+CMGD=4"}
	for _, tt := range []struct {
		name   string
		script []pty.Step[action]
		want   []action
	}{
		{"none", nil, []action{nothing, nothing, nothing, nothing, nothing, nothing}},
		{"any", []pty.Step[action]{{Do: mute}}, []action{mute, nothing, nothing, nothing, nothing, nothing}},
		{"of a command", []pty.Step[action]{{Command: "+cmgd", Do: mute}}, []action{nothing, mute, nothing, nothing, nothing, nothing}},
		{"third", []pty.Step[action]{{Command: "+CMGD", Nth: 3, Do: mute}}, []action{nothing, nothing, nothing, nothing, mute, nothing}},
		{
			"first and second",
			[]pty.Step[action]{{Command: "+CMGD", Nth: 1, Do: mute}, {Command: "+CMGD", Nth: 2, Do: fail}},
			[]action{nothing, mute, nothing, fail, nothing, nothing},
		},
		{
			"at one command",
			[]pty.Step[action]{{Command: "+CMGD", Do: mute}, {Command: "+CMGD", Do: fail}},
			[]action{nothing, mute, nothing, fail, nothing, nothing},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := director(tt.script...)
			var got []action
			for _, c := range commands {
				got = append(got, d.Next(c, nil).Do)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("steps %v, want %v", got, tt.want)
			}
		})
	}
}

// A fault more or less, of chance or of the script, leaves the luck of what follows as it is.
func TestLuck(t *testing.T) {
	draws := func(p float64, script ...pty.Step[action]) (luck []float64) {
		d := director(script...)
		for range 8 {
			d.Next("AT", []pty.Chance[action]{{P: p, Step: pty.Step[action]{Do: fail}}, {P: 0.5, Step: pty.Step[action]{Do: mute}}})
			luck = append(luck, d.Rng.Float64())
		}
		return luck
	}
	want := draws(0)
	for name, got := range map[string][]float64{"certain": draws(1), "scripted": draws(0, pty.Step[action]{Do: fail})} {
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	d := director()
	if s := d.Next("AT", []pty.Chance[action]{{P: 1, Step: pty.Step[action]{Do: mute}}, {P: 1, Step: pty.Step[action]{Do: fail}}, {P: 0}}); s.Do != fail {
		t.Errorf("%+v, want the last that comes true", s)
	}
}

func TestValidate(t *testing.T) {
	for _, s := range []pty.Step[action]{{Do: end}, {Nth: -1}, {For: -time.Second}} {
		if err := s.Validate(end); !errors.Is(err, pty.ErrOptions) {
			t.Errorf("%+v: %v", s, err)
		}
	}
	if err := (&pty.Step[action]{Command: "+CMGD", Nth: 2, Do: fail, For: time.Second}).Validate(end); err != nil {
		t.Error(err)
	}
	for s, good := range map[pty.Span]bool{{}: true, {Least: 1, Most: 2}: true, {Least: -1}: false, {Least: 2, Most: 1}: false} {
		if err := s.Validate(); errors.Is(err, pty.ErrOptions) == good {
			t.Errorf("%v: %v", s, err)
		}
	}
}

func TestSpan(t *testing.T) {
	rng, s := rand.New(rand.NewPCG(3, 4)), pty.Span{Least: time.Second, Most: 2 * time.Second}
	for range 1000 {
		if d := s.Draw(rng); d < s.Least || d > s.Most {
			t.Fatalf("%v drawn from %v", d, s)
		}
	}
}
