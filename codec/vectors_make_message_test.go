package codec_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// messageCase is a message whose body is put together by hand.
type messageCase struct{ name, spec, comment, hex, fields string }

func (m *maker) good(operation string, cases ...messageCase) {
	m.t.Helper()
	for _, c := range cases {
		body, written, _ := strings.Cut(c.hex, "|")
		var h []string
		if c.fields != "" {
			h = []string{"fields: " + c.fields}
		}
		if written != "" {
			h = append(h, "again: "+strings.ReplaceAll(written, " ", ""))
		}
		m.add(operation+"-"+c.name, c.spec, "ok", c.comment, operation, m.hex(body), h...)
	}
}

func (m *maker) refused(operation string, cases ...messageCase) {
	m.t.Helper()
	for _, c := range cases {
		expect := c.fields
		if expect == "" {
			expect = "malformed"
		}
		m.add(operation+"-"+c.name, c.spec, expect, c.comment, operation, m.hex(c.hex))
	}
}

func (m *maker) messages() {
	m.stepLogs()
	m.alarms()
	m.policies()
	m.intervals()
	m.offers()
	m.smallDownlinks()
	m.fragments()
	m.reassemblies()
}

func (m *maker) stepLogs() {
	m.good("step-log",
		messageCase{"one", "F-060", "one step, now", "07 4c00", "rollout=7 confirmed/1@0"},
		messageCase{
			"update", "F-060 F-062", "an update that fails, and the clock", "1864 0069 0c3f 24f0 3c05 c41001 f89c40",
			"rollout=100 offered/0@105 accepted/1@63 downloading/1@240 installing/1@5 rebooting/130@1 clock=40000",
		},
		messageCase{"rollout-widest", "F-060", "the highest rollout", "1affffffff 0000", "rollout=4294967295 offered/0@0"},
		messageCase{"steps-later", "F-060", "steps of a later version", "00 6000 6c01 f01001", "rollout=0 12/0@0 13/1@1 14/2@1"},
		messageCase{
			"ages", "F-061", "where ages become coarser in two bytes", "00 00ff 0100 0101 0180 0181 03fe 03ff",
			"rollout=0 offered/0@255 offered/0@256 offered/0@258 offered/0@512 offered/0@516 offered/0@16256 offered/0@16320+",
		},
		messageCase{
			"ages-long", "F-061", "the same in three bytes", "00 d811ff d81200 d81201 d81300 d817fe d817ff",
			"rollout=0 failed/2@511 failed/2@512 failed/2@514 failed/2@1024 failed/2@32640 failed/2@32704+",
		},
		messageCase{"vendor", "F-060", "the highest code", "01 dff800", "rollout=1 failed/255@0"},
		messageCase{"many", "F-060", "as many steps as may be", "01" + strings.Repeat("2000", 64), "rollout=1" + strings.Repeat(" downloading/0@0", 64)},
		messageCase{"clock-zero", "F-062", "a clock of zero", "01 2000 f80000", "rollout=1 downloading/0@0 clock=0"},
	)
	m.refused("step-log",
		messageCase{"none", "F-060", "no body", "", "truncated"},
		messageCase{"no-steps", "F-060", "no step", "07", ""},
		messageCase{"only-clock", "F-060", "a clock and no step", "07 f80000", ""},
		messageCase{"cut-short", "F-060", "a step of one byte", "07 4c", "truncated"},
		messageCase{"cut-long", "F-060", "a step of two bytes that should have three", "07 c410", "truncated"},
		messageCase{"too-many", "F-060", "a step too many", "01" + strings.Repeat("2000", 65), ""},
		messageCase{"rollout-beyond", "F-060", "a rollout of 2^32", "1b0000000100000000 2000", ""},
		messageCase{"rollout-longer", "F-060", "a rollout that is not the shortest", "1807 2000", ""},
		messageCase{"rollout-negative", "F-060", "a negative rollout", "20 2000", ""},
		messageCase{"success-long", "F-060", "code 1 in three bytes", "07 c80800", ""},
		messageCase{"started-long", "F-060", "code 0 in three bytes", "07 c80000", ""},
		messageCase{"step-15", "F-060", "step 15 in two bytes", "07 7800", ""},
		messageCase{"clock-bits", "F-060", "a bit of the clock that is reserved", "07 2000 f90000", ""},
		messageCase{"behind-clock", "F-060", "a step behind the clock", "07 2000 f80000 2000", ""},
	)
}

