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
// A payload takes one draw whatever becomes of it, and each purpose derives its numbers from that by itself. So two runs from one seed whose models
// differ in one probability meet the same luck in everything else, and comparisons between models need few runs.
//
// What a [Model] can have beyond that: [Bursts] without coverage, [Passes] of satellites, modems that try again by themselves, a network that keeps
// what it cannot deliver until its Validity is over, payloads that arrive cut, and a [Tariff]. [FindNetwork] has models of real networks with the
// sources of their figures; what nobody has published is said to be assumed.
package radio
