// Package transports says how opaque payloads reach and leave devices.
//
// A driver (one folder below this one) speaks one bearer's protocol. It knows neither what a payload means nor who may send it: it hands
// every payload to a [Sink] and tells the network "received" only for payloads the sink has settled, which for everything worth
// keeping means "synced to disk".
//
//	network --> driver --> Sink.Uplinks --> [Verdict] --> driver confirms to the network
//
// The contract is written on [Transport] and [Sink] and is checked for every driver by the suite in transporttest.
//
// Three words are three things here: a [Receipt] is what the network said when it took a downlink, a [Report] is the network's later
// word about it, and an acknowledgement is the device's own and never seen at this level.
package transports
