// Package atmodem is a GSM modem with its SIM, its network and the network's short message centre, behind a pseudo-terminal that programs
// open like a serial line.
//
// It answers the AT commands of ITU-T V.250, 3GPP TS 27.007 and TS 27.005 that programs for modems use, so gammu, gammu-smsd and
// ModemManager's probing work with it unchanged, and so does a person with a terminal program:
//
//	modem, err := atmodem.New(atmodem.Options{Path: "/tmp/modem0", Number: "+491700000000"})
//	go modem.Run(ctx)
//	modem.Deliver(ctx, atmodem.Message{From: "+491711234567", Payload: frame}) // a device sends
//
//	Deliver -> service centre -> SIM or modem storage -> +CMTI -> +CMGL, +CMGR -> +CMGD -> OnSettled
//	+CMGS   -> service centre -> OnSubmit; later the status report, +CDS or +CDSI
//
// The service centre keeps a message until the modem has room for it or its validity has passed, as a real one does: nothing is lost
// that is not asked to be lost. What is asked for is in [Faults]: unsolicited lines inside replies, silence, late answers, noise, a cable
// pulled in the middle of a PDU. A seed decides everything that is left to chance.
//
// Path is a symbolic link that stays when the modem is unplugged and plugged in again, like a name below /dev/serial/by-path.
//
// The modem itself is a machine that is told the time and the bytes and does no I/O. [Modem] moves bytes between it and the terminal.
package atmodem
