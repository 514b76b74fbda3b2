// Package pty is what simulated modems have in common: a [Line], which is a pseudo-terminal whose other end programs open like a serial line; a [Peer], which
// moves bytes between that and a [Machine] and pulls the cable when it is told to; and a [Director], which decides what goes wrong with commands.
//
// [Open] also puts a symbolic link to the terminal where it is asked to, which stays the same from one plugging in to the next, like a name below
// /dev/serial/by-path.
package pty
