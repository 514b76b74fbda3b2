// Package rockblock is the web service of RockBLOCK modems as a gateway meets it.
//
//	s, err := rockblock.New(rockblock.Options{Webhook: "http://127.0.0.1:8470/"})
//	s.Deliver(ctx, rockblock.Message{IMEI: "300234010753370", MOMSN: 7, Data: frame}) // a modem sent it
//
// Deliver is a webhook, signed as Ground Control signs, in any of the forms that there are. It waits three seconds for a 200 and comes again after 2, 4, 8 …
// seconds if there is none, so what was taken and not said in time comes twice. Messages do not wait for each other.
//
// The service is an [net/http.Handler] for what goes to modems: it checks account, modem and data and answers OK or FAILED with its code.
package rockblock
