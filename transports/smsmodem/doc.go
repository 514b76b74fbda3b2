// Package smsmodem sends and receives SMS through a GSM, UMTS or LTE modem on a serial line, by AT commands (3GPP TS 27.005 and 27.007).
//
//	modem stores a message --> +CMTI, or the sweep --> +CMGL --> Sink.Uplinks --> verdict --> +CMGD: only now is it gone
//
// Messages are left in the SIM or the modem until the sink has settled them. An indication is a doorbell and carries no data: it gets lost,
// comes twice, or comes in the middle of a reply, and the storages are listed now and then without one. So a crash at any point costs a
// repeat and no message.
//
// Parts of concatenated messages go up one by one. Data is what came in the 8-bit alphabet; text is handed up as text, and what cannot be
// read as the bytes that it is.
//
// What differs from maker to maker is in one table, vendors. A modem that fails at the same command again and again is told to start over
// (ailments), and set up anew.
//
// What stands between the package and its modem, from below:
//
//   - line: one pump goroutine reads the serial line and keeps unasked lines out of replies.
//   - port: what one command processor (warthog618/modem's at.AT) takes for the line. It can be detached.
//   - commander: commands with time-outs. After one that timed out the late answer would be taken for that to the next, so the command
//     processor is thrown away, the line drained, and a fresh one attached.
//   - session: one Run; its loop is the only one to issue commands.
package smsmodem
