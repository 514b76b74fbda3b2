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
// In v1 a second with more messages than a page has is read on by their ids. OGWS is not known to have such a call: more than 500 messages in one second would
// hold the link up, and are warned of.
//
// # Messages to terminals
//
// What the gateway has taken it keeps until the terminal listens, which may be an hour later, and longer if it is out of sight; a few messages fill a terminal's
// queue. It knows no expiry, so a message that has expired is cancelled there. Which messages are under way is in the file as well.
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