func (m *maker) alarms() {
	long := "7841" + strings.Repeat("61", 65)
	m.good("alarm",
		messageCase{"code", "F-063", "a code alone", "a1 01 00", "1=0"},
		messageCase{
			"full", "F-063", "all that an alarm can say", "a5 01 182a 02 1a69a40000 03 6562696c6765 04 fb4028800000000000 05 f5|a5 01 182a 02 1a69a40000 03 6562696c6765 04 f94a20 05 f5",
			`1=42 2=1772355584 3="bilge" 4=12.25 5=true`,
		},
		messageCase{"negative", "F-063", "a negative value", "a2 01 19ffff 04 38ff", "1=65535 4=-256"},
		messageCase{"text", "F-063", "the longest text", "a2 01 01 03 7840" + strings.Repeat("61", 64), `1=1 3="` + strings.Repeat("a", 64) + `"`},
		messageCase{"unknown", "F-042 F-063", "keys of a later version, odd and even", "a3 01 01 07 f5 0a 82 01 02", "1=1 7=true 10=[1,2]"},
	)
	m.refused("alarm",
		messageCase{"empty", "F-063", "no code", "a0", ""},
		messageCase{"null", "F-063", "null for a code", "a1 01 f6", ""},
		messageCase{"undefined", "F-063", "undefined for a code", "a1 01 f7", ""},
		messageCase{"code-beyond", "F-063", "a code of 17 bits", "a1 01 1a00010000", ""},
		messageCase{"time-beyond", "F-063", "a time of 2^40", "a2 01 01 02 1b0000010000000000", ""},
		messageCase{"text-beyond", "F-063", "a text of 65 bytes", "a2 01 01 03" + long, ""},
		messageCase{"value-text", "F-063", "a text for a value", "a2 01 01 04 6131", ""},
		messageCase{"value-true", "F-063", "true for a value", "a2 01 01 04 f5", ""},
		messageCase{"value-nan", "F-041", "not a number", "a2 01 01 04 f97e00", ""},
		messageCase{"value-beyond", "F-063", "a value beyond 63 bits", "a2 01 01 04 1bffffffffffffffff", ""},
		messageCase{"cleared-number", "F-063", "1 for true", "a2 01 01 05 01", ""},
		messageCase{"unknown-nan", "F-041", "not a number in a key of a later version", "a2 01 01 07 81f97e00", ""},
		messageCase{"negative-key", "F-063", "a negative key", "a2 01 01 20 00", ""},
		messageCase{"two", "F-041", "a key stands twice", "a2 01 01 01 01", ""},
	)
}

// intervals are all that there are, by the floating point that the codec does without.
func (m *maker) intervals() {
	codes, seconds := make([]byte, 64), make([]string, 64)
	for k := range codes {
		codes[k], seconds[k] = byte(k), strconv.Itoa(int(math.Round(900*math.Pow(2, float64(k)/4))))
	}
	m.add("interval-codes", "F-079", "ok", "every interval that has a code", "interval", codes, "seconds: "+strings.Join(seconds, " "))
}

