package failpoint

// Variable is the variable of the environment that arms a point.
const Variable = "GODWIT_FAILPOINT"

// A Point is a place that work comes past.
type Point string

// The points, in the order in which a frame and its event come past them; then those of rarer work.
const (
	Received   Point = "received"   // payloads were read, nothing has been looked at
	Opened     Point = "opened"     // the tag of a frame verified
	Built      Point = "built"      // a batch holds all that its frames come to
	Written    Point = "written"    // the log file holds the batch, the disk need not
	Synced     Point = "synced"     // the batch is on disk, and nobody knows it
	Replied    Point = "replied"    // acknowledgements are about to leave
	Answered   Point = "answered"   // acknowledgements have left
	Erasing    Point = "erasing"    // a short message is on disk and about to be deleted from the modem
	Erased     Point = "erased"     // it was deleted
	Published  Point = "published"  // events are on their way to the stream
	PubAcked   Point = "pubacked"   // the stream has them and said so
	Confirmed  Point = "confirmed"  // they count as published, in memory
	Trim       Point = "trim"       // before events are deleted from the outbox, and after it
	Checkpoint Point = "checkpoint" // before a checkpoint of the store is made, and after it
	Rekey      Point = "rekey"      // a device is to have a new epoch, in memory
	Join       Point = "join"       // a device has begun a new epoch by joining, in memory
)

// Points are all points, in the order above.
func Points() []Point {
	return []Point{
		Received, Opened, Built, Written, Synced, Replied, Answered, Erasing, Erased, Published, PubAcked, Confirmed, Trim, Checkpoint, Rekey, Join,
	}
}
