// Package backup copies a store into a folder that can be carried away, and brings it back.
//
//	DIR/backup.json       what the backup is: written last, so that a backup without it was never whole
//	DIR/store/pebble/...  the database, as a checkpoint of it or the files of a store that nobody has open
//
// The database has checksums for its blocks and its log, but none that tells that a file is missing its end, or is of another day. So
// backup.json has the length and the SHA-256 of every file, and a restore begins with reading them all.
//
// The key-encryption key is no part of a backup on purpose: who has both has the devices.
package backup
