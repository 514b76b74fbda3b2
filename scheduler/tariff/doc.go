// Package tariff says what a transmission costs. A Tariff is dated data, what a provider's price list says; a Meter is how far one device, or
// one pool of devices, has come within it, since minimums, increments, allowances and tiers go over messages, sessions, records, days or months.
//
//	charge := t.Price(&device, &pool, tariff.Event{Time: now, Direction: tariff.MO, Bytes: 51})
//
// Money is integer micro-units all the way; a currency's own smallest unit is rounded to on an invoice only (Tariff.Invoice). What is charged
// for an event is the price of all so far less the price of all before it, so that the charges of a record add up to its price exactly and in
// any order of its messages, however broken the price of one byte is.
//
// The package is pure: time is an argument, and the zone in which a provider reckons days and months is handed in.
package tariff
