//go:build failpoints

package failpoint

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Enabled reports whether the program was built with failpoints.
const Enabled = true

// armed is the point at which the process is to end. It is read from the environment before anything else looks there.
var armed = arm()

type trigger struct {
	point Point
	at    int64 // which time past the point
	count atomic.Int64
}

// arm reads the variable and takes it out of the environment, where the configuration would take it for a mistake. One that names no point
// ends the process: a test that kills nothing would prove nothing.
func arm() *trigger {
	text, ok := os.LookupEnv(Variable)
	if !ok {
		return nil
	}
	name, number, _ := strings.Cut(text, ":")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 1 || !slices.Contains(Points(), Point(name)) {
		fmt.Fprintf(os.Stderr, "%s=%q: want name:n with one of %v and a number from 1 on\n", Variable, text, Points())
		os.Exit(2)
	}
	if err := os.Unsetenv(Variable); err != nil {
		fmt.Fprintf(os.Stderr, "unset %s: %v\n", Variable, err)
		os.Exit(2)
	}
	return &trigger{point: Point(name), at: n}
}

// due reports whether the process is to end at p, this time.
func due(p Point) bool {
	return armed != nil && armed.point == p && armed.count.Add(1) == armed.at
}

// Pass ends the process if it was to end here, this time.
func Pass(p Point) {
	if due(p) {
		end()
	}
}

// soonMost is how long after the point Soon ends the process at the latest.
const soonMost = 3 * time.Millisecond

// Soon ends the process a moment after the point, while the work goes on that others do for it: when is left to chance.
func Soon(p Point) {
	if due(p) {
		time.AfterFunc(rand.N(soonMost), end) //nolint:forbidigo // how others are interrupted is not for a seed to say
	}
}

func end() {
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		panic("failpoint: " + err.Error())
	}
	select {} // the signal is on its way: nothing may happen after the point
}
