// Package publish brings the events of the store's outbox onto a NATS JetStream stream: each at least once, in order, and, by its id, exactly
// once.
//
// The gateway is the only writer of its stream, so it knows what the stream must hold. Each batch of events is atomic and says which sequence
// must be the last before it; what does not fit is not retried but reconciled: the publisher reads the stream's tail and compares it with the outbox.
//
//	outbox row        number, id, subject, payload, chain = hash over this and all before
//	stream message    the same, with the headers Nats-Msg-Id, Gw-Oseq, Gw-Chain, Gw-Pub, Gw-Frame
//
//	PublishOnce   outbox beyond "confirmed" --> one atomic batch --> "confirmed" moves
//	Reconcile     at start, on reconnect and on any doubt: where does the stream really end?
//	VerifyOnce    reads every confirmed message back once --> "verified" moves
//	TrimOnce      forgets what is verified and old enough
//
// An acknowledgement that says "duplicate" proves nothing: JetStream remembers ids longer than messages. Nor does a stream's count of messages:
// a block that was damaged on disk is missing without a word. That is why the tail is compared by its chain and every message is read back.
//
// The stream is embedded (nats-server in this process, synced on every write) or external. Both cost the same protocol. An embedded server
// adds some 15 MB to the program and a store of its own on disk.
package publish
