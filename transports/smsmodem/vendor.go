package smsmodem

import "strings"

// A vendor is what the modems of one maker have of their own: 3GPP TS 27.005 §3.2.5 leaves the errors from 512 up to the makers, and the same
// number says on one make that a message is too long and on another that the radio failed.
type vendor struct {
	maker string           // how its answer to +CGMI begins, in upper case
	cms   map[int]cmsError // in place of the general ones
	reset string           // command that has it start over; "": resetDefault
}

// A cmsError is one +CMS ERROR.
type cmsError struct {
	name  string
	class class
}

// resetDefault is the way to have a modem start over (3GPP TS 27.007 §8.2).
const resetDefault = "+CFUN=1,1"

// vendors are looked through from the first on. They are the makes whose own errors call for something else than a later try, or whose modems do not start over as others do. What is
// in no table is tried again a few times, as on a modem that nobody knows.
var vendors = []*vendor{
	{maker: "WAVECOM", cms: wavecom},
	{maker: "MULTITECH", cms: wavecom}, // with Wavecom's firmware
	{maker: "QUECTEL_LTD"},             // GSM modules on another platform, with other errors than the LTE ones
	{maker: "QUECTEL", cms: map[int]cmsError{
		512: {"SIM not ready", classBusy}, 513: {"message length exceeds the limit", classPermanent},
		514: {"invalid request parameters", classPermanent}, 515: {"ME storage failure", classFull},
		529: {"MO SMS is not allowed", classPermanent}, 530: {"GPRS is suspended", classNetwork}, 531: {"ME storage full", classFull},
	}},
	{maker: "SIMCOM", cms: map[int]cmsError{
		515: {"device busy", classBusy}, 516: {"invalid length", classPermanent}, 517: {"invalid character in PDU", classPermanent},
		521: {"timer expired", classUnknown}, 522: {"operation temporary not allowed", classBusy}, 532: {"SIM not ready", classBusy},
		535: {"protocol stack busy", classBusy},
	}},
	{maker: "SIEMENS", cms: siemens},
	{maker: "CINTERION", cms: siemens}, // its successor
	{maker: "TELIT", reset: "#REBOOT", cms: map[int]cmsError{
		512: {"no SM resources", classBusy}, 515: {"no response from network", classUnknown},
	}},
	{maker: "U-BLOX", cms: map[int]cmsError{539: {"MS pending MO SM transfer", classBusy}, 612: {"another SIM toolkit request is pending", classBusy}}},
	{maker: "SIERRA", cms: map[int]cmsError{606: {"ME busy", classBusy}}},
	{maker: "HUAWEI", reset: "^RESET"},
}

var wavecom = map[int]cmsError{
	512: {"MM establishment failure", classRetry}, 513: {"lower layer failure", classRetry}, 514: {"CP error", classRetry},
	515: {"please wait", classBusy}, 527: {"RR or MM is busy", classBusy}, 528: {"location update failure", classNetwork},
	529: {"PLMN selection failure", classNetwork}, 531: {"recipient is not among the fixed dialling numbers", classPermanent},
}

var siemens = map[int]cmsError{
	512: {"user abort", classRetry}, 515: {"invalid character in address", classPermanent}, 516: {"invalid length", classPermanent},
}

// maker is that of the modem last seen, as it says; "" if there was none.
func (t *Transport) maker() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.modem.maker
}

// unknownVendor is that of a modem that does not name its maker, or one that is in no table.
var unknownVendor = &vendor{}

// vendorOf returns the make by the answer to +CGMI.
func vendorOf(maker string) *vendor {
	maker = strings.ToUpper(strings.TrimSpace(maker))
	for _, v := range vendors {
		if strings.HasPrefix(maker, v.maker) {
			return v
		}
	}
	return unknownVendor
}

// resetCommand has a modem of the make start over.
func (v *vendor) resetCommand() string {
	if v.reset != "" {
		return v.reset
	}
	return resetDefault
}
