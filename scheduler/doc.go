// Package scheduler decides how often each device speaks, over which link, and at what price, so that what is known of a fleet is as fresh as its
// budget allows. It is pure: no clock, no I/O, no goroutine; time and randomness are arguments, and the same input gives the same bits on every
// processor.
//
// Money is integer: Micros. A Rate is what a transmission costs at the margin; package tariff makes one of a tariff's terms. Package ledger
// keeps what was spent, package presence what silence means.
package scheduler
