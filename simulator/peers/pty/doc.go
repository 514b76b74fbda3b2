// Package pty is the line between a simulated modem and the program that uses it: a pseudo-terminal whose other end is opened like a serial line.
//
// [Open] also puts a symbolic link to it where it is asked to, which stays the same from one plugging in to the next, like a name below
// /dev/serial/by-path.
package pty
