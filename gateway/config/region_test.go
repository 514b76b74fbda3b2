package config_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/gateway/config"
	"github.com/godwit-gateway/godwit/scheduler/core"
)

// Regions reach the scheduler, and those that cannot be are refused.
func TestRegions(t *testing.T) {
	c, err := config.Load(config.Source{Text: udpLink + `
[[region]]
name = "coast"
numbers = "1000-1999"

[[region]]
name = "coast"
numbers = "3000-3000"
`})
	if err != nil {
		t.Fatal(err)
	}
	want := []core.Region{{Name: "coast", First: 1000, Last: 1999}, {Name: "coast", First: 3000, Last: 3000}}
	if got := c.HubSchedule().Core.Regions; !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	for _, tt := range []struct{ text, want string }{
		{`
[[region]]
numbers = "1-2"`, "cannot name a region"},
		{`
[[region]]
name = "a"
numbers = "2-1"`, "not a range"},
		{`
[[region]]
name = "a"
numbers = "1-20"
[[region]]
name = "b"
numbers = "20-30"`, `overlaps with 1-20 of "a"`},
	} {
		if _, err := config.Load(config.Source{Text: udpLink + tt.text}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.text, err, tt.want)
		}
	}
}
