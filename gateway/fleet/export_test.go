package fleet_test

import (
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/gateway/fleet"
)

func TestTransferColumns(t *testing.T) {
	head := "number,name,product,customer,key,origin,epoch,salt,counter,boot\n7,b,buoy,acme,fleet:a,"
	salt := strings.Repeat("0f", 16)
	for line, want := range map[string]string{
		",,,,":                            "",
		"factory,,,,":                     "",
		"enrolled,0,,,0":                  "",
		"fleet,5," + salt + ",17,3":       "",
		"stolen,,,,":                      "origin",
		",5,,,3":                          "salt",
		",0," + salt + ",,0":              "salt",
		",5,0f,,3":                        "salt",
		",x," + salt + ",,3":              "epoch",
		",4294967296," + salt + ",,3":     "epoch",
		",5," + salt + ",,":               "boot",
		",5," + salt + ",x,3":             "counter",
		",5," + salt + ",1099511627776,3": "counter",
	} {
		rows, errs := fleet.ParseImport(strings.NewReader(head + line + "\n"))
		switch {
		case want == "" && len(errs) > 0:
			t.Errorf("%q: %v", line, errs)
		case want != "" && (len(errs) != 1 || !strings.Contains(errs[0].Error(), want)):
			t.Errorf("%q: %v, want something about %s", line, errs, want)
		case want == "" && strings.HasPrefix(line, "fleet"):
			g := rows[0].Device.Session
			if !rows[0].Moved || g.Current.Number != 5 || g.Allocated != 5 || g.Boot != 3 || g.Current.Counters.Highest != 17 || g.Current.Counters.Floor != 18 {
				t.Errorf("%+v", g)
			}
		}
	}
}
