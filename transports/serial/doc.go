// Package serial is what drivers of modems on serial lines have in common. Package tty opens such a line; here one is worked with.
//
//   - [Line]: an open line with one reader, deadlines for what is written, and one end, whoever notices it first. Drivers embed it.
//   - [Line.Serve]: one Run on it: the reader, the driver's loop, and the grace period for what is in hand.
//   - [Running]: where Send finds the session of the Run under way.
//   - [Requests]: how a Send gets to that session's loop.
//   - [Fields]: the parameters of a reply.
//
// What a modem says, and what its answers mean, is the drivers' own business: what Line reads it hands on as it came.
package serial
