// Package cloudloop reads what Cloudloop, Ground Control's platform for Iridium, has stored of an account's SBD modems, and sends to them.
//
//	modem ~~> satellite ~~> Cloudloop <--GET, long poll, "after the mark"-- [Transport] --> Sink.Uplinks --> the mark moves
//	modem <~~ satellite <~~ Cloudloop <--GET, hexadecimal-- [Transport.Send]
//
// It is for gateways that nobody can connect to: unlike with the webhooks of package rockblock, all connections go out. Cloudloop keeps the messages, so
// what counts as received is a mark, the id of a message, in a file of its own (package mark). It moves when every message of a page is settled, and is on
// disk before the next page is asked for; after a crash at most one page comes twice, and the sink knows its frames.
//
// # The beginning
//
// Asked without a mark Cloudloop tells its newest message only. So where there is none, as at the first start, or it is damaged or Cloudloop does not know
// it any more, the messages of each modem for as long as Config.LookBack are read first, from the archive, and the mark is the newest of before. Nothing is lost
// between the two: what comes while the archive is read comes after the mark.
//
// # What never holds up the others
//
// A message that cannot be read, is longer than a modem can send, or is of a modem that Cloudloop does not know, goes to the sink as
// [transports.ContentRaw] or without a sender, and is passed; one that the sink rejects is passed too. Only a sink that fails, or a web service that does, keeps a
// page back.
//
// # What becomes of messages to modems
//
// Nobody says. Cloudloop's one call for delivery, Data/GetMtDeliveryStatus, is of IMT messages, which SBD modems do not have; what Iridium says of SBD
// messages it gives to a queue of AWS SQS that an account may have, and to no call (knowledge.cloudloop.com/docs/api/send-message and
// /docs/data-docs/lingo/status). So a receipt has no reference and no report follows, and a request whose answer was lost cannot be looked up: its outcome
// is [transports.MaybeSent].
//
// # Credentials
//
// The token goes into the query of each request, as the interface has it. It is in no error and no log of ours: errors of requests are told without their
// addresses, and texts of the service without the token.
//
// # What is certain, and what is not
//
// Certain, from docs.cloudloop.com/reference (retrieve-messages-long-poll, retrieve-messages, send-message, get-hardware) and from
// github.com/OperatorFoundation/Cloudloop, a client: the actions and their parameters, 200 messages and 60 seconds at most, times as
// ISO_LOCAL_DATE_TIME, payloads in hexadecimal, "QUEUED" for what was taken, and errors as {"at", "error", "exceptions": [{"id", "name"}]}.
//
// Not settled by any source, and taken as it comes [?]: the mark's parameter is lastMessageRetrieved on the page and lastMessageReceived in the client, so both
// are sent; in answers it may be spelt in three ways, or be missing, and then the message that was received last is it. Times have no zone and are taken as
// UTC. A payload that is not hexadecimal is tried as base64, which the platform's newer interfaces have. MOMSNs, ids and codes may be numbers or texts. Which
// words beside QUEUED mean yes, and which statuses come with errors, is not written anywhere: see [Transport.Send].
package cloudloop
