// Package streammodel is a JetStream stream in memory that can be damaged in the ways that real ones are: answers that never come, tails that were
// not synced, ids that are remembered though the messages are gone, holes, purges, older copies, other writers. Tests of the publisher and
// the simulation of a whole gateway run against it; what the model assumes of a server is checked against a real one beside it.
package streammodel
