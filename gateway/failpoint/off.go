//go:build !failpoints

package failpoint

// Enabled reports whether the program was built with failpoints.
const Enabled = false

// Pass does nothing: the program was built without failpoints.
func Pass(Point) {}

// Soon does nothing: the program was built without failpoints.
func Soon(Point) {}
