package idpmodem_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/transports/idpmodem"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		dialect, text string
		name          string
		state, length int
		bad           bool
	}{
		{dialect: "idp", text: `"GABCDEFG",12.3,4,128,6,40,40`, name: "GABCDEFG", state: 6, length: 40},
		{dialect: "idp", text: `"with,a""comma",1.0,1,128.7,4,2,0`, name: `with,a""comma`, bad: true},
		{dialect: "idp", text: `"a,b", 1.0, 1, 128, 4, 2, 0`, name: "a,b", state: 4, length: 2},
		{dialect: "quectel", text: `"GABCDEFGHIJK",4,128,7,40,0`, name: "GABCDEFGHIJK", state: 7, length: 40},
		{dialect: "idp", text: `"x",1.0,1,128,-4,2,0`, bad: true},
		{dialect: "idp", text: `"x",1.0,1,128`, bad: true},
		{dialect: "idp", text: ``, bad: true},
	} {
		name, state, length, err := idpmodem.ParseStatus(tt.dialect, tt.text)
		if (err != nil) != tt.bad || !tt.bad && (name != tt.name || state != tt.state || length != tt.length) {
			t.Errorf("%s: %q, state %d, length %d (%v)", tt.text, name, state, length, err)
		}
	}
	for _, tt := range []struct {
		dialect, text, want string
	}{
		{"idp", `"FM01.02",1.2,0,128,2,4,3,AQID`, "\x80\x01\x02\x03"},
		{"quectel", `"FM01.02",128,4,3,AQID`, "\x80\x01\x02\x03"},
		{"idp", `"FM01.02",1.2,0,128,2,5,3,AQID`, ""},  // length
		{"idp", `"FM01.02",1.2,0,128,2,4,2,AQID`, ""},  // format
		{"idp", `"FM01.02",1.2,0,300,2,4,3,AQID`, ""},  // SIN
		{"idp", `"FM01.02",1.2,0,128,2,4,3,AQI!D`, ""}, // data
		{"idp", `"FM01.02",128,4,3,AQID`, ""},
	} {
		if got, err := idpmodem.ParseMessage(tt.dialect, tt.text); string(got) != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("%s: %x (%v)", tt.text, got, err)
		}
	}
}

// Whatever comes down a line: no panic, no more than fits, the same lines however the bytes are cut into reads, and with checksums nothing that has none.
func FuzzReplies(f *testing.F) {
	f.Add([]byte("\r\n%MGFN: \"FM01.01\",1.1,0,128,2,6,6\r\n\"FM01.02\",2.1,0,128,1,6,0\r\n\r\nOK\r\n"), uint8(3), false)
	f.Add([]byte("AT+GSN*0000\r\r\n+GSN: 00000000SKY0000\r\n\r\nOK\r\n*1234\r\n\r\nERROR\r\n*84D9\r\n"), uint8(1), true)
	f.Add([]byte("\r\n%MGFG: \"FM01.02\",1.2,0,128,2,4,3,AQID\r\n\r\nOK\r\n"), uint8(9), false)
	f.Fuzz(func(t *testing.T, b []byte, size uint8, sums bool) {
		lines, _ := idpmodem.Assemble(sums, b)
		var chunks [][]byte
		for rest := b; len(rest) > 0; {
			n := min(len(rest), int(size)+1)
			chunks = append(chunks, rest[:n])
			rest = rest[n:]
		}
		if again, _ := idpmodem.Assemble(sums, chunks...); !slices.Equal(again, lines) {
			t.Errorf("%q in one read, %q in several", lines, again)
		}
		for _, line := range lines {
			if strings.ContainsAny(line, "\r\n") || sums && line != idpmodem.Garbled && !strings.Contains(string(b), "*") {
				t.Errorf("line %q", line)
			}
		}
		for _, text := range idpmodem.Information(lines) {
			for _, dialect := range idpmodem.Dialects() {
				if name, state, length, err := idpmodem.ParseStatus(dialect, text); err == nil && (name == "" || state < 0 || length < 0) {
					t.Errorf("status of %q", text)
				}
				if m, err := idpmodem.ParseMessage(dialect, text); err == nil && (len(m) == 0 || len(m) > 10_000) {
					t.Errorf("%d bytes of %q", len(m), text)
				}
			}
		}
	})
}

// A message that a terminal hands over is read as it is.
func TestMessageOfAnyLength(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 3, 4, 5, 255, 256, 9_999, 10_000} {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		text := fmt.Sprintf(`"FM01.01",1.1,0,%d,2,%d,3,%s`, b[0], len(b), base64.StdEncoding.EncodeToString(b[1:]))
		if got, err := idpmodem.ParseMessage("idp", text); err != nil || string(got) != string(b) {
			t.Errorf("%d bytes came as %d (%v)", n, len(got), err)
		}
	}
}
