// Package idpmodem speaks with an ORBCOMM IsatData Pro terminal on a serial line beside the gateway, by its AT commands.
//
//	network ~~> satellite ~~> terminal's forward queue --> %MGFN, %MGFG --> Sink.Uplinks --> verdict --> %MGFM: only now is it gone
//	network <~~ satellite <~~ terminal's return queue <-- %MGRT <-- [Transport.Send]; %MGRS follows it
//
// Here the gateway is the mobile. What comes to it are forward messages, from the network's web service or from another terminal whose messages the
// customer's application relays, and what leaves it are return messages.
//
// # Who is at the other end
//
// Neither kind names the other end: a forward message has no sender, and a return message no recipient. So [transports.Uplink].From has an empty ID, or is
// Config.Peer if the application relays for one terminal only, and the frame itself says which device it is of. With a peer Send refuses every other
// recipient. Without one it takes any on this bearer, and the application has to know whom a message is for, or gives it to all: a device takes what is
// sealed for it.
//
// # What is not lost, and what comes twice
//
// A forward message stays in the terminal until the sink has settled it, whatever happens to the line or the gateway; a crash before it was marked makes it
// a duplicate, which the sink knows by its frame. What the sink rejects or quarantines is marked as well, and a message that cannot be read goes to the
// sink as [transports.ContentRaw], so that nothing blocks those behind it.
//
// A return message is named after its content. So whether the terminal has one is known after a lost answer and after a restart of the gateway: one that is
// still on its way is not queued a second time. The terminal gives up what it could not send within its transmit lifetime, which is 3 minutes in its
// battery modes and 3 hours in others; the message is queued again until it expires. One that was handed over by an earlier process is watched and
// cleared away, and not queued again, since nobody knows its bytes.
//
// # Checksums
//
// With %CRC=1 each command, and each reply as a whole, carries a CRC-16 with polynomial 0x1021 and the initial value 0xFFFF. It is switched on where the
// terminal has it. A command or reply that was garbled is repeated: commands are such that a repetition does no harm. Without checksums a forward message is
// read twice, and both readings have to agree; a return message that is garbled then, no device takes.
//
// The terminal tells of events by a wire that hosts seldom have, so the queues are asked for: that costs no air time.
//
// # Libraries
//
// warthog618/modem's package at issues commands and takes replies apart. It credits a late answer to the next command and knows no checksums, so it does
// not get the line itself: a pump reads that, and after a time-out a fresh command processor takes over.
//
// Sources: the names of commands, states and registers follow github.com/inmarsat-enterprise/nimomodem, of which the checksum's examples are in the tests;
// those of the Quectel dialect are from there alone.
package idpmodem
