package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// keyFile is a file with a key, and what names it and the device on the command line.
func keyFile(t *testing.T) []string {
	t.Helper()
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte(strings.Repeat("0f", 32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"--number", "7", "--key-file", key}
}

// What frame encode makes, frame inspect opens and shows again.
func TestFrameEncodeRoundTrips(t *testing.T) {
	key := keyFile(t)
	for _, tc := range []struct {
		encode, inspect string
		want            []string
	}{
		{"--counter 1 battery=12.6 air_temperature=-3.4 --time 2026-01-31T12:00:00Z", "--received 2026-01-31T12:00:05Z", []string{"keyframe", "12.6", "-3.4", "2026-01-31T12:00:00Z"}},
		{"--counter 1 battery=12.6 --ack", "", []string{"acknowledgement"}},
		{"--counter 1 battery=12.6 --tag 4 --ctr-bits 8", "--tag 4 --ctr-bits 8", []string{"key up4", "low 8 bits"}},
		{"--counter 70000 battery=12.6 --bare", "--highest 69999", []string{"counter 70000"}},
		{"--counter 3 speed=80 --product truck-demo", "--product truck-demo", []string{"80 km/h"}},
		{"--counter 0 --hello 2.4.0", "", []string{"hello", "2.4.0", "buoy-demo"}},
		{"--counter 1099511627775 --hello 2.4.0", "", []string{"1099511627775"}},
		{"--counter 4 --message 0102ff", "", []string{"user"}},
		{"--counter 5 --steps 17:installing@5m,confirmed/0,failed/130@2h", "", []string{"17", "installing", "confirmed", "130"}},
		{"--counter 6 --alarm 3:door", "", []string{"alarm", "door"}},
		{"--counter 6 --alarm 3 --ack", "", []string{"alarm", "acknowledgement"}},
		{"--counter 7 --request keyframe,poll", "--down", []string{"request"}},
		{"--counter 8 --clock 2026-01-31T12:00:00Z", "--down", []string{"1769860800"}},
		{"--counter 8 --clock now", "--down", []string{"time"}},
		{"--counter 9 --plaintext 030405", "", []string{"user"}},
		{"--counter 9 --plaintext 030405 --down", "--down", []string{"user"}},
	} {
		t.Run(tc.encode, func(t *testing.T) {
			frame := strings.TrimSpace(godwit(t, 0, append(append([]string{"frame", "encode"}, key...), strings.Fields(tc.encode)...)...))
			out := godwit(t, 0, append(append([]string{"frame", "inspect", frame}, key...), strings.Fields(tc.inspect)...)...)
			contains(t, out, append(tc.want, "verified")...)
		})
	}
}

// A message in fragments is as many frames, each with a counter of its own, in text and in JSON.
func TestFrameEncodeFragments(t *testing.T) {
	args := append([]string{"frame", "encode", "--counter", "10", "--message", strings.Repeat("ab", 20), "--room", "16", "--fragment-set", "5"}, keyFile(t)...)
	lines := strings.Fields(godwit(t, 0, args...))
	var out struct {
		Frame  string
		Frames []string
		Bytes  int
	}
	if err := json.Unmarshal([]byte(godwit(t, 0, append(args, "-o", "json")...)), &out); err != nil {
		t.Fatal(err)
	}
	size := 0
	for _, l := range lines {
		size += len(l) / 2
	}
	if len(lines) < 2 || strings.Join(lines, " ") != strings.Join(out.Frames, " ") || out.Frame != lines[0] || out.Bytes != size {
		t.Fatalf("%q and %+v", lines, out)
	}
	for i, l := range lines {
		shown := godwit(t, 0, append([]string{"frame", "inspect", l}, keyFile(t)...)...)
		contains(t, shown, "fragment", "counter "+[]string{"10", "11", "12", "13"}[i])
	}
}

// Flags that make no frame are wrong use, and say which.
func TestFrameEncodeRefuses(t *testing.T) {
	key := keyFile(t)
	for args, want := range map[string]string{
		"":                                       "--counter",
		"--counter 1 --hello 1 battery=3":        "no measured values",
		"--counter 1 --steps 1:failed battery=3": "no measured values",
		"--counter 1 --hello 1 --alarm 3":        "can't be used together",
		"--counter 1 --down battery=12":          "not for a status",
		"--counter 1 --room 8 battery=12":        "not for a status",
		"--counter 1099511627776 battery=12":     "--counter 1099511627776",
		"--counter 18446744073709551615 --message 000000000000000000000000 --room 8": "--counter",
		"--counter 1 battery=12 battery=13":                                          "there already",
		"--counter 1 battery=NaN":                                                    "field=number",
		"--counter 1 battery=+Inf":                                                   "field=number",
		"--counter 1 battery=":                                                       "field=number",
		"--counter 1 battery":                                                        "field=number",
		"--counter 1 song=1":                                                         "no field",
		"--counter 1 battery=200":                                                    "out of range",
		"--counter 1 --time yesterday":                                               "--time yesterday",
		"--counter 1 --clock noon":                                                   "--clock noon",
		"--counter 1 --steps x:failed":                                               "rollout",
		"--counter 1 --steps 17":                                                     "step",
		"--counter 1 --steps 17:fly":                                                 "fly",
		"--counter 1 --steps 17:failed/300":                                          "300",
		"--counter 1 --steps 17:failed@soon":                                         "soon",
		"--counter 1 --steps 17:failed@-5m":                                          "-5m",
		"--counter 1 --clock 1969-12-31T23:59:59Z":                                   "before 1970",
		"--counter 1 --alarm x":                                                      "alarm",
		"--counter 1 --alarm 65536":                                                  "65536",
		"--counter 1 --request song":                                                 "song",
		"--counter 1 --plaintext x":                                                  "hex",
		"--counter 1 --message x":                                                    "hex",
		"--counter 1 --message 0001 --room 1":                                        "--room",
		"--counter 1 --tag 5 battery=1":                                              "--tag",
		"--counter 1 --ctr-bits 9 battery=1":                                         "--ctr-bits",
		"--counter 1 --product ghost":                                                "ghost",
		"--counter 1 --hello " + strings.Repeat("1", 65):                             "--hello",
	} {
		t.Run(args, func(t *testing.T) {
			contains(t, godwit(t, 2, append(append([]string{"frame", "encode"}, key...), strings.Fields(args)...)...), want)
		})
	}
	contains(t, godwit(t, 2, "frame", "encode", "--counter", "1", "--number", "7"), "--key-file or --fleet-key")
}

// inspect and explain take what a terminal gives: spaces, colons, JSON; and say where a transmission ends.
func TestFrameInspectFlags(t *testing.T) {
	key := keyFile(t)
	frame := strings.TrimSpace(godwit(t, 0, append([]string{"frame", "encode", "--counter", "300", "battery=12.6"}, key...)...))
	spaced := frame[:4] + " " + frame[4:8] + ":" + frame[8:]
	for _, command := range []string{"inspect", "explain"} {
		contains(t, godwit(t, 0, append([]string{"frame", command, spaced, "--highest", "299"}, key...)...), "12.6")
		var in struct {
			Length, Opened int
			Error          string
		}
		if err := json.Unmarshal([]byte(godwit(t, 0, append([]string{"frame", command, spaced, "-o", "json"}, key...)...)), &in); err != nil ||
			in.Opened != 1 || in.Length != len(frame)/2 || in.Error != "" {
			t.Errorf("%s: %+v, %v", command, in, err)
		}
		contains(t, godwit(t, 1, append([]string{"frame", command, frame[:len(frame)-2] + "00"}, key...)...), "would be refused", "tag")
		contains(t, godwit(t, 1, "frame", command, frame[:len(frame)-2]), "would be refused")
		contains(t, godwit(t, 1, append([]string{"frame", command, "d28440a0f640"}, key...)...), "no frame was opened")
		godwit(t, 2, "frame", command, "")
		contains(t, godwit(t, 2, append([]string{"frame", command, frame, "--received", "noon"}, key...)...), "--received noon")
		godwit(t, 2, append([]string{"frame", command, frame, "--highest", "x"}, key...)...)
	}
}
