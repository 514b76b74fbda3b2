package atmodem

import (
	"errors"
	"strconv"
	"strings"
)

// A verb is what a command asks for (V.250 §5.4).
type verb uint8

const (
	verbRun  verb = iota // AT+X, and basic commands with or without a number
	verbSet              // AT+X=…
	verbRead             // AT+X?
	verbTest             // AT+X=?
)

// A command is one command of a line.
type command struct {
	name string // upper case with its prefix: "E", "&F", "S3", "+CMGF"
	verb verb
	args string // what follows = or the basic command's letter
}

const lineMax = 1024 // bytes of a command line

var errSyntax = errors.New("syntax of command line")

// parseLine parses what follows AT. Basic commands may follow each other without a separator, extended ones are separated by semicolons
// (V.250 §5.2 to §5.4).
func parseLine(s string) ([]command, error) {
	var out []command
	for s != "" {
		var c command
		var err error
		switch {
		case s[0] == ';' || s[0] == ' ':
			s = s[1:]
			continue
		case isExtended(s[0]):
			c, s, err = parseExtended(s)
		default:
			c, s, err = parseBasic(s)
		}
		if err != nil {
			return out, err
		}
		out = append(out, c)
	}
	return out, nil
}

// isExtended tells the prefixes of extended commands: + of the standards, the others of makers.
func isExtended(b byte) bool { return strings.IndexByte("+^$%*#!", b) >= 0 }

func parseExtended(s string) (c command, rest string, err error) {
	end := 1
	for end < len(s) && isName(s[end]) {
		end++
	}
	if end == 1 {
		return command{}, "", errSyntax
	}
	c.name, rest = strings.ToUpper(s[:end]), s[end:]
	stop := tail(rest)
	param := strings.TrimSpace(rest[:stop])
	rest = strings.TrimPrefix(rest[stop:], ";")
	switch {
	case param == "":
	case param == "?":
		c.verb = verbRead
	case param[0] == '=':
		c.verb, c.args = verbSet, strings.TrimSpace(param[1:])
		if c.args == "?" {
			c.verb, c.args = verbTest, ""
		}
	default:
		return command{}, "", errSyntax
	}
	return c, rest, nil
}

func isName(b byte) bool {
	return b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || strings.IndexByte("!%-./:_", b) >= 0
}

// tail returns where the parameters of a command end: at a semicolon outside of quotes.
func tail(s string) int {
	quoted := false
	for i := range len(s) {
		switch s[i] {
		case '"':
			quoted = !quoted
		case ';':
			if !quoted {
				return i
			}
		}
	}
	return len(s)
}

// parseBasic parses a letter or & and a letter with a number, S with its register, or D with all that follows.
func parseBasic(s string) (c command, rest string, err error) {
	n := 1
	if s[0] == '&' || s[0] == '\\' {
		n = 2
	}
	if len(s) < n || !isLetter(s[n-1]) {
		return command{}, "", errSyntax
	}
	c.name, rest = strings.ToUpper(s[:n]), s[n:]
	switch c.name {
	case "D":
		stop := strings.IndexByte(rest, ';') // a voice call
		if stop < 0 {
			stop = len(rest) - 1
		}
		c.args = rest[:stop+1]
		return c, rest[stop+1:], nil
	case "S":
		register, after := digits(rest)
		if register == "" {
			return command{}, "", errSyntax
		}
		c.name, rest = "S"+register, after
		switch {
		case strings.HasPrefix(rest, "?"):
			c.verb = verbRead
			return c, rest[1:], nil
		case strings.HasPrefix(rest, "="):
			c.verb = verbSet
			c.args, rest = digits(rest[1:])
			return c, rest, nil
		}
		return command{}, "", errSyntax
	}
	c.args, rest = digits(rest)
	return c, rest, nil
}

func isLetter(b byte) bool { return b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' }

func digits(s string) (number, rest string) {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return s[:n], s[n:]
}

// params are the parameters of a command, separated by commas.
type params []string

func (c *command) params() params {
	if c.args == "" {
		return nil
	}
	var out params
	start, quoted := 0, false
	for i := range len(c.args) {
		switch c.args[i] {
		case '"':
			quoted = !quoted
		case ',':
			if !quoted {
				out = append(out, strings.TrimSpace(c.args[start:i]))
				start = i + 1
			}
		}
	}
	return append(out, strings.TrimSpace(c.args[start:]))
}

// text returns a string parameter without its quotes, "" if it is not given.
func (p params) text(i int) string {
	if i >= len(p) {
		return ""
	}
	return strings.Trim(p[i], `"`)
}

// number returns a number parameter, def if it is not given; ok is false if it is not a number from least to most.
func (p params) number(i, def, least, most int) (n int, ok bool) {
	if i >= len(p) || p[i] == "" {
		return def, true
	}
	n, err := strconv.Atoi(p[i])
	if err != nil || n < least || n > most {
		return 0, false
	}
	return n, true
}

// numbers reads up to len(limits) numbers over their present values. It changes none unless all are good.
func (p params) numbers(values []*int, limits []int) bool {
	if len(p) > len(values) {
		return false
	}
	read := make([]int, len(values))
	for i, v := range values {
		n, ok := p.number(i, *v, 0, limits[i])
		if !ok {
			return false
		}
		read[i] = n
	}
	for i, v := range values {
		*v = read[i]
	}
	return true
}
