// Package rollout is the machine of software updates: which releases there are, which devices are to get which one and when, who allowed that, where
// each device stands, and whether it was really updated. It starts nothing, reads no clock and keeps nothing of devices beyond the tables of rollouts;
// what else it must know of a device it asks a Fleet. The same calls in the same order give the same rows, actions and answers.
//
//	people:     Register, Create, Act, Retry            -> an Authorisation each, for the chain of audit
//	by steps:   Planning, Starting, Look                -> what is about all devices of a large fleet, so that frames pass between
//	what came:  Heard, Reported, Steps                  -> where devices stand
//	what goes:  Offer -> Offered; Delivered, Undelivered
//	by time:    Poll                                    -> waves, deadlines, verdicts, halts
//	then:       Actions (what the world is to be told), Drain (rows that changed); Load brings them back
//
// # Who gets what, and when
//
// A rollout leads the devices that its filter matches to one release. Each of them has a lot, a hash of the number of the rollout and of the device:
// it is held out, or in one of the waves, by chance and for good. A wave opens when the one before it has had its least time, enough of it has
// reported, and the verdict does not warn; in safe mode one device goes first, alone. A device is offered the release at a contact, over a link and in
// a window that are allowed, after it was looked at: product, memory and the version that it comes from may refuse it before anything is sent.
//
// # What counts
//
// What a device says of its steps is believed as its story, not as proof. Confirmed is only who was heard, in an authentic frame sent after the boot, to
// run the release, with its build where the device says one, and then for as many contacts as the soak asks. A later frame with another version turns
// that into rolled back. Frames are put into the order in which the device sent them, so that late and repeated ones change nothing but when
// something became known.
//
// A sleeper is neither success nor failure: deadlines are counted in the contacts that a device should have made, and who has not called is shown as
// unknown. What silence says of the update is weighed by package verdict, which is told what it must know in judge.go.
//
// # What is kept
//
// A device of a rollout takes 300 bytes and 16 for each step that it told, its evidence 52, while the rollout can still go on, as that of every other
// device of the fleet. Once it has ended only its counts and the devices that are still busy with it stay in memory; the others are read back when
// somebody asks. Rows are written with the frame that changed them. The evidence is written too and not reckoned anew from frames: what silence is
// held against is learned and forgotten meanwhile, and a restart must not change what a running rollout is judged by.
//
// A retry of a rollout has a number of its own on air, by which devices tell of their steps: so a late log of the first try is not taken for one of the
// second, and a device that declined takes the new offer for what it is.
package rollout
