// Package rockblock speaks with the web service of RockBLOCK modems, which are Iridium SBD modems with Ground Control's account in between.
//
//	modem ~~> satellite ~~> web service --webhook, POST--> [Transport] --> Sink.Uplinks --> 200 after the sync
//	modem <~~ satellite <~~ web service <--POST, form-- [Transport.Send]
//
// The web service waits three seconds for a 200 and comes again if it gets none, for hours and with growing pauses: so there is one only for what the
// sink has settled, and 503 when that takes longer. A message that comes again after it was settled, since the 200 was lost or the verdict came after the
// 503, gets its 200 from the transport's memory of the last [repeatsMax]: no device paid for it, and no acknowledgement of it is to be paid. Beyond that,
// as after a restart, what comes twice the sink knows by its frames.
//
// What the sink rejects gets 503 too: nothing of it is on disk, messages here do not wait for each other, and one of a device that is approved within the hours that
// the web service tries is not lost.
//
// The only authentication of a webhook is a token within it (JWT, RFC 7519), signed by Ground Control. Its algorithm is pinned to RS256 and its key
// configured; what it says of IMEI, MOMSN and data, and of time and position if it repeats them, must be what the body says, so that a token of one message
// is no use for another; and it must not be too old, so that a recorded one is none for ever. A webhook without such a token is not taken.
//
// # Libraries
//
// golang-jwt verifies the token: the format has traps (algorithms named by the sender, padding, numbers) that others have fallen into already. It has no
// dependencies.
//
// Sources: docs.groundcontrol.com/iot/rockblock; of the two forms of transmit_time, that of github.com/danielrichman/rockblock-relay. A payload that begins
// with "RB" the web service takes for its own, see [Transport.Send].
package rockblock
