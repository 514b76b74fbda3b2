// Package isatdata holds what the drivers of ORBCOMM IsatData Pro and OGx have in common: the mobile ID of a terminal, the two bytes that each message
// begins with, the sizes of messages, the wake-up periods of terminals, and the names of error codes.
//
// A message begins with a SIN (service) and a MIN (kind of message within the service). Frames travel as the messages of one pair of these, which
// [Header] puts on and takes off. Messages of other services, as those of the terminal's own software, are not read: see [Header.Cut].
//
// Return messages go from a terminal to the network, forward messages to a terminal. Sizes count SIN and MIN.
package isatdata
