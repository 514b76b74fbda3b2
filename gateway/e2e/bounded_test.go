//go:build e2e

package e2e_test

import (
	"bufio"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What a gateway with the few devices and links of a test may take, whatever has befallen it: about three times what it is seen to take, 40 to 65 goroutines and
// 40 to 85 MiB.
const (
	goroutinesMost = 200
	residentMost   = 256 << 20 // bytes of memory
)

// bounded checks that a gateway that runs has not grown by what befell it: goroutines that nobody ends, or memory that nobody frees.
func (s *site) bounded(t *testing.T) {
	t.Helper()
	var goroutines, resident float64
	if !eventually(time.Minute, func() bool { // connections that were left end in their time
		goroutines, resident = s.gauge(t, "go_goroutines"), s.gauge(t, "process_resident_memory_bytes")
		return goroutines > 0 && goroutines <= goroutinesMost && (raceEnabled || resident <= residentMost)
	}) {
		t.Errorf("the gateway has %.0f goroutines, of %d that it may, and %.0f MiB of memory, of %d", goroutines, goroutinesMost, resident/(1<<20), residentMost>>20)
	}
}

// gauge is a metric without labels; 0 if the gateway does not tell.
func (s *site) gauge(t *testing.T, name string) float64 {
	t.Helper()
	_, text := s.asks(t, "/metrics")
	for sc := bufio.NewScanner(strings.NewReader(text)); sc.Scan(); {
		value, ok := strings.CutPrefix(sc.Text(), name+" ")
		if !ok {
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Errorf("%s: %v", sc.Text(), err)
		}
		return v
	}
	return 0
}
