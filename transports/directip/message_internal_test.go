package directip

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// unhex reads hexadecimal digits with spaces between.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Elements, written out by hand.
const (
	// CDR 0x499602D2 = 1234567890, IMEI 300234010753370, status 0, MOMSN 0x3039 = 12345, MTMSN 0, time 0x65A1B2C3.
	header = "01 001c 499602d2 333030323334303130373533333730 00 3039 0000 65a1b2c3"
	// The same session, failed as in the capture of sendpacket-5: status 13, no payload follows.
	headerFailed = "01 001c 499602d1 333030323334303130373533333730 0d 3039 0000 65a1b2b0"
	// Status 2: sent, but where the modem is does not suffice.
	headerTwo = "01 001c 499602d2 333030323334303130373533333730 02 3039 0007 65a1b2c3"
	payload   = "02 0005 68656c6c6f"
	// South (bit 1) and east: 43 deg 31.200 min, 172 deg 36.000 min, 7 km: Christchurch, -43.52 172.60.
	location = "03 000b 02 2b 79e0 ac 8ca0 00000007"
	// North and west (bit 0): 19 deg 35.400 min, 98 deg 57.600 min: Mexico City, 19.59 -98.96.
	locationMexico = "03 000b 01 13 8a48 62 e100 00000003"
)

func TestParseOriginated(t *testing.T) {
	at := time.Unix(0x65a1b2c3, 0)
	christchurch := transports.Position{Known: true, Latitude: -43_520_000, Longitude: 172_600_000, Radius: 7000}
	for name, c := range map[string]struct {
		body     string
		payload  string
		status   sessionStatus
		position transports.Position
	}{
		"payload":                          {header + payload, "hello", 0, transports.Position{}},
		"location before payload":          {header + location + payload, "hello", 0, christchurch}, // as in all captures
		"location after payload":           {header + payload + location, "hello", 0, christchurch},
		"header last":                      {payload + location + header, "hello", 0, christchurch},
		"north and west":                   {header + locationMexico + payload, "hello", 0, transports.Position{Known: true, Latitude: 19_590_000, Longitude: -98_960_000, Radius: 3000}},
		"unknown elements":                 {"7f 0003 010203" + header + "06 0000" + payload + "10 0001 ff", "hello", 0, transports.Position{}},
		"location of 20 bytes":             {header + "03 0014 02 2b 79e0 ac 8ca0 00000007 000000000000000000" + payload, "hello", 0, transports.Position{}},
		"location of an unknown format":    {header + "03 000b 06 2b 79e0 ac 8ca0 00000007" + payload, "hello", 0, transports.Position{}},
		"location with 60 minutes":         {header + "03 000b 00 2b ea60 ac 8ca0 00000007" + payload, "hello", 0, transports.Position{}},
		"location beyond the pole":         {header + "03 000b 00 5a 0001 ac 8ca0 00000007" + payload, "hello", 0, transports.Position{}},
		"location beyond the date line":    {header + "03 000b 00 2b 0001 b5 0000 00000007" + payload, "hello", 0, transports.Position{}},
		"location anywhere":                {header + "03 000b 00 2b 0001 b4 0000 ffffffff" + payload, "hello", 0, transports.Position{}},
		"mailbox check":                    {header, "", 0, transports.Position{}},
		"empty payload":                    {header + "02 0000", "", 0, transports.Position{}},
		"location not good enough":         {headerTwo + payload, "hello", 2, transports.Position{}},
		"session that failed":              {headerFailed, "", 13, transports.Position{}},
		"failed, with part of what it had": {headerFailed + payload, "hello", 13, transports.Position{}},
	} {
		m, err := parseOriginated(unhex(t, c.body))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if string(m.payload) != c.payload || m.status != c.status || m.position != c.position {
			t.Errorf("%s: payload %q, status %d, %+v, want %q, %d, %+v", name, m.payload, m.status, m.position, c.payload, c.status, c.position)
		}
		if string(m.imei[:]) != "300234010753370" || m.momsn != 12345 {
			t.Errorf("%s: IMEI %s, MOMSN %d", name, m.imei, m.momsn)
		}
		if c.status == 0 && (m.cdr != 1234567890 || !m.at().Equal(at)) {
			t.Errorf("%s: CDR %d at %s", name, m.cdr, m.at())
		}
		if want := c.status == 13; m.status.failed() != want {
			t.Errorf("%s: failed %t", name, m.status.failed())
		}
	}
}

func TestSessionStatuses(t *testing.T) {
	for status, failed := range map[sessionStatus]bool{0: false, 1: false, 2: false, 10: true, 12: true, 13: true, 14: true, 15: true, 255: true} {
		if status.failed() != failed {
			t.Errorf("status %d: failed %t, want %t", status, status.failed(), failed)
		}
	}
}

func TestParseOriginatedRefuses(t *testing.T) {
	for name, body := range map[string]string{
		"nothing":                        "",
		"no header":                      payload,
		"two headers":                    header + header + payload,
		"two payloads":                   header + payload + payload,
		"header of 31 bytes":             "01 001f" + header[7:] + "000000" + payload,
		"header cut off":                 header[:41],
		"element beyond the end":         header + "02 0006 68656c6c6f",
		"element of 65535":               header + "02 ffff 68656c6c6f",
		"half an element":                header + payload + "03 00",
		"one byte more":                  header + payload + "00",
		"payload too large":              header + "02 07a9" + strings.Repeat("00", UplinkMax+1),
		"IMEI of numbers and not digits": "01 001c 499602d2 030000020304000100070503030700 00 3039 0000 65a1b2c3" + payload, // as one library writes it
		"MT message":                     "41 0015 00000001 333030323334303130373533333730 0000" + "42 0001 00",
	} {
		if m, err := parseOriginated(unhex(t, body)); !errors.Is(err, errMalformed) {
			t.Errorf("%s: %+v, %v, want an error", name, m, err)
		}
	}
}

