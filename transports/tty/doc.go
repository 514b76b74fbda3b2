// Package tty opens serial lines: modems behind a UART, an FTDI cable or a USB function that shows itself as one.
//
// A line is opened raw, exclusively and without waiting for a carrier. Its reads and writes take deadlines, and [Port.Close] ends those
// that are waiting, so that a driver can always stop.
//
// Kernel names such as ttyUSB0 change whenever a modem is plugged in again. Configure a name below /dev/serial/by-path or
// /dev/serial/by-id, which stays.
package tty
