package smsmodem

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/warthog618/modem/at"
)

// Errors that Run returns, wrapped, besides those of the line.
var (
	ErrMute       = errors.New("modem does not answer")
	ErrWrongModem = errors.New("another modem than the one configured")
	ErrPIN        = errors.New("SIM needs a PIN or PUK")
	ErrNoStorage  = errors.New("modem has none of the message storages")
)

// ErrNotRegistered is wrapped by the error of a Send while the modem has no network.
var ErrNotRegistered = errors.New("modem is not registered with a network")

// errTimeout is what a command ends with that the modem did not answer in time. What it answers later is not known from the answer to the
// next command, so the modem has to be brought back in step first.
var errTimeout = errors.New("modem did not answer in time")

// A codeError is a command that the modem refused.
type codeError struct {
	cms    bool // +CMS ERROR, else +CME ERROR or a bare ERROR
	code   int  // -1: none given
	text   string
	vendor *vendor // of the modem that said so
}

// Error implements error.
func (e *codeError) Error() string {
	switch {
	case e.code < 0 && e.text == "":
		return "modem said ERROR"
	case e.code < 0:
		return "modem said " + strconv.Quote(e.text)
	case e.cms:
		if own, ok := e.vendor.cms[e.code]; ok {
			return fmt.Sprintf("+CMS ERROR: %d (%s)", e.code, own.name)
		}
		return fmt.Sprintf("+CMS ERROR: %d%s", e.code, meaning(cmsNames, e.code))
	default:
		return fmt.Sprintf("+CME ERROR: %d%s", e.code, meaning(cmeNames, e.code))
	}
}

func meaning(names map[int]string, code int) string {
	if name, ok := names[code]; ok {
		return " (" + name + ")"
	}
	return ""
}

// A class is what to do about an error.
type class uint8

const (
	classRetry     class = iota // may work later; also what is not known
	classBusy                   // works in a moment
	classPermanent              // will not work
	classFull                   // a storage is full: make room first
	classSMSC                   // the service centre's number is missing
	classSIM                    // SIM, PIN or PUK
	classNetwork                // no network at present
	classUnknown                // the network may have it all the same
	classSlot                   // no message there
	classAway                   // the recipient cannot be reached: it will not be otherwise within minutes
	classPhone                  // the modem itself fails: it starts over if that goes on
)

// cmsNames are the errors of 3GPP TS 27.005 §3.2.5 and the causes of TS 24.011 annex E-2 that occur; 512 and up belong to the makers, see
// vendors.
var cmsNames = map[int]string{
	1: "unassigned number", 8: "operator determined barring", 10: "call barred", 17: "network failure", 21: "short message transfer rejected",
	22: "congestion or memory exceeded", 27: "destination out of service", 28: "unidentified subscriber", 29: "facility rejected",
	30: "unknown subscriber", 38: "network out of order", 41: "temporary failure", 42: "congestion", 47: "resources unavailable",
	50: "facility not subscribed", 69: "facility not implemented", 300: "ME failure", 301: "SMS service reserved", 302: "operation not allowed",
	303: "operation not supported", 304: "invalid PDU mode parameter", 305: "invalid text mode parameter", 310: "SIM not inserted",
	311: "SIM PIN required", 312: "PH-SIM PIN required", 313: "SIM failure", 314: "SIM busy", 315: "SIM wrong", 316: "SIM PUK required",
	317: "SIM PIN2 required", 318: "SIM PUK2 required", 320: "memory failure", 321: "invalid memory index", 322: "memory full",
	330: "SMSC address unknown", 331: "no network service", 332: "network timeout", 340: "no +CNMA acknowledgement expected", 500: "unknown error",
}

// cmeNames are the errors of 3GPP TS 27.007 §9.2 that concern us.
var cmeNames = map[int]string{
	3: "operation not allowed", 4: "operation not supported", 10: "SIM not inserted", 11: "SIM PIN required", 12: "SIM PUK required", 13: "SIM failure",
	14: "SIM busy", 15: "SIM wrong", 16: "incorrect password", 20: "memory full", 21: "invalid index", 30: "no network service", 31: "network timeout",
	100: "unknown",
}

// cmsClasses and cmeClasses hold what is not classRetry. Of the makers' own errors they have those that several mean alike and that do no
// harm where one means something else.
var cmsClasses = map[int]class{
	1: classPermanent, 8: classPermanent, 10: classPermanent, 21: classPermanent, 28: classPermanent, 29: classPermanent, 30: classPermanent,
	50: classPermanent, 69: classPermanent, 302: classPermanent, 303: classPermanent, 304: classPermanent, 305: classPermanent,
	27: classAway, 300: classPhone,
	310: classSIM, 311: classSIM, 312: classSIM, 313: classSIM, 315: classSIM, 316: classSIM, 317: classSIM, 318: classSIM,
	314: classBusy, 515: classBusy, 320: classFull, 322: classFull, 531: classFull, 321: classSlot, 330: classSMSC, 331: classNetwork,
	332: classUnknown, 500: classUnknown,
}

var cmeClasses = map[int]class{
	3: classPermanent, 4: classPermanent, 10: classSIM, 11: classSIM, 12: classSIM, 13: classSIM, 15: classSIM, 16: classSIM,
	14: classBusy, 515: classBusy, 20: classFull, 21: classSlot, 30: classNetwork, 31: classUnknown,
}

// classOf tells what to do about an error of a command. It says so of refusals only: ok is false for a time-out or a lost line.
func classOf(err error) (c class, ok bool) {
	var e *codeError
	if !errors.As(err, &e) {
		return classRetry, false
	}
	if e.cms {
		if own, ok := e.vendor.cms[e.code]; ok {
			return own.class, true
		}
		return cmsClasses[e.code], true
	}
	return cmeClasses[e.code], true
}

// codeOf returns the modem's number for an error, 0 if it gave none.
func codeOf(err error) int {
	var e *codeError
	if errors.As(err, &e) && e.code > 0 {
		return e.code
	}
	return 0
}

// refusal turns an error of at.AT into a codeError, nil if it is none. Modems that do not know +CMEE=1 speak English.
func refusal(err error, v *vendor) *codeError {
	var cms at.CMSError
	var cme at.CMEError
	e := &codeError{code: -1, vendor: v}
	switch {
	case errors.As(err, &cms):
		e.cms = true
		e.parse(string(cms), cmsNames)
	case errors.As(err, &cme):
		e.parse(string(cme), cmeNames)
	case errors.Is(err, at.ErrError):
	default:
		return nil
	}
	return e
}

// parse reads the number or, in a modem's own words, the name of an error.
func (e *codeError) parse(text string, names map[int]string) {
	if n := number(strings.TrimSpace(text)); n >= 0 {
		e.code = n
		return
	}
	e.text = text
	for code, name := range names {
		if strings.EqualFold(name, text) {
			e.code = code
		}
	}
	if !e.cms {
		return
	}
	for code, own := range e.vendor.cms {
		if strings.EqualFold(own.name, text) {
			e.code = code
		}
	}
}
