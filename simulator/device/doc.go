// Package device is a device in the field as firmware would be: it measures, seals, sends, repeats what nobody acknowledged, and starts
// again from what its permanent memory holds.
//
// It is pure: no I/O, no goroutine, and the time and the seed are handed in. It knows the codec and nothing of the gateway, so what a
// simulated device and a gateway agree on can only have travelled between them.
//
//	d.Poll(now)             -> what to transmit now, and when to ask again
//	d.Receive(now, payload) <- what the network brought
//
// Besides statuses it says what a real one does: alarms when a sensor passes a limit, the steps of an update that it was offered (asking its
// owner, and refusing an image that does not fit into memory twice), and messages of its application, in fragments where they are larger than a
// frame of its link. Messages that come in fragments it puts together, across restarts, and says which are missing when it is asked.
//
// An update can also go wrong in every way that is known ([Mishaps]): a device that is bricked, drained or away says nothing and hears nothing. What
// really happened, [Device.Happened] tells whoever plays the device.
//
// It obeys the policies that it is given, and its statuses say which one is in force until that is acknowledged. After an update it reports by the
// burst programme of the offer besides its interval, until it hears that a frame of the new software arrived.
//
// What moved by less than its deadband is not sent as changed, and readings between two statuses go along where the network bills them anyway.
//
// Three rules of a device are kept to the letter. A number above each counter is in permanent memory before the counter is used. A
// repeat is the same bytes again, whatever happened in between. And a frame is forgotten only when an acknowledgement whose HMAC
// verifies covers it, or when a link that keeps messages itself took it over.
package device
