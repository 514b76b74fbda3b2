package hub

import "time"

// Limits of the data path. Each is a number that a queue, a table or a sender can reach; what happens then is counted.
const (
	batchFramesMax  = 512       // uplinks taken into one commit
	batchBytesMax   = 256 << 10 // payload bytes taken into one commit
	batchRowsMax    = 16 << 20  // bytes of rows and events after which a commit takes no further uplink: a frame of 14 bytes may hold 257 statuses
	queueLen        = 64        // calls of Uplinks waiting for the committer; further ones block their driver
	baseCacheLen    = 16384     // last states of devices, some 100 B each; a miss costs a read of the store
	quarantineRing  = 256       // last unverified payloads kept in memory per link
	quarantineDay   = 20        // unverified payloads stored per sender and day on metered links
	parkedEach      = 64        // deltas of a device that wait for their base
	parkedMax       = 16384     // the same, of all devices
	parkedTTL       = 7 * 24 * time.Hour
	pendingFrames   = 64   // frames kept for a device that waits for approval
	reassemblySets  = 1024 // concatenated messages under way
	reassemblyEach  = 64   // the same, per sender
	reassemblyDone  = 4096 // those that became whole, of which a part may be read again
	reassemblyParts = 16   // parts of one message
	reassemblyTTL   = 24 * time.Hour
	fragmentDevices = 4096     // devices with messages in pieces under way, or complete within a day
	fragmentMemory  = 64 << 20 // bytes that all pieces take
	alternatesMax   = 2        // contents kept per part: references are reused
	replyRoom       = 32       // bytes of a window that are left for the reply
	replyExtra      = 8        // bytes that a reply may be longer than what it answers (no amplification)
	tagFailuresDay  = 100

	failuresPerSecond = 2    // frames that do not verify, by device and place
	failureBurst      = 32   // the same, at once: a concatenated message is tried in several ways
	failuresDay       = 2000 // the same, in a day; then only one in failureSample is tried
	failureSample     = 16

	weakFailuresDay = 1000 // failed 4-byte tags per link and day before strangers are no longer tried
	lateAfter       = time.Hour
	smsPerDay       = 50 // paid downlinks per device and day
	ackInterval     = 60 * time.Second
	repeatInterval  = time.Second      // acknowledgements of duplicates per device on a free link
	strangerRepeat  = 10 * time.Second // the same, for a source that is not the device's route
)