func (m *maker) policies() {
	m.good("policy",
		messageCase{"interval", "F-065", "fifty minutes", "a1 01 190bb8", "1=3000"},
		messageCase{"code", "F-079", "an hour by its code", "a1 03 08", "3=8"},
		messageCase{"code-first", "F-079", "15 minutes, the first code", "a2 03 00 08 01", "3=0 8=1"},
		messageCase{"code-last", "F-079", "574 days, the last code", "a2 03 183f 08 01", "3=63 8=1"},
		messageCase{
			"full", "F-065 F-066", "all that a policy can say", "a5 01 1a00015180 02 83 63736264 63736d73 63756470 04 84 190528 19012c 19 0258 19 0294 06 a2 03 05 0a 19012c 08 1a00010000",
			`1=86400 2=["sbd","sms","udp"] 4=[1320,300,600,660] 6={"3":5,"10":300} 8=65536`,
		},
		messageCase{"nothing", "F-066", "a policy that changes nothing", "a0", ""},
		messageCase{"taken-away", "F-066", "empty lists take away what was set", "a3 02 80 04 80 06 a0", "2=[] 4=[] 6={}"},
		messageCase{"even", "F-064", "an even key of a later version", "a2 01 190bb8 0c 82 01 02|a1 01 190bb8", "1=3000"},
		messageCase{"longer", "F-065", "not in deterministic encoding", "a2 08 1801 01 19003c|a2 01 183c 08 01", "1=60 8=1"},
	)
	m.refused("policy",
		messageCase{"odd", "F-064", "an odd key of a later version", "a2 01 190bb8 05 01", "unsupported"},
		messageCase{"code-beyond", "F-079", "code 64", "a1 03 1840", ""},
		messageCase{"code-far", "F-079", "code 256", "a1 03 190100", ""},
		messageCase{"code-null", "F-065", "null for a code", "a1 03 f6", ""},
		messageCase{"code-and-seconds", "F-079", "a code and seconds", "a2 01 190bb8 03 08", ""},
		messageCase{"code-and-none", "F-079", "a code and no seconds, which is an interval too", "a2 01 00 03 08", ""},
		messageCase{"odd-far", "F-064", "an odd key far beyond", "a1 1b00000000ffffffff 00", "unsupported"},
		messageCase{"null", "F-065", "null", "f6", ""},
		messageCase{"interval-beyond", "F-065", "an interval of 2^32", "a1 01 1b0000000100000000", ""},
		messageCase{"interval-float", "F-065", "an interval that is a float", "a1 01 f94e00", ""},
		messageCase{"links", "F-065", "nine bearers", "a1 02 89" + strings.Repeat("6161", 9), ""},
		messageCase{"link-null", "F-065", "null for a bearer", "a1 02 82 6161 f6", ""},
		messageCase{"link-bytes", "F-065", "bytes for a bearer", "a1 02 81 4161", ""},
		messageCase{"quiet-odd", "F-066", "quiet hours without an end", "a1 04 81 01", ""},
		messageCase{"quiet-beyond", "F-066", "minute 1440", "a1 04 82 00 1905a0", ""},
		messageCase{"quiet-empty", "F-066", "quiet from a minute to itself", "a1 04 82 05 05", ""},
		messageCase{"quiet-many", "F-065", "nine spans", "a1 04 92" + strings.Repeat("0001", 9), ""},
		messageCase{"quiet-null", "F-065", "null for a minute", "a1 04 82 05 f6", ""},
		messageCase{"deadband-field", "F-065", "a deadband of field 256", "a1 06 a1 190100 01", ""},
		messageCase{"deadband-null", "F-065", "null for a deadband", "a1 06 a1 03 f6", ""},
		messageCase{"deadband-negative", "F-065", "a negative deadband", "a1 06 a1 03 20", ""},
	)
}

func (m *maker) offers() {
	hash := "50" + strings.Repeat("ab", 16)
	url := "68 687474703a2f2f61"
	body := func(pairs int, more string) string {
		return fmt.Sprintf("%02x", 0xa4+pairs) + " 01 11 03" + url + "05 1a0003a980 07" + hash + more
	}
	fields := `1=17 3="http://a" 5=240000 7="` + strings.Repeat("ab", 16) + `"`
	m.good("offer",
		messageCase{"least", "F-065", "what an offer must say", body(0, ""), fields},
		messageCase{
			"full", "F-065 F-068", "all that an offer can say",
			"aa 01 11 02 65322e342e30 03" + url + "04 84 0a 183c 18f0 1902d0 05 1a0003a980 06 1a69cc0000 07 5820" + strings.Repeat("ab", 32) + "09 1a00075300 0b f5 0d 1a69a40000",
			`1=17 2="2.4.0" 3="http://a" 4=[10,60,240,720] 5=240000 6=1774977024 7="` + strings.Repeat("ab", 32) + `" 9=480000 11=true 13=1772355584`,
		},
		messageCase{"even", "F-064", "an even key of a later version", body(1, "0c 01") + "|" + body(0, ""), fields},
		messageCase{"no-consent", "F-065", "consent that is not needed", body(1, "0b f4") + "|" + body(0, ""), fields},
	)
	m.refused("offer",
		messageCase{"odd", "F-064", "an odd key of a later version", body(1, "0f 01"), "unsupported"},
		messageCase{"no-hash", "F-065", "no hash", "a3 01 11 03" + url + "05 01", ""},
		messageCase{"no-rollout", "F-065", "no rollout", "a3 03" + url + "05 01 07" + hash, ""},
		messageCase{"no-size", "F-065", "no size", "a3 01 11 03" + url + "07" + hash, ""},
		messageCase{"no-url", "F-065", "an empty URL", "a4 01 11 03 60 05 01 07" + hash, ""},
		messageCase{"url", "F-065", "a URL of 256 bytes", "a4 01 11 03 790100" + strings.Repeat("61", 256) + "05 01 07" + hash, ""},
		messageCase{"hash-short", "F-065", "a hash of 15 bytes", "a4 01 11 03" + url + "05 01 07 4f" + strings.Repeat("ab", 15), ""},
		messageCase{"hash-long", "F-065", "a hash of 33 bytes", "a4 01 11 03" + url + "05 01 07 5821" + strings.Repeat("ab", 33), ""},
		messageCase{"burst", "F-068", "a burst programme that does not rise", "a5 01 11 03" + url + "04 82 0a 0a 05 01 07" + hash, ""},
		messageCase{"burst-many", "F-065", "17 reports", "a5 01 11 03" + url + "04 91 0102030405060708090a0b0c0d0e0f1011 05 01 07" + hash, ""},
		messageCase{"before-beyond", "F-065", "a time of 2^40", body(1, "0d 1b0000010000000000"), ""},
	)
}

