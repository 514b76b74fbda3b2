// Package verdict says whether an update does harm while it is being rolled out, from what is heard and what is not: continue, promote, warn or halt,
// with the reasons, and how likely the update is behind the silence of one device. It is pure: no clock, no I/O, no goroutine; the same calls give the
// same bits on every processor, and calls of the same moment about different devices may come in any order. Times are Unix seconds, intervals seconds.
//
// # How it is driven
//
// A Judge serves one rollout. It is best made some days before the first wave, so that it has seen controls, and is dropped when the rollout ends, and
// with it all that it keeps: 52 bytes for each device, and some kilobytes for each link and group.
//
//	j, err := verdict.New(now, config, model)     // what is usual is read from presence once and stays as it is
//	each authenticated frame, of any device of the fleet that others may be compared with, in the rollout or not:
//	                  j.Contact(now, place, stratum, interval)
//	a wave opens:     j.Assign(now, places)       // all of the wave, heard or not; drawn at random
//	update delivered: j.Start(now, place, burst, downtime), after Contact of the same frame
//	outcome reported: j.Report(now, place, failed)
//	a group is held:  j.SetAside(now, group)
//	now and then:     j.Poll(now); v := j.Verdict()
//	for people:       j.Suspect(place)
//
// # Evidence
//
// Evidence is a factor: how many times more likely what was seen is if the update does harm. It is gathered by e-processes, whose mean without harm
// never exceeds 1, however often and whenever one looks. So the probability that one ever comes to 1/alpha without harm is at most alpha (Ville, 1939).
// Nothing here is a p-value: looking every five minutes costs nothing.
//
//   - Burst. After an update a device reports by a programme until it is heard. A run of missed contacts counts (q+(1-q)c)/c for a share q of harmed
//     devices, where c is how likely a living one misses as many; being heard counts 1-q.
//   - Cycle. The same for each regular contact of the week after the update, if harm comes with a mean of a day.
//   - Failure. Reported failures against a share that is tolerated.
//   - Paired. Windows of silence of the updated against those of devices of the same product, version and link without the update, which close in the
//     same six hours. A window is so long that hardly any living device is silent through it, begins at a contact, and counts only when it closes, so
//     that one who sleeps is neither a success nor a failure.
//   - Across. The same against all others on the link, who may be better by a factor of two.
//   - Historic. The same against what was usual before, times two, and times what controls of the last week were worse.
//
// Each is a mixture: half on an effect that all groups share, half spread over groups; evenly over shares of 0.5 to 30 % or factors of 2 to 120.
//
// # Decision
//
// With alpha = 0.01 a rollout is halted when 0.4 Burst + 0.25 Cycle + 0.05 Failure, or 0.1 Paired, or 0.1 Across, or 0.1 Historic comes to 1/alpha. The
// first three know each contact and may be averaged; the others know closed windows only, and evidence that knows different things must not be
// averaged, so that each has its part of alpha. A group is halted by itself when its own evidence comes to the number of groups times 1/alpha; these
// halts have an alpha of their own. Once it is offered nothing more it is set aside: what becomes of those that have the update holds nobody else back.
// An average of 5 is a warning, which holds the next wave.
//
// An operator may go on in spite of a halt: the evidence begins anew, with half the alpha of before, so that without harm less than two alphas of
// rollouts are ever halted, whatever operators do.
//
// A group with some 150 updated devices holds the next wave until 80 % of them were heard two days after the update, and while its evidence is not
// below 1. Without harm that costs the ramp two days at the second and the third wave; it is what keeps an update that harms late from going out to
// all before anything can be seen. Promote is the same evidence upside down: that a share of Excess is harmed has become unlikely.
//
// # What is guaranteed, and under which assumptions
//
// Paired holds whatever happens to all alike, be it winter or the end of a carrier. It assumes that waves are drawn at random, that Assign is called
// with the whole wave before any of it is updated, and that the relative risk of short and long windows is about right. An operator who trusts nothing
// else may look at Paired alone, which is slow.
//
// The others hold if c is not too small. It is learned from runs of missed contacts, per link and interval, and inflated: twice the first, 1.2 times
// each further conditional chance, three times the deaths, and by how much controls of the link or group are worse of late. While a link is out by
// what its controls miss, or by Veto, missed contacts over it do not count. What the living miss must not change for the updated alone: a region that
// fails which has only updated devices, or new modem settings that are part of the update, look like harm. Some of that is harm.
//
// Nothing is claimed of devices that are told no interval, of links that presence has never seen, or when the gateway was away itself; then Veto
// all links until devices had their time.
//
// Sources: Ville (1939); Ramdas, Grünwald, Vovk and Shafer, Game-theoretic statistics and safe anytime-valid inference (2023); ter Schure, Perez-Ortiz,
// Ly and Grünwald, The anytime-valid logrank test (2020).
package verdict
