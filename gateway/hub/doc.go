// Package hub is the data path: it takes payloads from transports, opens and decodes the frames in them, applies them to the fleet,
// and makes everything durable in one synced batch before anything is confirmed.
//
//	Uplinks (any goroutine) --> queue --> CommitOnce --> verdicts
//	                                        |
//	                                        |  for each uplink:   resolve -> open -> classify -> decode -> apply
//	                                        |  for all together:  one store.Commit, synced
//
// One committer owns all state. [Hub.CommitOnce] is that committer's unit of work: [Hub.Run] calls it in a loop, a simulation calls it
// directly. What a caller of [Hub.Uplinks] gets back is true on disk.
//
// What frames mean beyond themselves is for machines that the hub drives with its lock held: scheduler/core (when devices speak, and what that
// costs) and gateway/rollout (updates). They are told of each frame in its commit, their rows go into its batch, and what they have to say becomes
// events at its end. What people order goes the same way, with an entry in the book of authorisations (gateway/audit).
//
// # Who is believed
//
// An address or a connection id only says which keys to try. A frame counts when its tag verifies under a device's key; then it is new,
// or a duplicate, or (the same counter with other content) an alarm. A frame that does not verify is counted; where each message is
// paid for it is also kept, within limits, for an operator to look at.
package hub