func TestConfirmation(t *testing.T) {
	if got := appendConfirmation(nil, true); !bytes.Equal(got, unhex(t, "01 0004 05 0001 01")) {
		t.Errorf("yes: %x", got)
	}
	if got := appendConfirmation(nil, false); !bytes.Equal(got, unhex(t, "01 0004 05 0001 00")) {
		t.Errorf("no: %x", got)
	}
}

func TestAppendTerminated(t *testing.T) {
	imei := [imeiLen]byte([]byte("300234010753370"))
	for name, c := range map[string]struct {
		message terminated
		want    string
	}{
		"plain": {
			terminated{client: 0x4d736731, imei: imei, payload: []byte("hi")},
			"01 001d 41 0015 4d736731 333030323334303130373533333730 0000 42 0002 6869",
		},
		"first": {
			terminated{client: 1, imei: imei, priority: 1, payload: []byte("hi")},
			"01 0022 41 0015 00000001 333030323334303130373533333730 0010 46 0002 0001 42 0002 6869",
		},
		"in the place of others": {
			terminated{client: 1, imei: imei, flags: mtFlush, payload: []byte("hi")},
			"01 001d 41 0015 00000001 333030323334303130373533333730 0001 42 0002 6869",
		},
	} {
		if got := appendTerminated(nil, &c.message); !bytes.Equal(got, unhex(t, c.want)) {
			t.Errorf("%s: %x, want %s", name, got, c.want)
		}
	}
}

func TestParseAnswer(t *testing.T) {
	const imei = "333030323334303130373533333730"
	for name, c := range map[string]struct {
		body   string
		status mtStatus
		id     uint32
	}{
		"third":            {"44 0019 00000001" + imei + "0000abcd 0003", 3, 0xabcd},
		"queue full":       {"44 0019 00000001" + imei + "00000000 fffb", -5, 0}, // signed
		"beside a new one": {"47 0001 00 44 0019 00000001" + imei + "0000abcd 0001", 1, 0xabcd},
	} {
		a, err := parseAnswer(unhex(t, c.body))
		if err != nil || a.status != c.status || a.id != c.id || a.client != 1 || string(a.imei[:]) != "300234010753370" {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
	for name, body := range map[string]string{
		"nothing":     "",
		"no answer":   "05 0001 01",
		"of 19 bytes": "44 0013" + imei + "0000abcd",
		"two":         strings.Repeat("44 0019 00000001"+imei+"0000abcd 0003", 2),
		"cut off":     "44 0019 00000001" + imei + "0000abcd",
	} {
		if a, err := parseAnswer(unhex(t, body)); !errors.Is(err, errMalformed) {
			t.Errorf("%s: %+v, %v, want an error", name, a, err)
		}
	}
}

func TestMTStatuses(t *testing.T) {
	type want struct {
		outcome transports.Outcome
		slow    bool
	}
	for status, w := range map[mtStatus]want{
		-1: {transports.Refused, false}, -2: {transports.Refused, false}, -3: {transports.Refused, false}, -4: {transports.Refused, false},
		-5: {transports.NotSent, true}, -6: {transports.NotSent, false}, -7: {transports.Refused, false}, -8: {transports.NotSent, true},
		-9: {transports.NotSent, true}, -10: {transports.NotSent, true}, -11: {transports.Refused, false},
		-12: {transports.NotSent, true}, -32768: {transports.NotSent, true}, 0: {transports.MaybeSent, false}, 51: {transports.MaybeSent, false},
	} {
		var failed *transports.SendError
		if err := status.err(); !errors.As(err, &failed) || failed.Outcome != w.outcome || failed.Slow != w.slow || failed.Code != int(status) {
			t.Errorf("status %d: %v, want %s, slow %t", status, err, w.outcome, w.slow)
		}
	}
	for status := mtStatus(1); status <= queueLen; status++ {
		if err := status.err(); err != nil {
			t.Errorf("status %d, a place in the queue: %v", status, err)
		}
	}
}

// What is read is whole, within the limits, and means the same when it is read again.
func FuzzOriginated(f *testing.F) {
	for _, s := range []string{header + payload, header + location + payload, headerFailed, header + "02 ffff 00", payload + header, "03 000b"} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := parseOriginated(body)
		if err != nil {
			if !errors.Is(err, errMalformed) {
				t.Fatalf("%v is none of ours", err)
			}
			return
		}
		if len(m.payload) > UplinkMax || len(m.payload) > len(body) {
			t.Fatalf("a payload of %d bytes from %d", len(m.payload), len(body))
		}
		for _, c := range m.imei {
			if c < '0' || c > '9' {
				t.Fatalf("IMEI %q", m.imei)
			}
		}
		if p := m.position; p.Known && (p.Latitude < -90e6 || p.Latitude > 90e6 || p.Longitude < -180e6 || p.Longitude > 180e6 || p.Radius < 0) {
			t.Fatalf("position %+v", p)
		}
	})
}

// An answer never makes more than its bytes say, and what was appended is read back.
func FuzzAnswer(f *testing.F) {
	f.Add(unhex(f, "44 0019 00000001 333030323334303130373533333730 0000abcd 0003"))
	f.Add(unhex(f, "44 ffff 00"))
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := parseAnswer(body)
		if (err != nil) != errors.Is(err, errMalformed) {
			t.Fatal(err)
		}
		if err == nil && len(body) < headLen+answerLen {
			t.Fatalf("%+v from %d bytes", a, len(body))
		}
	})
}
