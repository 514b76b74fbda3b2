package smsmodem

import (
	"errors"
	"strings"

	"github.com/warthog618/sms/encoding/tpdu"
)

// prefixNational marks an address that is no MSISDN: digits as the network gave them, such as a short code.
const prefixNational = "nat:"

// prefixAlpha marks a sender that is a name, which nothing can be sent to.
const prefixAlpha = "alpha:"

var errAddress = errors.New(`not a number to send to: want "+" and 3 to 15 digits, or "nat:" and digits`)

// normal returns the id of an address of the network: "+" and the E.164 digits wherever they are known. A national number is completed by
// the country code, if there is one; a short code is none and stays what it is.
func normal(a tpdu.Address, country string) string {
	digits := a.Addr
	if digits == "" {
		return ""
	}
	switch ton := a.TypeOfNumber(); ton {
	case tpdu.TonInternational:
		return "+" + strings.TrimPrefix(digits, "+")
	case tpdu.TonAlphanumeric:
		return prefixAlpha + strings.TrimRight(digits, "\x00@ ") // "@" is the alphabet's zero, which pads
	case tpdu.TonNational:
		if country != "" {
			return "+" + country + strings.TrimPrefix(digits, "0")
		}
	case tpdu.TonUnknown:
		if rest, ok := strings.CutPrefix(digits, "00"); ok && len(rest) >= 7 {
			return "+" + rest
		}
		if rest, ok := strings.CutPrefix(digits, "0"); ok && country != "" {
			return "+" + country + rest
		}
	default:
	}
	return prefixNational + digits
}

// target returns the address of the network for an id.
func target(id string) (tpdu.Address, error) {
	digits, international := strings.CutPrefix(id, "+")
	if !international {
		var ok bool
		if digits, ok = strings.CutPrefix(id, prefixNational); !ok {
			return tpdu.Address{}, errAddress
		}
	}
	if len(digits) == 0 || len(digits) > 20 || (international && (len(digits) < 3 || len(digits) > 15)) {
		return tpdu.Address{}, errAddress
	}
	for _, c := range digits {
		if (c < '0' || c > '9') && (international || (c != '*' && c != '#')) {
			return tpdu.Address{}, errAddress
		}
	}
	if international {
		return tpdu.NewAddress(tpdu.FromNumber(digits)), nil
	}
	a := tpdu.NewAddress()
	a.SetNumberingPlan(tpdu.NpISDN)
	a.Addr = digits
	return a, nil
}

// sameNumber reports whether two ids can be one number: a status report may name the recipient in national form although the message was
// sent to the international one. The last digits decide.
func sameNumber(a, b string) bool {
	a, b = onlyDigits(a), onlyDigits(b)
	n := min(len(a), len(b), 7)
	return n > 0 && a[len(a)-n:] == b[len(b)-n:]
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}
