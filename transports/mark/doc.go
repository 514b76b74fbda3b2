// Package mark keeps how far a driver has read of what its network stores, in a file that survives crashes.
//
//	at, err := mark.Read(path)   // "" at the first start
//	// fetch what comes after at, give it to the sink; when all of it is settled:
//	err = mark.Write(path, next) // on disk when it returns
//
// A mark is the network's own word for a place, such as the id of a message or a time, and never more: what lies before it was settled, what lies behind it
// may have been. So a driver moves it only after the sink, and what a crash has it fetch twice the sink knows by its frames.
// A driver that sends may keep there what it has under way instead.
//
// A file that cannot be made sense of, as after a disk that lied about a sync, is [ErrDamaged]: the driver then begins at the beginning and relies on the
// sink, which is dearer than it is dangerous.
package mark
