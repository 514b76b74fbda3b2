package serial_test

import (
	"slices"
	"testing"

	"github.com/godwit-gateway/godwit/transports/serial"
)

func TestFields(t *testing.T) {
	for text, want := range map[string][]string{
		"":                     {""},
		" 0,1":                 {"0", "1"},
		` "SM", 3 ,200`:        {"SM", "3", "200"},
		`1,"REC READ",,"a,b",`: {"1", "REC READ", "", "a,b", ""},
		`"open,end`:            {"open,end"},
	} {
		if got := serial.Fields(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
