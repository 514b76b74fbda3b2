// Package bench measures a gateway on the machine at hand, as ratios within one run: machines differ and are noisy, and what a ratio hides least is
// whether the gateway gets out of its disk and its stream what they can give.
//
//	ingest   frames of 40 bytes through a UDP socket on loopback, opened, committed (synced) and on JetStream (synced), until the last event is
//	         confirmed; against the slower of two ceilings, which run at once and know nothing of each other
//	ceilings the same rows into Pebble, in synced batches of as many frames; the same events into JetStream, in atomic batches
//	ack      the time from sending a frame to its acknowledgement at low load, against one fsync of the same disk at the same time
//	fleet    memory per device, and the time to start, with 100,000 devices
//
// The parts are put together here as package node does it, without API and configuration: what is measured is the path of a frame. The devices are in
// the same process, so what they cost (sealing, which is done beforehand, excepted) counts against the ingest and not against the ceilings.
//
// # What the figures include
//
// A round is one ingest on a fresh gateway whose devices have sent before, and then the ceilings. The figures are of the round with the median ratio.
// A ceiling is the number of frames by the time that its last row or event was synced; the faster one leaves the machine to the slower one when
// it is through, as the parts of a gateway would. Nothing is encoded for the ceiling of Pebble; that of JetStream includes the client.
//
// Allocations per frame are all that this process makes between the socket and the acknowledgement, with Pebble's background work and the sending
// devices, while the publisher stands still; and what reading the frame's event from the outbox adds. The NATS client and the nats-server in
// this process allocate some thirty more per event; they are in the table as "whole process".
//
// An fsync is the time to append 4 KiB to a file and sync it. It alternates with the acknowledgements, each of which waits until the event of the one
// before is on the stream.
//
// Memory per device is the live heap that a loaded hub adds to that of the open store and socket. A start is everything from opening the store until
// the stream was looked at, which is when the gateway can take frames in.
package bench
