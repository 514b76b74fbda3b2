// Package radio models what a network does to payloads between a device and the gateway: it loses, delays, repeats and reorders them.
//
// A [Link] is one direction of one bearer. It is a machine: it starts nothing, reads no clock and draws only from the random source that
// it was given, so a seed and the same calls give the same deliveries, in virtual time as well as in a demo on the wall clock.
//
//	link, err := radio.New[[]byte](radio.Cellular(), rand.New(rand.NewPCG(seed, 0)))
//	link.Send(now, payload)
//	for d, ok := link.Due(now); ok; d, ok = link.Due(now) {
//		deliver(d.Item)
//	}
//	wake, ok := link.Next() // when to look again
//
// Each Send takes the same number of draws whatever becomes of the payload. So two runs from one seed whose models differ in one
// probability meet the same luck in everything else, and comparisons between models need few runs.
package radio
