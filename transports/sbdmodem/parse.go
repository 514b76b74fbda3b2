package sbdmodem

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// errAnswer is an answer that is not one to the command.
var errAnswer = errors.New("the transceiver's answer cannot be read")

// A result is what the transceiver says of a session (+SBDIX).
type result struct {
	mo     int    // status, see moStatuses
	momsn  uint16 // of this session
	mt     int    // 0 nothing came, 1 a message did, 2 one should have and did not
	mtmsn  uint16 // of the message
	length int    // of the message
	queued int    // messages that wait with the network still
}

// MT statuses.
const (
	mtNone = iota
	mtReceived
	mtFailed
)

// A state is what the transceiver says of its buffers (+SBDSX).
type state struct {
	mo      bool   // the MO buffer holds a message
	momsn   uint16 // of the next session that goes well
	mt      bool   // the MT buffer holds a message
	mtmsn   uint16 // of that, or of the last one
	ring    bool   // a ring alert was not answered yet
	waiting int    // messages that wait with the network, as of the last session
}

// fields reads an answer of whole numbers behind a name: "+SBDIX: 0, 12, 1, 5, 100, 0", with or without spaces.
func fields(text string, count int, names ...string) ([]int, error) {
	for _, name := range names {
		rest, ok := strings.CutPrefix(text, name+":")
		if !ok {
			continue
		}
		parts := strings.Split(rest, ",")
		if len(parts) != count {
			break
		}
		out := make([]int, count)
		for i, p := range parts {
			n, err := strconv.Atoi(strings.TrimSpace(p))
			if err != nil || n < -1 || n > 65535 {
				return nil, fmt.Errorf("%w: %.60q", errAnswer, text)
			}
			out[i] = n
		}
		return out, nil
	}
	return nil, fmt.Errorf("%w: %.60q", errAnswer, text)
}

// find reads the first line of an answer that fields can read.
func find(lines []string, count int, names ...string) ([]int, error) {
	for _, text := range lines {
		if f, err := fields(text, count, names...); err == nil {
			return f, nil
		}
	}
	return nil, fmt.Errorf("%w: %.100q", errAnswer, strings.Join(lines, "|"))
}

// parseResult reads the answer to +SBDIX and +SBDIXA, which some firmware echoes in the name.
func parseResult(lines []string) (result, error) {
	f, err := find(lines, 6, "+SBDIX", "+SBDIXA")
	if err != nil {
		return result{}, err
	}
	if f[0] < 0 || f[1] < 0 || f[2] < 0 || f[2] > mtFailed {
		return result{}, fmt.Errorf("%w: %v", errAnswer, f)
	}
	return result{mo: f[0], momsn: sequence(f[1]), mt: f[2], mtmsn: sequence(f[3]), length: f[4], queued: max(f[5], 0)}, nil
}

// parseState reads the answer to +SBDSX.
func parseState(lines []string) (state, error) {
	f, err := find(lines, 6, "+SBDSX")
	if err != nil {
		return state{}, err
	}
	if f[0]|1 != 1 || f[1] < 0 || f[2]|1 != 1 || f[4]|1 != 1 {
		return state{}, fmt.Errorf("%w: %v", errAnswer, f)
	}
	return state{mo: f[0] == 1, momsn: sequence(f[1]), mt: f[2] == 1, mtmsn: sequence(f[3]), ring: f[4] == 1, waiting: max(f[5], 0)}, nil
}

// sequence is a sequence number; -1 stands for none.
func sequence(n int) uint16 { return uint16(max(n, 0)) } //nolint:gosec // fields reads nothing above 65535

// parseRegistration reads the answer to +SBDREG, which has the outcome too, or to +SBDREG?.
func parseRegistration(lines []string) (status, code int, err error) {
	if f, err := find(lines, 2, "+SBDREG"); err == nil {
		return f[0], f[1], nil
	}
	f, err := find(lines, 1, "+SBDREG")
	if err != nil {
		return 0, 0, err
	}
	return f[0], 0, nil
}

// registered is the status of a transceiver that the network can ring.
const registered = 2

// parseSignal reads the answer to +CSQF, which may bear the name of +CSQ.
func parseSignal(lines []string) (int, error) {
	f, err := find(lines, 1, "+CSQF", "+CSQ")
	if err != nil {
		return 0, err
	}
	if f[0] < 0 || f[0] > 5 {
		return 0, fmt.Errorf("%w: %d bars", errAnswer, f[0])
	}
	return f[0], nil
}

// timePattern is a valid time of the system in the answer to -MSSTM.
var timePattern = regexp.MustCompile(`^-MSSTM: *[0-9A-Fa-f]{8}$`)

// knowsTime reports whether the transceiver has the system's time.
func knowsTime(lines []string) bool {
	for _, text := range lines {
		if timePattern.MatchString(text) {
			return true
		}
	}
	return false
}

// firmwarePattern is the version of the part of the firmware that had the defect that -MSSTM works around.
var firmwarePattern = regexp.MustCompile(`\bTA(\d{5})\b`)

// timeSafe is the first version without it.
const timeSafe = 13001

// parseFirmware reads the answer to +CGMR. A version that cannot be read counts as old: asking for the time does no harm.
func parseFirmware(lines []string) (version string, old bool) {
	for _, text := range lines {
		if m := firmwarePattern.FindStringSubmatch(text); m != nil {
			n, err := strconv.Atoi(m[1])
			return m[0], err != nil || n < timeSafe
		}
	}
	return "", true
}
