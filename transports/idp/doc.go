// Package idp speaks with the message gateway of ORBCOMM IsatData Pro and OGx, the web service that keeps what terminals sent and takes what is for them.
//
//	terminal ~~> satellite ~~> message gateway <--GET, every 10 s-- [Transport] --> Sink.Uplinks --> the mark moves
//	terminal <~~ satellite <~~ message gateway <--POST-- [Transport.Send], and GET what became of it --> Sink.Report
//
// It has two dialects: v1 (IGWS), with account and password in each call and payloads as lists of numbers, and OGWS, with a token by OAuth 2 (RFC 6749 §4.4)
// and payloads in base64.
//
// # Marks
//
// The gateway gives messages from a time on, its high-water mark, which has whole seconds and includes its own second. So each poll brings messages again that
// were settled, and they are known by their ids. The mark, and the ids of settled messages that it will bring again, are in a file that is synced after the
// sink has settled what they stand for. A crash in between has messages come again, which the sink knows by their frames. A message that the sink does
// not settle holds the mark where it is: what is on its page is settled one by one, what is behind its page waits. The gateway keeps messages for five days.
//
// In v1 a second with more messages than a page has is read on by their ids. OGWS has no such call (it takes a time, and no id, no end and no terminal): of more than
// 500 messages in one second it shows 500. Those are settled; once the second is over the mark goes on behind it, an error in the log says so, and
// Stats.Overfull counts. The others are not confirmed to their terminals: a device sends again what it wants confirmed. Statuses have the same limit in both
// dialects, but may be asked for by the ids of messages: where a page of them is full of one second, they are.
//
// # Messages to terminals
//
// What the gateway has taken it keeps until the terminal listens, which may be an hour later, and longer if it is out of sight; a few messages fill a terminal's
// queue. It knows no expiry, so a message that has expired is cancelled there. Which messages are under way is in the file as well.
//
// A submission whose answer was lost is looked up at once, by terminal and content, among those that the gateway names since, and is followed like others if it is
// there. If it is not, or the gateway does not answer that either, its outcome is unknown ([transports.MaybeSent]), and nothing follows it: whether
// the gateway has such a message later cannot be told from another submission of the same frame.
//
// # Secrets
//
// In v1 account and password are part of addresses. Errors of net/http have the address in them, so no error leaves this package with one, and none has
// text that the gateway answered.
//
// The token is fetched here: it is one form and one answer. golang.org/x/oauth2 would do the same, keep its errors with the gateway's answer in them, and
// take away the say when a refused token is fetched anew.
//
// Sources: github.com/inmarsat-enterprise/isatdatapro-api (lib/igws.js, lib/ogws.js) for calls, names and states; Traccar's OrbcommProtocolDecoder for the empty mark.
package idp
