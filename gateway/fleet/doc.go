// Package fleet holds who is out there: every device with its number, names, keys, counters, addresses, software version and when it
// was last heard.
//
// It is pure: no I/O, no clock, no goroutine. The gateway's committer owns a [Fleet] and calls it with the time of each event; the
// store keeps each device as one row, whose encoding is [Fleet.AppendRow] and [Fleet.Load].
//
// # Memory
//
// A fleet of 100,000 devices lives in memory whole, so the layout is flat: one pointer-free record per device in slabs of 1,024, with
// the keys of the current epoch expanded from the device key (16-byte AES key, 13-byte IV, 32-byte acknowledgement key) beside the
// counters. What is the same in many devices (product, customer, version, link) is interned. What only some devices have sits in side
// tables: the 4-byte-tag key, the salt of a later epoch, addresses. The device key itself is never kept here.
package fleet
