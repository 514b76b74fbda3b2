// Package faults is the fault matrix: what can go wrong with a gateway, what has to come of it, and the tests that show it.
//
// A row of [Rows] names its tests by package and function, and [Matrix.Run] runs them with `go test` from the source tree, so the matrix
// says what is so and not what somebody once wrote down. Tests live with the package that they test; those that take longer than a test
// run should are skipped unless the environment has [Variable].
//
// A row is
//
//   - passed if each of its tests ran and passed,
//   - failed if one of them failed, or did not run without saying why,
//   - impossible if one of them, or a part of one, was skipped: a machine without root or loop devices cannot show all of it. Why is said.
//   - waiting if what the fault would hit is not built yet.
//
// What has to hold whatever the fault is checked where the process tests of all rows end: nothing that was acknowledged is lost or comes twice, no counter has
// two contents, and the gateway has not grown in goroutines or memory.
package faults
