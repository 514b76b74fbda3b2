// Package presence says what it means that nothing is heard of a device: that it is not due yet, that it is late, that its link or region is out, or
// that it is presumed dead, with a probability that holds. It is pure: no clock, no I/O, no goroutine, and the same calls in the same order give the
// same bits on every processor. Times are Unix seconds, intervals are seconds, hazards are per second, money is scheduler.Micros.
//
// # How it is driven
//
// A Device is a value of 32 bytes that the caller keeps; a Model is what the fleet has taught; a Queue says which device is next to be looked at.
//
//	on each uplink:      m.Contact(&d, now); d.Acknowledge(policy) if it says which it runs; q.Set(number, m.Next(&d, now))
//	on each policy sent: d.Offer(now, policy);                       q.Set(number, m.Next(&d, now))
//	on an update:        d.Burst(programme, downtime);               q.Set(number, m.Next(&d, now))
//	when q.Min is due:   s := m.Check(&d, now);                      q.Set(number, m.Next(&d, now))
//	for people:          m.Standing(&d, now), which changes nothing
//
// # Opportunities
//
// A missed contact is one that the device was really told to make. The schedule starts at its last contact, or after a downtime that it announced.
// It has the interval that the device acknowledged; while another one is on its way, an opportunity counts only once both schedules have had it. A
// burst after an update adds contacts before the first regular one and ends with the first contact. Opportunity k is missed when its window has
// closed: k intervals, and min(k, sqrt(3k)) times the link's jitter, since jitters add up, and the link's grace for delivery. All of this is
// arithmetic over the state, so nothing has to be counted on the way and a device is looked at again only when it can change: after 16 misses at
// steps of a quarter, so that the dead cost next to nothing.
//
// # Quiet hours
//
// A device may be told to say nothing in some hours of the day. Nothing is expected in them, and no window closes in them: its schedule is that of a clock that
// stands still meanwhile. Of an interval that is longer than the hours the contacts stay where they are, and one that falls into them is due when they end. A
// shorter one goes on where it stood, and counts as missed one interval later, for the device may leave out what it owed in them. Of a burst one contact is due at
// their end for all that fall into them, and none after that.
//
// # Posterior
//
// With C(j) = P(at least j contacts missed in a row | alive, just heard) and a hazard lam, after k misses and a time x since the last of them:
//
//	odds(dead) = [ sum over j<k of (1-e^(-lam gap_j)) C(j) + (1-e^(-lam x)) C(k) ] / [ C(k) - (C(k)-C(k+1)) G(x) ]
//
// G is the share of its window that the next opportunity has used up. Misses come in bursts, so C is not a power: it is learned from the runs that
// contacts end, per link and octave of the interval, as conditional probabilities h(j) = P(j+1 missed | j missed), each with 1/2 and 1/2 added at
// first. Where a row has seen little, h leans on that of the link, and this on a prior (0.1, then 0.75). Runs count when they end: those of the dead
// never do. A contact that comes when none was due says nothing of the opportunity after it and is censored there. Runs lose half their weight in 90
// days. The hazard is learned per product: expected deaths, which are the posteriors of its silent devices, over the time between contacts; the prior
// is 3 deaths in 300 device months.
//
// # Outages
//
// Among first attempts after a contact, which the dead do not inflate, the missed ones of the last six hours are compared with what is normal for the
// link, or for the cell where that is known and enough is heard there: more than twice as many, and z > 4, is an outage. z is
// 2(sqrt(x)-sqrt(m))/sqrt((1-p)(1+n/N)) for n attempts of late and N that p was learned from, 20 more than there were: what is normal is an estimate too.
// It does not cry wolf at small counts.
// Misses that an outage covers are no evidence against the device.
//
// First attempts do not tell when an outage ends: who is cut off makes none, and after some hours only those whom it did not hit are left. So it goes on
// until half of the devices that were away in it at a time have come back, away being who missed the first attempt in it and was not heard since; but for
// two days at most. What goes on for longer is how the link is now, and who has not come back is not waited for. Devices are counted, not listed: that a
// device missed, and when its window closed, is in what is kept of it anyway. It takes 40 bytes for each link and cell.
//
// # Polls
//
// A poll is worth what it saves on average of the loss that one would take by deciding now, with the measured chance that a living device which has
// missed k contacts answers: much after the first miss, next to nothing after the second. So a device is polled at most once, after its first miss,
// over links that can wake it, unless a rollout's verdict hangs on it.
//
// Sources: the run-length posterior is derived; the windows follow the phi-accrual idea (Hayashibara et al., 2004) with an empirical tail; the value
// of information is Raiffa and Schlaifer's. calibration_test.go holds it to a year of 3,000 devices with known deaths.
package presence
