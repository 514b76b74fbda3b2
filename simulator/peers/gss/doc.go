// Package gss is an Iridium gateway for Short Burst Data (a GSS) with the modems of one account, as a DirectIP server of theirs sees it: over TCP.
//
//	g, err := gss.New(gss.Options{Destinations: []string{"127.0.0.1:10800"}, Confirm: true, Modems: []string{"300234010753370"}})
//	go g.Run(ctx)
//	g.Session(gss.Session{IMEI: "300234010753370", Payload: frame}) // a modem had one
//
//	Session -> queue of each destination -> one connection for each message -> confirmation, or the end of the connection -> OnSettled
//	MT server on Addr -> queue of the modem -> OnRing; with its next Session the modem gets what is first there
//
// It is as inconvenient as the real one (SBD Developers Guide 3.0 §6.2, §7): each destination gets its messages in order and one after the other, and
// one that is not taken holds up all behind it; the next try comes after 1, 5, 10, 20, 30, 60, 120, 240 and then every 360 s; a message lives for
// twelve hours, and of more than 10,000 the oldest are dropped. The modem is told that all is well when its message is in the queues. A session that
// failed is a message too, without a payload, and gives its MOMSN to the next. For a modem 50 messages wait at most, and one that
// gets older than five days takes all the others with it.
//
// In one thing it is kinder: without confirmations it waits for the other side to close the connection, and takes a reset for a no.
//
// What it knows of DirectIP it knows by itself, and nothing of it from the gateway's driver: that the two understand each other is worth something.
package gss
