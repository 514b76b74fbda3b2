// Package sbdterm is an Iridium 960x transceiver with its network, behind a pseudo-terminal that programs open like a serial line.
//
//	modem, err := sbdterm.New(sbdterm.Options{Path: "/tmp/sbd0", OnMO: …, OnSettled: …})
//	go modem.Run(ctx)
//	modem.Deliver(ctx, sbdterm.MT{Payload: frame}) // somebody sends to it
//
//	Deliver -> queue of the network -> SBDRING -> +SBDIX -> MT buffer -> +SBDRB -> +SBDD1 -> OnSettled
//	+SBDWB  -> MO buffer -> +SBDIX -> OnMO
//
// It is as inconvenient as the real one. A session takes its time, fails without sky, and also with it; it clears the MT buffer when it starts, and
// what nobody had read then is gone; it leaves the MO buffer as it is, so that the next one sends the same again. Ring alerts cut into replies. Buffers
// and settings go with the power, the count of sessions (MOMSN) does not. What is to go wrong is drawn from a seed, and can be told in advance step by step
// ([Modem.Inject]): statuses, replies that get lost, a power cut before or after the network has the message, blocks with a wrong checksum, silence.
//
// The machine that decides all this is told the time and the bytes and does no I/O; [Modem] moves bytes between it and the terminal.
//
// What it knows of the commands it knows by itself, and nothing of them from the gateway's driver: that the two understand each other is worth something.
package sbdterm
