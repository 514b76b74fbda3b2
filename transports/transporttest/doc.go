// Package transporttest checks that a driver keeps the contract of package transports.
//
// A driver's test gives [Run] a function that opens the driver with a network of its own, and says in [Capabilities] what its bearer can do:
//
//	func TestConformance(t *testing.T) {
//		transporttest.Run(t, transporttest.Capabilities{Redelivers: true}, func(t *testing.T) transporttest.Harness { … })
//	}
//
// The [Harness] is the network's side of the line: what a device sends goes in there, and there the suite looks whether the driver has
// told the network "received". What only some bearers have is asked for by further interfaces: a harness that is a [Sender] has its
// driver's Send tested, an [Answerer] its replies and windows, a [Reporter] its delivery reports, a [Cutter] the loss of the line.
//
// [Socket] and [Exchanges] are parts of a harness that several drivers' tests have, [ReadsTheEnd] a test of drivers of modems on serial lines. [Start],
// [Background], [Until] and [Mistakes] are of use for what the suite does not ask: a driver, or its network, that runs beside a test, what a test waits for,
// and configurations that are wrong.
//
// [Sink] is a scripted sink, [Monitor] a mutex to wait by, [Poll] waits for what nobody tells of, and [Main] is a leak check for TestMain; all are of use
// outside the suite.
package transporttest