func (m *maker) smallDownlinks() {
	salt := "50 000102030405060708090a0b0c0d0e0f"
	m.good("request",
		messageCase{"keyframe", "F-069 F-071", "a keyframe", "a1 01 01", "1=1"},
		messageCase{"all", "F-069", "all that may be asked for", "a1 01 07", "1=7"},
		messageCase{"even", "F-064", "an even key of a later version", "a2 01 02 181e 81 f5|a1 01 02", "1=2"},
	)
	m.refused("request",
		messageCase{"odd", "F-064", "an odd key of a later version", "a2 01 02 09 f5", "unsupported"},
		messageCase{"nothing", "F-069", "for nothing", "a1 01 00", ""},
		messageCase{"more", "F-069", "for something of a later version", "a1 01 09", "unsupported"},
		messageCase{"far", "F-069", "for something far beyond", "a1 01 1b8000000000000001", "unsupported"},
		messageCase{"empty", "F-065", "no key", "a0", ""},
		messageCase{"even-nan", "F-041", "not a number in a key that is passed over", "a2 01 02 0c f97e00", ""},
	)
	m.good("time",
		messageCase{"seconds", "F-065", "a time", "a1 01 1a69a40000", "1=1772355584"},
		messageCase{"accuracy", "F-065", "within two seconds, in the year 2107", "a2 01 1b0000000100000000 02 02", "1=4294967296 2=2"},
		messageCase{"last", "F-065", "the last time", "a1 01 1b000000ffffffffff", "1=1099511627775"},
	)
	m.refused("time",
		messageCase{"beyond", "F-065", "a second more", "a1 01 1b0000010000000000", ""},
		messageCase{"negative", "F-065", "before 1970", "a1 01 20", ""},
		messageCase{"none", "F-065", "only how accurate it is", "a1 02 02", ""},
	)
	m.good("rekey",
		messageCase{"first", "F-070", "the first rekey", "a2 01 01 03" + salt, `1=1 3="000102030405060708090a0b0c0d0e0f"`},
		messageCase{"last", "F-112", "the last epoch", "a2 01 1affffffff 03" + salt, `1=4294967295 3="000102030405060708090a0b0c0d0e0f"`},
	)
	m.refused("rekey",
		messageCase{"zero", "F-070", "back to epoch 0", "a2 01 00 03" + salt, ""},
		messageCase{"beyond", "F-065", "an epoch of 2^32", "a2 01 1b0000000100000000 03" + salt, ""},
		messageCase{"no-salt", "F-112", "no salt", "a1 01 01", ""},
		messageCase{"no-epoch", "F-112", "no epoch", "a1 03" + salt, ""},
		messageCase{"long-salt", "F-112", "a salt of 17 bytes", "a2 01 01 03 51" + strings.Repeat("00", 17), ""},
		messageCase{"short-salt", "F-065", "a salt of 15 bytes", "a2 01 01 03 4f" + strings.Repeat("00", 15), ""},
		messageCase{"text-salt", "F-065", "a salt that is a text", "a2 01 01 03 70" + strings.Repeat("61", 16), ""},
		messageCase{"odd", "F-064", "an odd key of a later version", "a3 01 01 03" + salt + "05 01", "unsupported"},
	)
	m.good("template-set", messageCase{"last", "F-065", "the last slot", "a2 01 06 03 481122334455667788", `1=6 3="1122334455667788"`})
	m.refused("template-set",
		messageCase{"slot", "F-065", "slot 7", "a2 01 07 03 481122334455667788", ""},
		messageCase{"hash", "F-065", "a hash of 9 bytes", "a2 01 00 03 49112233445566778899", ""},
		messageCase{"no-slot", "F-065", "no slot", "a1 03 481122334455667788", ""},
	)
	m.good("sleep",
		messageCase{"plain", "F-065", "nothing more", "a0", ""},
		messageCase{"seconds", "F-065", "nothing more for an hour", "a1 02 190e10", "2=3600"},
		messageCase{"even", "F-064", "an even key of a later version", "a1 00 05|a0", ""},
	)
	m.refused("sleep",
		messageCase{"odd", "F-064", "an odd key of a later version", "a1 01 05", "unsupported"},
		messageCase{"beyond", "F-065", "2^32 seconds", "a1 02 1b0000000100000000", ""},
		messageCase{"array", "F-065", "an array", "80", ""},
	)
}

