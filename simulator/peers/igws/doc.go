// Package igws is the message gateway of ORBCOMM IsatData Pro and OGx as a program meets it that polls it, in both its dialects: v1 (IGWS) below [PathV1] and OGWS
// below [PathOGWS], which show the same messages.
//
//	s := igws.New(igws.Options{Account: "70000001", Password: "secret", Terminals: []igws.Terminal{{ID: "01234567SKYABCD"}}})
//	s.Return("01234567SKYABCD", message) // the terminal sent it; SIN and MIN are its first two bytes
//	s.Wake("01234567SKYABCD")            // it listens, and takes what waits for it
//
// The service is an [net/http.Handler]. Marks have whole seconds and include their own; without messages they are empty, and the list of messages is null; a page
// is a part, with More; ids are beyond 32 bits; calls that come too fast, or with the same mark too often, are refused. Messages to terminals wait until those
// wake, fill their queues, time out, and can be cancelled. [Service.Fail] makes the next calls fail: with the gateway's error codes, with a status of HTTP,
// with no answer, or with one that is lost after the call was done.
//
// [Service.Run] lets time pass for what plays a whole network.
package igws
