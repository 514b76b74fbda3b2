package isatdata

import "fmt"

// Error codes of a terminal, which register S80 has after a command that it refused.
const (
	TerminalBadCRC       = 100
	TerminalUnknown      = 101
	TerminalParameter    = 102
	TerminalLength       = 103
	TerminalSystem       = 105
	TerminalQueueFull    = 106
	TerminalNameInUse    = 107
	TerminalGNSSTimeout  = 108
	TerminalUnavailable  = 109
	TerminalReadOnly     = 112
	terminalUnrecognised = 4
	terminalUnexplained  = 0
)

var terminalNames = map[int]string{
	terminalUnexplained: "no reason given", terminalUnrecognised: "not recognised", TerminalBadCRC: "checksum of the command is wrong", TerminalUnknown: "unknown command",
	TerminalParameter: "wrong parameter", TerminalLength: "wrong length", TerminalSystem: "system error", TerminalQueueFull: "transmit queue is full",
	TerminalNameInUse: "name is in use", TerminalGNSSTimeout: "no position in time", TerminalUnavailable: "not available", TerminalReadOnly: "read-only",
}

// TerminalError names an error code of a terminal.
func TerminalError(code int) string {
	if name, ok := terminalNames[code]; ok {
		return name
	}
	return fmt.Sprintf("error %d", code)
}

// GatewayRate and the others are error codes of the web services of the network that say what to do.
const (
	GatewayRate     = 16    // polled too fast
	GatewayAuth     = 21785 // access ID or password is wrong
	GatewaySameMark = 21817 // same high-water mark polled too often
	GatewayTooLong  = 21797 // too long for a terminal in a low-power mode
)

var gatewayNames = map[int]string{
	0: "none", GatewayRate: "polled too fast", 17: "bad time stamp", GatewayAuth: "access ID or password is wrong", GatewaySameMark: "same mark polled too often",
	GatewayTooLong: "too long for a low-power mode", 115: "cannot be cancelled", 17685: "cannot be cancelled",
	513: "wrong mobile", 514: "wrong mobile", 16897: "wrong mobile", 16898: "wrong mobile", 17681: "queue is full", 21795: "queue is full", 21796: "queue is full",
	12309: "timed out", 21812: "timed out, never tried", 21813: "timed out, tried", 21814: "timed out, acknowledged and lost",
	49: "closed by a reset of the terminal", 21792: "closed by a reset of the terminal", 21815: "closed by a reset of the terminal", 21816: "closed by a reset of the terminal",
}

// GatewayError names an error code of the network's web services.
func GatewayError(code int) string {
	if name, ok := gatewayNames[code]; ok {
		return name
	}
	return fmt.Sprintf("error %d", code)
}

// GatewayRetry reports whether a call that ended in the code may be repeated as it is, later. Other codes repeat themselves.
func GatewayRetry(code int) bool {
	switch code {
	case GatewayRate, 18, 19, 20, GatewaySameMark, 128:
		return true
	}
	return false
}
