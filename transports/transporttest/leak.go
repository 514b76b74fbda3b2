package transporttest

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
)

// Main runs a package's tests and then fails if goroutines are left over, whose stacks it prints. For use as
//
//	func TestMain(m *testing.M) { os.Exit(transporttest.Main(m)) }
func Main(m *testing.M) int {
	before := runtime.NumGoroutine()
	code := m.Run()
	if fuzz := flag.Lookup("test.fuzz"); fuzz != nil && fuzz.Value.String() != "" {
		return code // the fuzzer leaves goroutines of its own
	}
	if stacks := leaked(before); code == 0 && stacks != nil {
		fmt.Fprintf(os.Stderr, "goroutines left over after the tests:\n%s\n", stacks)
		return 1
	}
	return code
}

// NoLeak fails the test at its end if it leaves more goroutines than there are now. Not for tests that run in parallel.
func NoLeak(tb testing.TB) {
	tb.Helper()
	before := runtime.NumGoroutine()
	tb.Cleanup(func() {
		if stacks := leaked(before); stacks != nil {
			tb.Errorf("goroutines left over:\n%s", stacks)
		}
	})
}

// leaked waits up to two seconds for the number of goroutines to settle where it was; if it does not, it returns all stacks.
func leaked(before int) []byte {
	for range 200 {
		if runtime.NumGoroutine() <= before {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	stacks := make([]byte, 64<<10)
	return stacks[:runtime.Stack(stacks, true)]
}
