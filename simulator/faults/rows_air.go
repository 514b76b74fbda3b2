package faults

// airRows are the faults of links, of those who send over them, and of callers of the API.
var airRows = []Row{
	{
		Number:   15,
		Fault:    "the modem is unplugged within a command or a message, talks in between, talks garbage, echoes, or is slow",
		Expected: "the line is opened again within a minute, no command waits for ever, and no message leaves the SIM before it is on disk",
		Tests: []Tests{
			{Package: "transports/smsmodem", Kind: Simulated, Names: []string{
				"TestUnplugAnywhere", "TestUnplugWithinAListing", "TestUnplugBeforeAndAfterThePDU", "TestIndicationInsideReply", "TestGarbage", "TestEchoStaysOn", "TestByteByByte", "TestMuteModem",
				"TestCommandHangs", "TestStuckLine", "TestSinkFailsForAWhile", "TestGarbledListingIsReadAgain", "TestDeleteFails",
			}},
			{Package: "gateway/node", Kind: Simulated, Names: []string{"TestLostLineIsLookedForEachMinute"}},
			{Package: "transports/smsmodem", Kind: Loopback, Names: []string{"TestSimulatedModemWithFaults", "TestSimulatedUnplug"}},
			{Package: "transports/idpmodem", Kind: Loopback, Names: []string{"TestGarbled", "TestLateAnswer", "TestLostAnswer", "TestPowerCut", "TestMute", "TestFaults"}},
			{Package: "transports/sbdmodem", Kind: Loopback, Names: []string{
				"TestLineLostInASession", "TestLostStatusIsFoundByMOMSN", "TestRingAlertCutsIntoAnswers", "TestStartInTheMiddleOfAMessage", "TestGarbledBlock", "TestPowerCut", "TestMuteTransceiver", "TestTroubleOfAllKinds",
			}},
			{Package: "gateway/e2e", Tags: "e2e", Kind: Process, Names: []string{"TestModemTroubleLosesNothing"}},
		},
	},
	{
		Number:   16,
		Fault:    "the SIM is full",
		Expected: "its messages are committed and then deleted, the gauges show it, and nothing is lost",
		Tests: []Tests{
			{Package: "transports/smsmodem", Kind: Simulated, Names: []string{"TestFullStorage", "TestFullIndication", "TestFullStorageOnSend", "TestGauges"}},
			{Package: "simulator/peers/atmodem", Kind: Simulated, Names: []string{"TestFull"}},
		},
	},
	{
		Number:   18,
		Fault:    "one frame a hundred times, and over several links at once",
		Expected: "one row, one event, the same acknowledgement to the byte; acknowledgements of repeats are limited",
		Tests: []Tests{
			{Package: "gateway/hub", Kind: Simulated, Names: []string{"TestOneFrameOverManyLinksAtOnce", "TestDuplicateAcksAreRateLimited", "TestDuplicateIsAcknowledgedAfterCrash"}},
		},
	},
	{
		Number:   19,
		Fault:    "frames come days late and in any order, or tens of thousands are lost in a row",
		Expected: "taken as long as their counter can be told; otherwise refused and counted until the device joins",
		Tests: []Tests{
			{Package: "gateway/hub", Kind: Simulated, Names: []string{"TestFramesInAnyOrder", "TestManyFramesLostInARow", "TestLateSMSIsCompletedByTheTimeItWasSent"}},
			{Package: "codec/session", Kind: Simulated, Names: []string{"TestCountersAgainstModel"}},
			{Package: "codec", Kind: Simulated, Names: []string{"TestCompleteCounterAgainstSearch"}},
		},
	},
	{
		Number:   20,
		Fault:    "a frame is cut at each length, and each of its bits flips",
		Expected: "none is taken",
		Tests: []Tests{
			{Package: "codec", Kind: Simulated, Names: []string{"TestDamagedVectorsAreRefused"}},
			{Package: "gateway/hub", Kind: Simulated, Names: []string{"TestForgedFramesLeaveNothing"}},
		},
	},
	{
		Number:   21,
		Fault:    "a million guessed tags; a valid tag of another device, direction, epoch or length",
		Expected: "none is taken",
		Tests: []Tests{
			{Package: "gateway/e2e", Tags: "e2e", Kind: Process, Names: []string{"TestForgedFramesLeaveNothing", "TestForgedFramesThatReachVerificationLeaveNothing"}},
			{Package: "gateway/hub", Kind: Simulated, Names: []string{"TestValidTagsInTheWrongPlace", "TestFourByteTagIsRefusedOnIPLinks"}},
		},
	},
	{
		Number:   22,
		Fault:    "a whole day is sent again, after a restart and after a restore",
		Expected: "after a restart there is no new event; after a restore none that the stream already has",
		Tests: []Tests{
			{Package: "gateway/hub", Kind: Simulated, Names: []string{"TestADayOfFramesAgain", "TestAdoptedFramesAreNeverTakenAgain"}},
			{Package: "simulator/world", Kind: Simulated, Names: []string{"TestSeeds"}},
		},
	},
	{
		Number:   23,
		Fault:    "a device uses a counter twice, or there are two of it",
		Expected: "the second content goes to the quarantine with an alarm, and nothing is overwritten",
		Tests: []Tests{
			{Package: "gateway/hub", Kind: Simulated, Names: []string{"TestCounterReuseIsAnAlarmAndChangesNothing"}},
		},
	},
	{
		Number:   24,
		Fault:    "a counter passes 2^16, and comes to the ends of what an epoch and a number can hold",
		Expected: "the first is nothing special, then new keys are asked for, and at the end nothing is sent",
		Tests: []Tests{
			{Package: "codec/session", Kind: Simulated, Names: []string{"TestSenderExhausted", "TestSenderNeverRepeats", "TestLimits", "TestDeviceWearsOut"}},
			{Package: "codec", Kind: Simulated, Names: []string{"TestCompleteCounterAgainstSearch"}},
		},
	},
	{
		Number:   25,
		Fault:    "a rekey or its answer is lost, either side restarts within it, and a frame of the old epoch comes days late",
		Expected: "both sides end in one epoch; the old one is heard for its time of grace and not longer",
		Tests: []Tests{
			{Package: "codec/session", Kind: Simulated, Names: []string{"TestSessionConverges", "TestPreviousEpoch"}},
			{Package: "gateway/hub", Kind: Simulated, Names: []string{"TestRekey", "TestMessageFollowsTheEpoch", "TestOldEpochIsFollowed"}},
		},
	},
	{
		Number:   26,
		Fault:    "joins are sent again, made up by the thousand, or come from a device that lost everything",
		Expected: "a challenge only for what verifies, one short message an hour and device at most, none for forgeries",
		Tests: []Tests{
			{Package: "codec/session", Kind: Simulated, Names: []string{"TestJoinRequests", "TestChallengeLimits"}},
			{Package: "gateway/hub", Kind: Simulated, Names: []string{"TestJoinAfterTotalLoss", "TestForgedJoins", "TestFloodOfForgedJoins", "TestChallengeCostsOnceAnHour"}},
		},
	},
	{
		Number:   27,
		Fault:    "parts of short messages are missing, repeated, of a reference used twice, too many, or lie about themselves",
		Expected: "genuine messages become whole, the rest is bounded, kept for a day, and then in the quarantine",
		Tests: []Tests{
			{Package: "gateway/hub", Kind: Simulated, Names: []string{
				"TestPartsAreReassembledAcrossACrash", "TestReusedReferenceDoesNotMixMessages", "TestPartsThatNeverBecomeWholeGoToTheQuarantine", "TestPartLimits",
				"TestForgedPartsDoNotPushOutGenuineOnes", "TestThirdContentOfAPartCanBeTheGenuineOne", "TestMessagesOfOneReferenceBothBecomeWhole",
			}},
			{Package: "transports/smsmodem", Kind: Simulated, Names: []string{"TestPartsGoUpOneByOne", "TestWrongLengthInHeader"}},
		},
	},
	{
		Number:   28,
		Fault:    "DirectIP connections that are slow, lie about lengths, stay half open, are too many, or come from strangers",
		Expected: "they end in time and within bounds, and the network's own connection is still served",
		Tests: []Tests{
			{Package: "transports/directip", Kind: Loopback, Names: []string{
				"TestHostileConnections", "TestManyConnections", "TestBusySourceIsTurnedAway", "TestStrangersAreShutOut", "TestStrangersAreLoggedSeldom", "TestMalformedIsKept",
			}},
			{Package: "transports/directip", Kind: Simulated, Names: []string{"TestParseOriginatedRefuses"}},
			{Package: "transports/rockblock", Kind: Loopback, Names: []string{"TestHostileConnections", "TestStrangers"}},
			{Package: "transports/idp", Kind: Loopback, Names: []string{"TestHostileGateway", "TestGatewayFails"}},
		},
	},
	{
		Number:   29,
		Fault:    "the process is killed between the commit of a DirectIP message and its confirmation",
		Expected: "the network sends it again, and it remains one row and one event",
		Tests: []Tests{
			{Package: "transports/directip", Kind: Loopback, Names: []string{"TestMOMSNIsUsedAgain", "TestUnsettledComesAgain", "TestSimulatedNetwork"}},
			{Package: "transports/rockblock", Kind: Loopback, Names: []string{"TestRepeats", "TestSlowSink", "TestSimulatedService"}},
			{Package: "transports/cloudloop", Kind: Loopback, Names: []string{"TestCrashBeforeTheMark", "TestMarkHolds", "TestMarkWaitsForTheWholePage"}},
			{Package: "transports/idp", Kind: Loopback, Names: []string{"TestCrashBetweenCommitAndMark", "TestUnsettledHoldsTheMark", "TestFirstMarkStays"}},
			{Package: "transports/mark", Kind: Simulated, Names: []string{"TestMarkSurvivesACrashWhileItIsWritten", "TestDamagedMark"}},
			{Package: "gateway/e2e", Tags: "e2e", Kind: Process, Names: []string{"TestKillWithDirectIPLosesNothing", "TestKillBeforeAndAfterConfirmation", "TestKillAroundTheMark"}},
		},
	},
	{
		Number:   30,
		Fault:    "ten thousand bad datagrams a second beside the good ones",
		Expected: "no good frame is lost that its device repeats, nothing is written for a bad one, and the log stays short",
		Tests: []Tests{
			{Package: "transports/udp", Kind: Loopback, Names: []string{"TestFloodIsDroppedBeforeTheSink"}},
			{Package: "gateway/hub", Kind: Simulated, Names: []string{"TestBadFramesWriteNothing", "TestForgeriesDoNotStarveADevice"}},
			{Package: "gateway/e2e", Tags: "e2e", Kind: Process, Names: []string{"TestForgedFramesLeaveNothing", "TestForgedFramesThatReachVerificationLeaveNothing"}},
		},
	},
	{
		Number:   32,
		Fault:    "CBOR that is deep, endless, enormous, repeated, tagged, or followed by something",
		Expected: "refused, with few allocations",
		Tests: []Tests{
			{Package: "codec", Kind: Simulated, Names: []string{"TestHostileMessages", "TestHostileItems", "TestVectors"}},
		},
	},
	{
		Number:   33,
		Fault:    "callers of the API send too much, too slowly, without or with wrong tokens, or leave connections open",
		Expected: "refused with the status that says why, within bounds",
		Tests: []Tests{
			{Package: "gateway/api", Kind: Loopback, Names: []string{
				"TestEnormousBodies", "TestHostileJSON", "TestPathsThatClimb", "TestBadRequests", "TestRoles", "TestOpenPages", "TestFailedLoginsAreLimited",
			}},
			{Package: "gateway/node", Kind: Loopback, Names: []string{"TestAPIEndsWhatNeverEnds", "TestAPIBoundsItsConnections"}},
		},
	},
}
