// Package sbdmodem speaks Iridium Short Burst Data through a transceiver (9601, 9602, 9603) on a serial line beside the gateway, by AT commands.
//
//	other modem ~~> satellites ~~> queue of ours --session--> MT buffer --+SBDRB--> Sink.Uplinks --> verdict --> +SBDD1: only now is it gone
//	other modem <~~ satellites <~~--session-- MO buffer <--+SBDWB-- [Transport.Send]
//
// So the gateway is a mobile like its devices: what it sends is mobile originated (MO), and what comes to it mobile terminated (MT).
//
// # Who is at the other end
//
// Where an MO message goes to is set up with the provider for each modem, and is no part of the message; nor does an MT message say where it
// came from. Two ways are in use: the provider delivers from one modem to another (ISU to ISU; there may be five destinations, each of which gets
// everything), or the web service of RockBLOCK modems forwards what begins with "RB" and a serial number. So an uplink comes from an address without
// ID, and the device is known by the connection id in its frame and by the seal, unless Config.Peer says that there is one modem only; and a downlink
// goes to whom the provider has set up, whatever its address. Frames are bound to one device: others cannot read them. A payload that begins
// with "RB" is refused, since a RockBLOCK's web service would take it for an order.
//
// # Buffers
//
// The transceiver holds one message of each direction, and its buffers set traps:
//
//   - The MO buffer keeps its message after a session that took it, and the next session sends it again, for money. It is cleared when the outcome is
//     known, and again before each session that is to send nothing.
//   - The MT buffer loses its message when the next session starts. None starts before the sink has settled it: while the sink fails, nothing
//     is sent either, and the network keeps what else waits. Any session may bring a message.
//   - Both lose theirs with the power. For an MT message nobody but its sender can help that: the network counts it as delivered.
//
// # Outcomes
//
// A session ends with a status, which says whether the network took the MO message (moStatuses). Where the status got lost, with the line, the power or
// the process, the transceiver's count of sessions that went well tells: its MOMSN is written down before each session that sends, in a file that
// survives crashes (Config.State), and is compared with it afterwards. What the network had taken before a crash is answered with a receipt when
// the queue brings it again, and is not sent again. Without the file, or where the count fits neither, the outcome is [transports.MaybeSent], the
// buffer is cleared, and the queue decides.
//
// # Pace
//
// After a session that failed the next comes within 5 s, twice, then within 30 s, twice, and then after 5 min, as Ground Control's guide has it; after
// status 36 three minutes must pass. Failed sessions cost energy and no money, so that much repetition is the driver's own; what did not leave
// within Config.SendTime goes back to the queue as not sent. No session starts without signal (+CSQF), nor on firmware before TA13001 without the
// system's time (-MSSTM). A mailbox check, which is a session that sends nothing, is paid for like a message: there is one after a ring alert, while
// the network says that more waits, and at an interval only if one is configured. A sink that is a [transports.Payer] books each, before the next session
// starts.
//
// # Why no library
//
// warthog618/modem's at package, which reads replies for other drivers, reads them by line: it would drop the bytes 10 and 13 out of the block that
// +SBDRB answers with. So the line is read here: decoder makes lines and blocks of bytes, and takes SBDRING out wherever it comes.
//
// Sources: Iridium Short Burst Data Service Developers Guide 3.0 (2012); docs.groundcontrol.com/iot/rockblock, for statuses and pace;
// github.com/mikalhart/IridiumSBD, for -MSSTM.
package sbdmodem
