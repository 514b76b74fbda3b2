package fleet_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/gateway/fleet"
)

const goodKey = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

func TestParseImport(t *testing.T) {
	file := fleet.ImportColumns + "\n" +
		"1,buoy-1,buoy,acme," + goodKey + ",+491700000001,,,8,4\n" +
		"2,buoy-2,buoy,acme,fleet:a,,300234010753370,01234567SKYABCD,16,\n"
	rows, errs := fleet.ParseImport(strings.NewReader(file))
	if len(errs) != 0 {
		t.Fatal(errs)
	}
	if len(rows) != 2 || rows[0].Key == nil || rows[0].Key[31] != 0x1f || rows[0].Device.TagLen != 4 || rows[1].Key != nil {
		t.Fatalf("%+v", rows)
	}
	if a := rows[1].Device.Addresses; len(a) != 2 || a[0].Bearer != "sbd" || !a[0].Accepted || a[1].Bearer != "idp" || a[1].ID != "01234567SKYABCD" || !a[1].Accepted {
		t.Errorf("addresses %+v", a)
	}
	if rows[1].Device.KeySource != "fleet:a" || rows[1].Device.CTRBits != 16 || rows[1].Device.TagLen != 8 {
		t.Errorf("%+v", rows[1].Device)
	}
}

// A network that holds messages back for days needs more of the counter.
func TestParseImportChoosesTheWidthOfTheCounter(t *testing.T) {
	tests := []struct {
		name, columns string
		want          uint8
	}{
		{"no address", ",,,,", 8},
		{"msisdn", "+491700000001,,,,", 16},
		{"imei", ",300234010753370,,,", 16},
		{"mobile_id", ",,01234567SKYABCD,,", 16},
		{"msisdn, and a width of its own", "+491700000001,,,8,", 8},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rows, errs := fleet.ParseImport(strings.NewReader(fleet.ImportColumns + "\n1,a,b,c," + goodKey + "," + tt.columns + "\n"))
			if len(errs) != 0 || rows[0].Device.CTRBits != tt.want {
				t.Errorf("%+v, %v, want %d bits", rows, errs, tt.want)
			}
		})
	}
}

func TestParseImportErrorsNameTheLine(t *testing.T) {
	tests := []struct{ name, file, want string }{
		{"empty", "", "line 1: read the header line"},
		{"unknown column", "number,name,product,customer,key,color\n", `line 1: unknown column "color"`},
		{"missing column", "number,name\n", `line 1: column "product" is missing`},
		{"column twice", "number,number,name,product,customer,key\n", `column "number" stands twice`},
		{"number", "number,name,product,customer,key\nx,a,b,c," + goodKey + "\n", `line 2: number "x"`},
		{"number too large", "number,name,product,customer,key\n4294967296,a,b,c," + goodKey + "\n", "line 2: number"},
		{"number 0", "number,name,product,customer,key\n0,a,b,c," + goodKey + "\n", `line 2: number "0": want 1 to`},
		{"key", "number,name,product,customer,key\n1,a,b,c,0011\n", "line 2: key: want 64"},
		{"key of zeros", "number,name,product,customer,key\n1,a,b,c," + strings.Repeat("0", 64) + "\n", "line 2: key: all zero"},
		{"fleet key without id", "number,name,product,customer,key\n1,a,b,c,fleet:\n", "line 2: key"},
		{"number twice", "number,name,product,customer,key\n1,a,b,c,fleet:x\n1,d,b,c,fleet:x\n", "line 3: number 1 stands in line 2"},
		{"name twice", "number,name,product,customer,key\n1,a,b,c,fleet:x\n2,a,b,c,fleet:x\n", `line 3: name "a" stands in line 2`},
		{"msisdn", "number,name,product,customer,key,msisdn\n1,a,b,c,fleet:x,0170\n", "line 2: msisdn"},
		{"imei", "number,name,product,customer,key,imei\n1,a,b,c,fleet:x,12\n", "line 2: imei"},
		{"fields", "number,name,product,customer,key\n1,a\n", "line 2:"},
		{"quote", "number,name,product,customer,key\n1,\"a,b,c,fleet:x\n", "line"},
		{"mobile_id", "number,name,product,customer,key,mobile_id\n1,a,b,c,fleet:x,1234567SKYABCD\n", "line 2: mobile_id"},
		{"mobile_id in small letters", "number,name,product,customer,key,mobile_id\n1,a,b,c,fleet:x,01234567skyabcd\n", "line 2: mobile_id"},
		{"tag", "number,name,product,customer,key,tag\n1,a,b,c,fleet:x,5\n", "line 2: tag 5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, errs := fleet.ParseImport(strings.NewReader(tt.file))
			if len(errs) == 0 || !strings.Contains(errs[0].Error(), tt.want) {
				t.Errorf("errors %v, want %q", errs, tt.want)
			}
		})
	}
}

// A file that is no list of devices costs no more than its own length: an error for each of a million commas would.
func TestParseImportOfOneLongLine(t *testing.T) {
	head := "number,name,product,customer,key\n"
	for _, tt := range []struct{ name, file, want string }{
		{"columns", strings.Repeat(",", 10_000), "10001 columns"},
		{"header", strings.Repeat(",", 1<<20), "line 1 has more than"},
		{"row", head + strings.Repeat("1", 1<<20) + "\n", "line 2 has more than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rows, errs := fleet.ParseImport(strings.NewReader(tt.file))
			if len(rows) != 0 || len(errs) != 1 || !strings.Contains(errs[0].Error(), tt.want) || len(errs[0].Error()) > 1000 {
				t.Errorf("%d errors, the first: %.200v", len(errs), errs[0])
			}
		})
	}
	// A line may be as long as it needs to be, and end where the reader's buffer does.
	file := head
	for i := range 3000 {
		file += fmt.Sprintf("%d,dev-%d,buoy,acme,fleet:x\n", i+1, i+1)
	}
	if rows, errs := fleet.ParseImport(strings.NewReader(file)); len(rows) != 3000 || len(errs) != 0 {
		t.Errorf("%d rows, %v", len(rows), errs)
	}
}

func TestParseImportNeverRepeatsAKey(t *testing.T) {
	secret := strings.Repeat("ab", 31) + "zz"
	_, errs := fleet.ParseImport(strings.NewReader("number,name,product,customer,key\n1,a,b,c," + secret + "\n"))
	if len(errs) != 1 || strings.Contains(errs[0].Error(), "abab") {
		t.Errorf("errors %v", errs)
	}
}

func FuzzParseImport(f *testing.F) {
	f.Add(fleet.ImportColumns + "\n1,buoy-1,buoy,acme," + goodKey + ",,,,\n")
	f.Fuzz(func(t *testing.T, file string) {
		rows, errs := fleet.ParseImport(strings.NewReader(file))
		for _, r := range rows {
			if err := r.Device.Validate(); err != nil {
				t.Errorf("line %d passed with %v", r.Line, err)
			}
		}
		_ = errs
	})
}
