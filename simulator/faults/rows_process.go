package faults

// processRows are the faults of the gateway's process, its disk and its clock.
var processRows = []Row{
	{
		Number:   1,
		Fault:    "the process is killed at each step of a frame's way, from the socket to the trimmed outbox, and of a backup, a rekey and a join",
		Expected: "each acknowledged frame is one event after the restart; what was not acknowledged is sent again by the device",
		Tests: []Tests{
			{Package: "gateway/e2e", Tags: "e2e", Kind: Process, Names: []string{
				"TestKillUnderLoadLosesNothing", "TestKillAtEachStep", "TestKillBeforeAndAfterDeletion", "TestKillAtTrim", "TestStepsAreAllPoints",
			}},
		},
	},
	{
		Number:   2,
		Fault:    "the power goes, with none, half or all of what was not synced",
		Expected: "nothing that was acknowledged is lost, in the store or on the stream",
		Tests: []Tests{
			{Package: "gateway/store", Kind: Simulated, Names: []string{"TestCrash", "TestModel"}},
			{Package: "gateway/hub", Kind: Simulated, Names: []string{"TestPowerLossAtEverySync"}},
			{Package: "gateway/publish", Kind: Simulated, Names: []string{"TestPowerLossOfAGateway"}},
			{Package: "gateway/e2e", Tags: "e2e", Kind: Process, Names: []string{"TestPowerCut"}},
		},
	},
	{
		Number:   3,
		Fault:    "the power goes in the first second of a new store",
		Expected: "the store opens, or is made anew; nothing that was acknowledged is lost",
		Tests: []Tests{
			{Package: "gateway/store", Kind: Simulated, Names: []string{"TestCrash"}},
			{Package: "gateway/e2e", Tags: "e2e", Kind: Process, Names: []string{"TestPowerCutAtFirstStart"}},
		},
	},
	{
		Number:   4,
		Fault:    "a bit of the log, of a table or of the manifest flips between runs; a manifest is missing, or ends early",
		Expected: "the store is not opened, or the rows concerned are refused; what to restore is said, and nothing is wiped",
		Tests: []Tests{
			{Package: "gateway/store", Kind: Loopback, Names: []string{"TestDamagedLog", "TestDamagedManifest", "TestTornManifest", "TestMissingFiles", "TestDamagedTable", "TestMissingMarker"}},
			{Package: "gateway/e2e", Tags: "e2e", Kind: Process, Names: []string{"TestDamagedStoreIsRefused", "TestDamagedTableIsFound"}},
		},
	},
	{
		Number:   5,
		Fault:    "the disk lied: the last record of the log is gone",
		Expected: "the store takes over from the stream what it lost, and no counter is used twice",
		Tests: []Tests{
			{Package: "gateway/publish", Kind: Loopback, Names: []string{"TestStoreSetBack"}},
			{Package: "gateway/e2e", Tags: "e2e", Kind: Process, Names: []string{"TestLogWithoutItsEndIsCaughtUp"}},
		},
	},
	{
		Number:   6,
		Fault:    "the disk is full, to the last byte, before a start or after it, and has room again",
		Expected: "nothing is acknowledged and readiness is gone, a start is refused and says why, then all goes on and nothing is lost",
		Tests: []Tests{
			{Package: "gateway/store", Kind: Loopback, Names: []string{"TestFullDisk", "TestLowSpace", "TestStartOnFullDisk", "TestStartWithoutRoom"}},
			{Package: "gateway/publish", Kind: Loopback, Names: []string{"TestFullDisk"}},
			{Package: "gateway/e2e", Tags: "e2e", Kind: Process, Names: []string{"TestDiskGetsFull", "TestDiskIsFull"}},
		},
	},
	{
		Number:   7,
		Fault:    "a sync takes seconds; a write fails once",
		Expected: "slow: only late; failed: the process ends, and the next one starts with all that was acknowledged",
		Tests: []Tests{
			{Package: "gateway/store", Kind: Simulated, Names: []string{"TestStalledCommit", "TestFailedWriteIsFatal"}},
			{Package: "gateway/e2e", Tags: "e2e", Kind: Process, Names: []string{"TestDiskHangs", "TestWritesFail"}},
		},
	},
	{
		Number:   14,
		Fault:    "two gateways with one id, on one folder and on two",
		Expected: "the second does not start on the same folder; with folders of their own, the one that sees the other's events stops",
		Tests: []Tests{
			{Package: "gateway/store", Kind: Loopback, Names: []string{"TestLockedByAnotherProcess"}},
			{Package: "gateway/publish", Kind: Loopback, Names: []string{"TestFork", "TestFenced"}},
			{Package: "gateway/e2e", Tags: "e2e", Kind: Process, Names: []string{"TestSecondGatewayOnOneFolder", "TestSecondGatewayOnOneStream", "TestReplacedGatewayStops"}},
		},
	},
	{
		Number:   17,
		Fault:    "the process is killed between the commit of a message and its deletion from the SIM, or from a transceiver's buffer",
		Expected: "the message is read again, acknowledged again, and remains one row and one event",
		Tests: []Tests{
			{Package: "transports/smsmodem", Kind: Simulated, Names: []string{"TestRestartBeforeDelete", "TestSilentRestartBeforeDelete"}},
			{Package: "transports/sbdmodem", Kind: Loopback, Names: []string{"TestRestartWithFullBuffers", "TestReceiptThatNobodyWroteDown", "TestRestartWithAMessageThatIsNotSettled"}},
			{Package: "transports/idpmodem", Kind: Loopback, Names: []string{"TestCrashBeforeMark", "TestRestart", "TestRestartFailed"}},
			{Package: "gateway/e2e", Tags: "e2e", Kind: Process, Names: []string{
				"TestKillWithModemLosesNothing", "TestKillBeforeAndAfterDeletion", "TestKillWithTransceiverLosesNothing", "TestKillWithTerminalLosesNothing",
			}},
		},
	},
	{
		Number:   31,
		Fault:    "the clock jumps by an hour, by years, or begins in 1970",
		Expected: "counters and not times tell repeats from news; limits of time go on",
		Tests: []Tests{
			{Package: "simulator/world", Kind: Simulated, Names: []string{"TestSeeds"}},
			{Package: "gateway/hub", Kind: Simulated, Names: []string{"TestClockJumps"}},
		},
	},
	{
		Number:   34,
		Fault:    "SIGTERM under load",
		Expected: "within 10 s what was taken is committed, and the process has ended well",
		Tests: []Tests{
			{Package: "gateway/e2e", Tags: "e2e", Kind: Process, Names: []string{"TestTerminatedUnderLoad"}},
		},
	},
	{
		Number:   35,
		Fault:    "another version of the program meets the store",
		Expected: "a newer one opens it; an older one refuses it and says why",
		Tests: []Tests{
			{Package: "gateway/store", Kind: Loopback, Names: []string{"TestNewerFormats"}},
			{Package: "gateway/e2e", Tags: "e2e", Kind: Process, Names: []string{"TestOtherVersions"}},
		},
	},
	{
		Number:   36,
		Fault:    "a backup is taken under load and restored elsewhere",
		Expected: "it opens, has all that was acknowledged before it, and takes over the rest from the stream",
		Tests: []Tests{
			{Package: "gateway/publish", Kind: Loopback, Names: []string{"TestStoreSetBack"}},
			{Package: "gateway/e2e", Tags: "e2e", Kind: Process, Names: []string{"TestRestoreWithStream", "TestRestoreWithoutStream", "TestRestoreByTheBook", "TestBadBackupsAreRefused"}},
			{Package: "gateway/store", Kind: Loopback, Names: []string{"TestCheckpoint"}},
		},
	},
}