func (m *maker) fragments() {
	m.good("fragment",
		messageCase{"first", "F-072", "the first of two", "00 01 00 ff", "set=0 last=1 index=0 data=ff"},
		messageCase{"wide", "F-072", "indices of two and three bytes", "ff 1907ff 1818 0102", "set=255 last=2047 index=24 data=0102"},
		messageCase{"last", "F-072", "the last of as many as may be", "05 1907ff 1907ff 00", "set=5 last=2047 index=2047 data=00"},
	)
	m.refused("fragment",
		messageCase{"none", "F-072", "no body", "", "truncated"},
		messageCase{"cut", "F-072", "no index", "05 01", "truncated"},
		messageCase{"no-data", "F-072", "no data", "05 01 00", "truncated"},
		messageCase{"one", "F-072", "the only one", "05 00 00 aa", ""},
		messageCase{"above", "F-072", "an index above the last", "05 01 02 aa", ""},
		messageCase{"many", "F-072", "one of 2,049", "05 190800 00 aa", ""},
		messageCase{"longer", "F-072", "an index that is not the shortest", "05 01 1800 aa", ""},
		messageCase{"negative", "F-072", "a negative index", "05 01 20 aa", ""},
		messageCase{"too-much", "F-072", "33 bytes in each of 2,048", "05 1907ff 00" + strings.Repeat("aa", 33), ""},
	)
	m.good("fragment-status",
		messageCase{"nothing", "F-077", "nothing is known of the set", "05 00", "set=5 missing=0 have="},
		messageCase{"gaps", "F-077", "2, 4 and 7 are missing", "05 02 0d", "set=5 missing=2 have=3,5,6"},
		messageCase{"complete", "F-077", "complete", "05 190800", "set=5 missing=2048 have="},
		messageCase{"highest", "F-077", "the highest index alone", "05 1907f6 80", "set=5 missing=2038 have=2046"},
	)
	m.refused("fragment-status",
		messageCase{"none", "F-077", "no body", "", "truncated"},
		messageCase{"no-missing", "F-077", "no index", "05", "truncated"},
		messageCase{"zero", "F-077", "a zero byte at the end", "05 02 0d00", ""},
		messageCase{"beyond", "F-077", "2,049 are there", "05 190801", ""},
		messageCase{"above", "F-077", "a bitmap that goes beyond index 2,047 and the rest of its byte", "05 1907f6 0000 01", ""},
		messageCase{"past", "F-077", "a last byte of the bitmap for indices above 2,047 alone", "05 1907f7 00 01", ""},
	)
}

// cutBy cuts a message into fragments with that much data each, as SPEC §4.5 says.
func cutBy(set byte, size int, message []byte) [][]byte {
	sum := sha256.Sum256(message)
	whole := append(bytes.Clone(message), sum[:4]...)
	last := (len(whole)+size-1)/size - 1
	var out [][]byte
	for i := 0; i <= last; i++ {
		f := append([]byte{set}, refUint(last)...)
		f = append(f, refUint(i)...)
		out = append(out, append(f, whole[i*size:min(i*size+size, len(whole))]...))
	}
	return out
}

