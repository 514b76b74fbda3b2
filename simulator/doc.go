// Godwit-sim is the other side of a gateway: simulated devices, radios and modems.
//
//	godwit-sim demo     the whole gateway on loopback against a simulated fleet, and the proof that nothing was lost
//	godwit-sim serve    devices and a modem for a gateway that runs elsewhere
//	godwit-sim run      a scenario in virtual time, and a report of it
//	godwit-sim seeds    random worlds in virtual time
//	godwit-sim faults   the fault matrix, by the tests of the source tree
//	godwit-sim bench    how fast virtual time passes, and what schedules are worth
//
// Nothing here is part of a gateway in production.
package main
