package atmodem

import "strconv"

type resultKind uint8

const (
	succeeded resultKind = iota
	failed               // ERROR
	cmeError             // +CME ERROR (27.007 §9.2)
	cmsError             // +CMS ERROR (27.005 §3.2.5)
	entering             // none yet: a PDU is to be entered
	custom               // another text
)

// A result is what ends the answer to a command line.
type result struct {
	kind   resultKind
	code   int
	custom string
}

func resultOf(k resultKind) result { return result{kind: k} }
func cme(code int) result          { return result{kind: cmeError, code: code} }
func cms(code int) result          { return result{kind: cmsError, code: code} }

// done is OK, or the error for bad parameters.
func done(ok bool) result {
	if ok {
		return resultOf(succeeded)
	}
	return cme(50)
}

// Error codes of 3GPP TS 27.005 §3.2.5 that are used in more than one place.
const (
	cmsFailure      = 300
	cmsNotAllowed   = 302
	cmsNotSupported = 303
	cmsBadPDU       = 304
	cmsPIN          = 311
	cmsPUK          = 316
	cmsBadIndex     = 321
	cmsFull         = 322
	cmsNoSMSC       = 330
	cmsNoNetwork    = 331
	cmsTimeout      = 332
	cmsNoAck        = 340
)

var cmeTexts = map[int]string{
	3: "operation not allowed", 4: "operation not supported", 10: "SIM not inserted", 11: "SIM PIN required", 12: "SIM PUK required",
	13: "SIM failure", 14: "SIM busy", 15: "SIM wrong", 16: "incorrect password", 20: "memory full", 21: "invalid index", 22: "not found",
	30: "no network service", 31: "network timeout", 50: "incorrect parameters", 100: "unknown",
}

var cmsTexts = map[int]string{
	27: "destination out of service", 41: "temporary failure", cmsFailure: "ME failure", cmsNotAllowed: "operation not allowed", cmsNotSupported: "operation not supported",
	cmsBadPDU: "invalid PDU mode parameter", 305: "invalid text mode parameter", cmsPIN: "SIM PIN required", 314: "SIM busy",
	cmsPUK: "SIM PUK required", 320: "memory failure", cmsBadIndex: "invalid memory index", cmsFull: "memory full",
	cmsNoSMSC: "SMSC address unknown", cmsNoNetwork: "no network service", cmsTimeout: "network timeout",
	cmsNoAck: "no +CNMA acknowledgement expected", 500: "unknown error",
}

// text returns the result as +CMEE wants it and its number for ATV0, -1 if it has none.
func (r result) text(errorLevel int) (text string, number int) {
	switch r.kind {
	case succeeded, entering:
		return "OK", 0
	case cmeError:
		if errorLevel == 0 {
			return "ERROR", 4
		}
		return "+CME ERROR: " + codeText(r.code, errorLevel, cmeTexts), -1
	case cmsError: // of no concern to +CMEE=0
		return "+CMS ERROR: " + codeText(r.code, errorLevel, cmsTexts), -1
	case custom:
		return r.custom, map[string]int{"CONNECT": 1, "NO CARRIER": 3, "NO DIALTONE": 6, "BUSY": 7}[r.custom]
	default:
		return "ERROR", 4
	}
}

func codeText(code, errorLevel int, texts map[int]string) string {
	if t, ok := texts[code]; ok && errorLevel == 2 {
		return t
	}
	return strconv.Itoa(code)
}
