// Package verdict says whether an update does harm, while it is being rolled out, from what is heard and what is not: continue, warn, halt, promote,
// with the reasons, and how likely the update is behind the silence of one device. It is pure: no clock, no I/O, no goroutine; the same calls give the
// same bits on every processor, and calls of the same moment about different devices may come in any order. Times are Unix seconds, intervals seconds.
//
// # How it is driven
//
// A Judge serves one rollout. It is made when the rollout starts and dropped when it ends, and with it all that it keeps: 48 bytes for each device.
//
//	j := verdict.New(now, config, model)          // the null tables are read from presence once and stay as they are
//	each authenticated frame, of any device of the fleet's products, in the rollout or not:
//	                  j.Contact(now, place, stratum, interval)
//	a wave opens:     j.Assign(now, places)       // all of the wave, heard or not
//	update delivered: j.Start(now, place, burst, downtime), after Contact of the same frame
//	outcome reported: j.Report(now, place, failed)
//	now and then:     j.Poll(now); v := j.Verdict()
//	for people:       j.Suspect(place)
package verdict