// refUint is a CBOR unsigned integer.
func refUint(n int) []byte {
	switch {
	case n < 24:
		return []byte{byte(n)}
	case n < 256:
		return []byte{0x18, byte(n)}
	default:
		return binary.BigEndian.AppendUint16([]byte{0x19}, uint16(n))
	}
}

func (m *maker) reassemblies() {
	message := []byte("\x03a message of the application that is longer than a frame")
	other := []byte("\x03another one that is of the same length and took its name: ")[:len(message)]
	f := cutBy(5, 20, message) // 20, 20, 20 and the rest
	g := cutBy(5, 20, other)
	bad := cutBy(5, 20, message)
	bad[1][10] ^= 1
	long := cutBy(9, 40, append([]byte{3}, bytes.Repeat([]byte("0123456789"), 300)...))
	whole := append([]byte{3}, bytes.Repeat([]byte("0123456789"), 300)...)
	reversed := make([][]byte, 0, len(long))
	for i := range long {
		reversed = append(reversed, long[len(long)-1-i])
	}
	// A set is held to what the fragments of size 20 said of it.
	sized := append([]byte{5, byte(len(f) - 1), 2}, bytes.Repeat([]byte{1}, 21)...)
	var five [][]byte
	for set := range byte(5) {
		five = append(five, cutBy(set+1, 20, message)[0])
	}
	five = append(five, cutBy(1, 20, message)[1])
	for _, c := range []struct {
		name, spec, comment, outcomes, fields string
		message                               []byte
		fragments                             [][]byte
	}{
		{"in-order", "F-073", "each in its turn", "kept kept kept complete", "set=5 missing=4 have=", message, [][]byte{f[0], f[1], f[2], f[3]}},
		{"any-order", "F-073 F-074", "out of order and more than once", "kept kept duplicate kept duplicate complete", "set=5 missing=4 have=", message, [][]byte{f[3], f[1], f[3], f[0], f[1], f[2]}},
		{"reversed", "F-073", "from the end", strings.TrimSpace(strings.Repeat("kept ", len(long)-1)) + " complete", fmt.Sprintf("set=9 missing=%d have=", len(long)), whole, reversed},
		{"gaps", "F-076", "what is missing is named", "kept kept kept", "set=9 missing=1 have=2,10", nil, [][]byte{long[10], long[0], long[2]}},
		{"late-repeat", "F-074", "repeats of a message that is complete", "kept kept kept complete duplicate duplicate", "set=5 missing=4 have=", message, [][]byte{f[3], f[2], f[1], f[0], f[2], f[0]}},
		{"corrupt", "F-073", "a piece of another message: the whole does not fit its hash", "kept kept kept corrupt", "set=5 missing=0 have=", nil, [][]byte{f[0], bad[1], f[2], f[3]}},
		{"other-content", "F-074", "other content at an index begins anew", "kept kept kept kept kept complete", "set=5 missing=4 have=", other, [][]byte{f[0], f[1], g[0], g[1], g[2], g[3]}},
		{"other-last", "F-074", "another last begins anew", "kept kept kept", "set=5 missing=0 have=1", nil, [][]byte{f[0], f[1], append([]byte{5, 9, 1}, f[0][3:]...)}},
		{"other-size", "F-074", "another size begins anew", "kept kept kept", "set=5 missing=0 have=2", nil, [][]byte{f[0], f[1], sized}},
		{"name-again", "F-074", "the name of a complete message is used again", "kept kept kept complete kept kept kept complete", "set=5 missing=4 have=", append(bytes.Clone(message), other...), [][]byte{f[0], f[1], f[2], f[3], g[0], g[1], g[2], g[3]}},
		{"five-sets", "F-075", "a fifth message drives out the one heard longest ago", "kept kept kept kept kept kept", "set=1 missing=0 have=1", nil, five},
	} {
		var input []byte
		for _, b := range c.fragments {
			input = append(binary.BigEndian.AppendUint16(input, uint16(len(b))), b...)
		}
		h := []string{"outcomes: " + c.outcomes, "fields: " + c.fields}
		if c.message != nil {
			h = append(h, "message: "+hex.EncodeToString(c.message))
		}
		m.add("reassembly-"+c.name, c.spec, "ok", c.comment, "reassembly", input, h...)
	}
}
