package faults

// streamRows are the faults of the stream and of the way to it.
var streamRows = []Row{
	{
		Number:   8,
		Fault:    "the stream is away for an hour",
		Expected: "frames are taken and acknowledged all the same until the disk has no more to spare, and are then refused; all is published in order",
		Tests: []Tests{
			{Package: "gateway/publish", Kind: Simulated, Names: []string{"TestStreamAwayForAnHour"}},
			{Package: "gateway/publish", Kind: Loopback, Names: []string{"TestExternalAway"}},
			{Package: "gateway/e2e", Tags: "e2e", Kind: Process, Names: []string{"TestServerAwayForAWhile"}},
		},
	},
	{
		Number:   9,
		Fault:    "the stream loses its last events",
		Expected: "exactly those are published again under their old sequences, and counted",
		Tests: []Tests{
			{Package: "gateway/publish", Kind: Loopback, Names: []string{"TestStreamSetBack"}},
			{Package: "gateway/publish", Kind: Simulated, Names: []string{"TestMachine", "TestGap"}},
			{Package: "gateway/e2e", Tags: "e2e", Kind: Process, Names: []string{"TestStreamRolledBackIsMadeUpFor"}},
		},
	},
	{
		Number:   10,
		Fault:    "the stream is deleted, loses its files, is purged, restored from a backup, or written to by somebody else",
		Expected: "what the outbox holds is on the stream again, in order; a foreign event is told and does no harm",
		Tests: []Tests{
			{Package: "gateway/publish", Kind: Loopback, Names: []string{
				"TestStreamRemoved", "TestStreamRemovedAfterTrim", "TestStreamFilesRemoved", "TestStreamSetBack", "TestForeignMessages", "TestForeignStream", "TestKeptFromHarm",
			}},
			{Package: "gateway/publish", Kind: Simulated, Names: []string{"TestMachine", "TestDuplicateIsNoProof", "TestStreamReplaced"}},
			{Package: "gateway/e2e", Tags: "e2e", Kind: Process, Names: []string{"TestStreamRemovedIsPublishedAgain", "TestStreamDeletedUnderway"}},
		},
	},
	{
		Number:   11,
		Fault:    "a bit of a stream's block flips, or the block is cut short, with and without its index",
		Expected: "reading back finds what is missing, and it is published again",
		Tests: []Tests{
			{Package: "gateway/publish", Kind: Loopback, Names: []string{"TestStreamDamaged", "TestStreamCutShort"}},
		},
	},
	{
		Number:   12,
		Fault:    "of three servers the leader is killed within a batch, or cut off from the others",
		Expected: "a batch is on the stream whole or not at all, and every event is there once",
		Tests: []Tests{
			{Package: "gateway/publish", Kind: Loopback, Names: []string{"TestClusterLosesItsLeader"}},
			{Package: "gateway/publish", Kind: Simulated, Names: []string{"TestFaultPairs"}},
		},
	},
	{
		Number:   13,
		Fault:    "the answer of the stream is lost, late, or cut into pieces",
		Expected: "what is on the stream is adopted, and nothing is there twice",
		Tests: []Tests{
			{Package: "gateway/publish", Kind: Loopback, Names: []string{"TestAnswerIsLost", "TestWireFails"}},
			{Package: "gateway/publish", Kind: Simulated, Names: []string{"TestFaultPairs", "TestMachine"}},
		},
	},
}
