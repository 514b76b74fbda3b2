package atmodem

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/pty"
)

// Options configure a modem. The zero value of a field gives its default.
type Options struct {
	Path    string           // symbolic link to the terminal, replaced at each plugging in; "": none, see Modem.Path
	SMSlots int              // messages that the SIM holds; 0: 20, -1: none
	MESlots int              // messages that the modem's own memory holds; 0: 50, -1: none
	SMSC    string           // number of the service centre on the SIM; "": "+491710760000", "-": none
	Number  string           // of the SIM; "": "+491700000000"
	Seed    uint64           // of everything that is left to chance
	Now     func() time.Time // what clocks show and messages are stamped with; nil: time.Now
	Profile Profile
	Faults  Faults

	Retry    time.Duration // until the service centre tries a message again that the modem had no room for; 0: 5 s
	Validity time.Duration // after which it gives up; 0: 48 h
	Queue    int           // parts of messages that it holds, Deliver waits for room; 0: 4096
	RefBits  uint8         // of the reference that joins the parts of a message: 8 or 16; 0: 8

	// The callbacks run one at a time on Run's goroutine and must not block; of this package, only Stats may be called, and Deliver when
	// its context has a limit.
	OnSubmit  func(Submit)           // a whole message that was sent with +CMGS; nil: it vanishes
	OnSettled func(Message, Outcome) // a delivered message has come to its end; nil: nobody cares
	Report    func(Submit) Report    // what becomes of a part whose report was asked for; may call nothing of this package; nil: delivered
}

// A Profile is what differs between makes of modems. The zero value of a text gives its default.
type Profile struct {
	Manufacturer, Model, Revision string
	IMEI, IMSI, ICCID             string
	Operator                      string        // name of the network
	OperatorCode                  string        // its MCC and MNC
	Capabilities                  string        // answer to +GCAP; LTE modems without +CGSM exist: "+CLTE2"
	PIN                           string        // that +CPIN wants; "": none. Three wrong ones lock the SIM
	Boot                          time.Duration // from power-up to the network; 0: 1 s
	BootLines                     []string      // what it says unasked after power-up; nil: RDY, +CFUN: 1, +CPIN: READY
	NoPhase2                      bool          // refuses +CSMS=1, as some do
	FlapCounts                    bool          // +CPMS? says 0 messages every other time, as some do
	SIMOnly                       bool          // puts new messages into SM whatever +CPMS says, as some do
	Padded                        bool          // tells messages of the SIM as whole records, filled up with FF, as some do
	USB                           bool          // leaves the line when it starts over by +CFUN=1,1 and comes back, as modems on USB do
	ReportStore                   bool          // has a storage SR that status reports go to, in place of that for new messages
}

// Limits.
const (
	queueDefault   = 4096
	smDefault      = 20
	meDefault      = 50
	slotsMax       = 255
	retryDefault   = 5 * time.Second
	validDefault   = 48 * time.Hour
	bootDefault    = time.Second
	srSlots        = 20
	pinTries       = 3
	smscDefault    = "+491710760000"
	numberDefault  = "+491700000000"
	makerDefault   = "Godwit"
	modelDefault   = "SIM-900"
	versionDefault = "Godwit simulated modem 1.0"
)

var (
	numberPattern = regexp.MustCompile(`^\+?[0-9*#]{1,20}$`)
	digitsPattern = regexp.MustCompile(`^[0-9]{1,20}$`)
)

// ErrOptions is wrapped by the error for options that make no sense.
var ErrOptions = pty.ErrOptions

// validate reports everything that is wrong. Defaults are set already.
func (o *Options) validate() error {
	var errs []error
	wrong := func(bad bool, name string, value any, want string) {
		if bad {
			errs = append(errs, fmt.Errorf("%w: %s is %v, want %s", ErrOptions, name, value, want))
		}
	}
	wrong(o.SMSlots < 0 || o.SMSlots > slotsMax, "SM slots", o.SMSlots, "-1 to 255")
	wrong(o.MESlots < 0 || o.MESlots > slotsMax, "ME slots", o.MESlots, "-1 to 255")
	wrong(o.SMSlots+o.MESlots == 0, "slots", 0, "some in SM or ME")
	wrong(o.SMSC != "" && !numberPattern.MatchString(o.SMSC), "SMSC", strconv.Quote(o.SMSC), "a telephone number")
	wrong(!numberPattern.MatchString(o.Number), "number", strconv.Quote(o.Number), "a telephone number")
	wrong(o.RefBits != 8 && o.RefBits != 16, "reference", o.RefBits, "8 or 16 bits")
	wrong(o.Queue < 1, "queue", o.Queue, "a positive number")
	wrong(o.Retry < 0 || o.Validity < 0 || o.Profile.Boot < 0, "a duration", "negative", "none below zero")
	wrong(len(o.Profile.OperatorCode) != 5 && len(o.Profile.OperatorCode) != 6, "operator code", o.Profile.OperatorCode, "5 or 6 digits")
	for _, p := range []string{o.Profile.IMEI, o.Profile.IMSI, o.Profile.ICCID, o.Profile.OperatorCode} {
		wrong(!digitsPattern.MatchString(p), "a number of the profile", strconv.Quote(p), "digits")
	}
	wrong(o.Profile.PIN != "" && !digitsPattern.MatchString(o.Profile.PIN), "PIN", "set", "digits")
	errs = append(errs, o.Faults.validate())
	return errors.Join(errs...)
}

func (o *Options) setDefaults() {
	o.Number = cmp.Or(o.Number, numberDefault)
	switch o.SMSC {
	case "":
		o.SMSC = smscDefault
	case "-":
		o.SMSC = ""
	}
	slots(&o.SMSlots, smDefault)
	slots(&o.MESlots, meDefault)
	o.Retry = cmp.Or(o.Retry, retryDefault)
	o.Validity = cmp.Or(o.Validity, validDefault)
	o.Queue = cmp.Or(o.Queue, queueDefault)
	o.RefBits = cmp.Or(o.RefBits, 8)
	if o.Now == nil {
		o.Now = time.Now
	}
	p := &o.Profile
	p.Manufacturer = cmp.Or(p.Manufacturer, makerDefault)
	p.Model = cmp.Or(p.Model, modelDefault)
	p.Revision = cmp.Or(p.Revision, versionDefault)
	p.IMEI = cmp.Or(p.IMEI, "356938035643809")
	p.IMSI = cmp.Or(p.IMSI, "262011234567890")
	p.ICCID = cmp.Or(p.ICCID, "8949012345678901234")
	p.Operator = cmp.Or(p.Operator, "Godwit Mobile")
	p.OperatorCode = cmp.Or(p.OperatorCode, "26201")
	p.Capabilities = cmp.Or(p.Capabilities, "+CGSM")
	p.Boot = cmp.Or(p.Boot, bootDefault)
	if p.BootLines == nil {
		p.BootLines = []string{"RDY", "+CFUN: 1", "+CPIN: READY"}
	}
	o.Faults.Away = cmp.Or(o.Faults.Away, awayDefault)
}

func slots(n *int, def int) {
	switch *n {
	case 0:
		*n = def
	case -1:
		*n = 0
	}
}
