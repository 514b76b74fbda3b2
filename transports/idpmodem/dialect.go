package idpmodem

import (
	"fmt"

	"github.com/godwit-gateway/godwit/transports/isatdata"
)

// A dialect is how terminals of a maker are spoken to: commands without their AT, "" where it is not known how.
type dialect struct {
	nameMax int    // characters of a message's name
	submit  string // a return message
	states  string // the states of return messages
	cancel  string
	remove  string // a return message that is done; "" where the terminal does so by itself
	minSep  string // between SIN and MIN

	list string   // forward messages
	get  []string // of these the first that the terminal knows
	mark string   // as read, which deletes it

	checksums string // switches them on
	wake      string // sets the wake-up period
	network   string
	signal    string

	numbered bool // replies have a message number behind the name
	brief    bool // a message's reply has neither priority nor state
}

const dialectDefault = "idp"

var dialects = map[string]dialect{
	dialectDefault: {
		nameMax: 8, submit: "%MGRT", states: "%MGRS", cancel: "%MGRC", remove: "%MGRD", minSep: ".", list: "%MGFN", get: []string{"%MGFG"}, mark: "%MGFM",
		checksums: "%CRC=1", wake: "S51", network: "S54?", signal: "S90=3 S91=1 S92=1 S116?", numbered: true,
	},
	"quectel": {
		nameMax: 12, submit: "+QSMGT", states: "+QSMGS", cancel: "+QSMGC", minSep: ",", list: "+QRMGN", get: []string{"+QRMGR", "+GRMGR"}, mark: "+QRMGM",
		network: "+QREG?", signal: "+QSCN", brief: true,
	},
}

// base64Format is the format of messages on the line. What goes over the air is the same in all of them.
const base64Format = 3

func (d *dialect) submitCommand(name string, priority int, h isatdata.Header, base64 string) string {
	return fmt.Sprintf(`%s="%s",%d,%d%s%d,%d,%s`, d.submit, name, priority, h.SIN, d.minSep, h.MIN, base64Format, base64)
}

func getCommand(command, name string) string {
	return fmt.Sprintf(`%s="%s",%d`, command, name, base64Format)
}

func (d *dialect) removeCommand(name string) string { return fmt.Sprintf(`%s="%s"C`, d.remove, name) }

func named(command, name string) string { return fmt.Sprintf(`%s="%s"`, command, name) }
