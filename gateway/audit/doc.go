// Package audit is the book of authorisations: who allowed what, when, and with which remark.
//
// Entries form a chain: each holds the SHA-256 hash of the one before, and the hash of an entry covers all of it. So no entry can be changed, left
// out or put between others without every later hash being another one. What a chain cannot tell by itself is that its end was cut off: for that
// the head, number and hash of the newest entry, must be known elsewhere. The gateway publishes it with each entry.
//
// The package does no I/O. Rows are kept by gateway/store, in the same batch as the change that an entry allows.
package audit
