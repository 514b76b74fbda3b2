package smsmodem

import (
	"strconv"
	"strings"

	"github.com/godwit-gateway/godwit/transports/serial"
)

// A kind says what to do with a line that the modem sent.
type kind uint8

const (
	kindReply   kind = iota // for the command under way
	kindRing                // a message or report was stored: list the storage
	kindDeliver             // a message follows in the next line, for us to keep
	kindReport              // a status report follows in the next line
	kindCell                // a broadcast follows in the next line
	kindFull                // a storage is full: list all
	kindReboot              // the modem started over: what we had set up is gone
	kindRefused             // a vendor's way to say ERROR
	kindNoise               // an indication that is no business of ours
)

// rebooted are lines that modems of several makers send when they, or the SIM, start over.
var rebooted = []string{
	"RDY", "^SYSSTART", "+CPIN:", "+CFUN:", "SMS READY", "SMS DONE", "+QIND: SMS DONE", "*ATREADY", "MODEM:STARTUP", "+SIM READY", "NORMAL POWER DOWN",
	"POWERED DOWN", "UNDER-VOLTAGE POWER DOWN",
}

// refused are final results that only some makers know; a command would wait for the standard ones in vain.
var refused = []string{"COMMAND NOT SUPPORT", "COMMAND NO RESPONSE", "TOO MANY PARAMETERS", "OPERATION NOT SUPPORTED", "NOT SUPPORT"}

// noise are indications that come in the middle of replies.
var noise = []string{
	"+CREG:", "+CGREG:", "+CEREG:", "+C5GREG:", "+CIEV:", "+CUSD:", "+CBMI:", "+CRING:", "RING", "+CLIP:", "+CCWA:", "+CGEV:", "+CTZV:", "+CTZE:",
	"+CTZDST:", "+CSSI:", "+CSSU:", "+CCOWA:", "+STIN:", "+QIND:", "+QUSIM:", "+PACSP", "+XCIEV:", "+UUSTS", "NO CARRIER", "CALL READY", "PB DONE",
	"^", "*", "$", "%", "#",
}

// classify says what a line is. pending is the prefix of the information lines of the command under way, such as "+CREG:", or "": such a
// line is its reply, although the modem also sends that prefix unasked.
func classify(line, pending string) kind {
	upper := strings.ToUpper(line)
	if pending != "" && strings.HasPrefix(upper, pending) {
		return kindReply
	}
	switch {
	case strings.HasPrefix(upper, "+CMTI:"), strings.HasPrefix(upper, "+CDSI:"):
		return kindRing
	case strings.HasPrefix(upper, "+CMT:"):
		return kindDeliver
	case strings.HasPrefix(upper, "+CDS:"):
		return kindReport
	case strings.HasPrefix(upper, "+CBM:"):
		return kindCell
	case strings.HasPrefix(upper, "^SMMEMFULL"):
		return kindFull
	case hasPrefix(upper, rebooted):
		return kindReboot
	case hasPrefix(upper, refused):
		return kindRefused
	case hasPrefix(upper, noise):
		return kindNoise
	}
	return kindReply
}

func hasPrefix(line string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(line, p) {
			return true
		}
	}
	return false
}

// pendingPrefix returns the prefix of the information lines of a command: "+CPMS:" for `+CPMS="SM"`.
func pendingPrefix(cmd string) string {
	if i := strings.IndexAny(cmd, "=?"); i >= 0 {
		cmd = cmd[:i]
	}
	if !strings.HasPrefix(cmd, "+") {
		return ""
	}
	return strings.ToUpper(cmd) + ":"
}

// ringing returns the storage that a doorbell names, "" if it names none that can be.
func ringing(line string) string {
	fields := serial.Fields(afterColon(line))
	if len(fields) == 0 || len(fields[0]) != 2 {
		return ""
	}
	return strings.ToUpper(fields[0])
}

func afterColon(line string) string {
	_, rest, _ := strings.Cut(line, ":")
	return rest
}

// number reads a parameter that is a small number; -1 if it is none.
func number(s string) int {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return -1
	}
	return int(n)
}

// isHex reports whether a line can be a PDU. An odd number of digits is let through: it is for the parser to judge.
func isHex(line string) bool {
	if len(line) < 2 {
		return false
	}
	for i := range len(line) {
		c := line[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'F') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
