package idpmodem

import (
	"bytes"
	"fmt"
	"strconv"
)

// checksum is CRC-16 with polynomial 0x1021, initial value 0xFFFF, not reflected.
func checksum(b []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, c := range b {
		crc ^= uint16(c) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}

// withChecksum appends the checksum of a command line, which has no line end yet.
func withChecksum(command []byte) []byte { return fmt.Appendf(command, "*%04X", checksum(command)) }

// parseChecksum reads the line that ends a reply with a checksum. One that is garbled itself is wrong: no checksum is -1.
func parseChecksum(line []byte) (sum int, ok bool) {
	if len(line) != 5 || line[0] != '*' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(line[1:]), 16, 16)
	if err != nil {
		return -1, true
	}
	return int(n), true
}

// verified reports whether a reply, from its first line end on, has the checksum. What stands before that is the echo of the command.
func verified(reply []byte, sum int) bool {
	i := bytes.Index(reply, []byte("\r\n"))
	return i >= 0 && int(checksum(reply[i:])) == sum
}
