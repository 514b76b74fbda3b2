// Package directip speaks DirectIP, the TCP interface of Iridium's gateway for Short Burst Data (SBD).
//
//	modem ~~> satellite ~~> Iridium gateway --TCP, one message--> [Transport] --> Sink.Uplinks --> verdict --> confirmation, close
//	modem <~~ satellite <~~ Iridium gateway <--TCP, one message-- [Transport.Send]
//
// In both directions a connection carries one message and who accepted it answers. For what comes from modems (mobile originated, MO) the Iridium
// gateway is the client and this package the server; for what goes to them (MT) it is the other way round.
//
// The Iridium gateway delivers in order and one after the other: what is not taken holds up all that is behind it, for twelve hours. So whatever is
// whole is taken. What the sink rejects is confirmed, what cannot be read goes to the sink as [transports.ContentRaw], and only a sink that fails
// leaves a message with the network. With Config.Confirm, which the account must be set up for, the network is told so in words; without it all
// that can be done is to close the connection after the sync, or to reset it.
//
// # Messages that come again
//
// A message whose confirmation was lost comes again. That it does not become a second event is the business of the sink, which knows a frame by its
// counter for good, across restarts and links. Beside that a transport remembers the last [repeatsMax] messages that were settled, so that a
// repetition by the network, which no device paid for, is confirmed without being counted again. It knows a message by IMEI, MOMSN, time of
// the session, CDR reference and payload together, for the MOMSN alone is used again: after a session that failed, after 65,535, and when the
// modem is told to begin anew.
//
// # What is missing
//
// The modem is told "sent" when the Iridium gateway has a message. If that then loses it, as it does when nobody took messages for long, nobody hears
// of it but by the next MOMSN. See [Stats] and [transports.Uplink.Missing].
//
// Sources: Iridium Short Burst Data Service Developers Guide 3.0 (2012); the length of the location element is 11, not 20 as table 6-7 there says
// (github.com/gadomski/sbd-rs, issue 10), and it stands before the payload in all captures seen.
package directip
