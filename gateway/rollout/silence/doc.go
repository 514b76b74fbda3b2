// Package silence says why nothing is heard of a device: which class its silence belongs to, how likely each class is, and what speaks for it.
// It is pure: no clock, no I/O, no goroutine, and the same input gives the same bits on every processor. Times are Unix seconds.
//
//	f := silence.Judge(&silence.Quiet{Now: now, Standing: core.Standing(now, place), Battery: ..., Update: ...})
//	f.Class, f.Probability, f.Evidence
//
// # How it weighs
//
// Each class gets the probability of what was seen under it, in the same unit: the share of devices of this kind of which this would be true now.
// Living devices that miss as many contacts by chance are the tail C(k) of presence. The dead are as many as presence's odds say, of which a small
// part are cards and contracts. A battery weighs what its trend says of its having run out since the device was last heard. An update weighs as much
// against late and dead devices as the verdict of its rollout says, or until there is one, as updates are known to do harm at the step at which the
// device is. Misses that an outage covers are the outage's by the share by which more is missed than usual. What the network says of the card (a
// refusal for good, a delivery) multiplies, and so does how many devices of the same operator are silent, against all others of the link.
// Then all of it is divided by its sum.
//
// Nothing is remembered: who hears the device, or learns something new, asks again, and the class is the one of then.
package silence
