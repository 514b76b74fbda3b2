package codec

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
)

// plaintext takes the plaintext of a frame apart.
func (x *inspector) plaintext(h Header, plaintext []byte, at int) []Part {
	var parts []Part
	var t *Template
	if s := h.Slot(); s < slotReserved {
		t = x.o.Templates[s]
	}
	switch {
	case h.Kind() == KindExtended:
		parts = messageParts(plaintext, at)
	case t == nil:
		parts = []Part{bytesPart(plaintext, at, h.Kind().String(), fmt.Sprintf("the template of slot %d is not given", h.Slot()))}
	case h.Kind() == KindKeyframe:
		parts = x.keyframe(t, h, plaintext, at)
	default:
		parts = x.packed(t, h, plaintext, at)
	}
	markPlaintext(parts)
	return parts
}

func markPlaintext(parts []Part) {
	for i := range parts {
		parts[i].Plaintext = true
		markPlaintext(parts[i].Parts)
	}
}

// bitParts names runs of bits as a reader goes over them.
type bitParts struct {
	r     bitReader
	at    int // offset of the first byte
	from  int // first bit that has no name yet
	parts []Part
}

func (b *bitParts) take(name, meaning string) {
	first, last := b.from/8, (b.r.pos+7)/8
	width := b.r.pos - b.from
	v := bitReader{b: b.r.b, pos: b.from}
	p := Part{
		Offset: b.at + first, Length: max(0, min(last, len(b.r.b))-first), Bit: b.from % 8, Bits: width,
		Hex: fmt.Sprintf("%0*x", (width+3)/4, v.read(uint8(width))), Name: name, Meaning: meaning,
	}
	if p.Length == 0 {
		p.Offset, p.Bit = b.at+len(b.r.b), 0 // cut: its place is behind the last byte
	}
	b.parts = append(b.parts, p)
	b.from = b.r.pos
}

// keyframe shows a keyframe field by field. The verdict is DecodeKeyframe's.
func (x *inspector) keyframe(t *Template, h Header, plaintext []byte, at int) []Part {
	b := &bitParts{r: bitReader{b: plaintext}, at: at}
	if b.r.flag() {
		b.take("clock", "valid")
		b.take("time", x.timeMeaning(t, b.r.read(t.unit.width())))
	} else {
		b.take("clock", "unsure: no time")
	}
	present := uint64(1)
	for g := uint8(1); g <= t.groups; g++ {
		there := b.r.read(1)
		present |= there << g
		b.take(fmt.Sprintf("group %d", g), map[uint64]string{0: "absent", 1: "present"}[there])
	}
	for i := range t.fields {
		if f := &t.fields[i]; present>>f.Group&1 == 1 {
			b.take(f.Name, f.meaning(f.read(&b.r)))
		}
	}
	r := readRare(&b.r)
	b.take("rare", rareMeaning(&r))
	if b.r.pos < 8*len(plaintext) {
		from := (b.r.pos + 7) / 8
		if b.r.pos%8 != 0 {
			b.r.pos = 8 * from
			b.take("fill", "")
		}
		if from < len(plaintext) {
			b.parts = append(b.parts, bytesPart(plaintext[from:], at+from, "rest", ""))
		}
	}
	var s Status
	if err := t.DecodeKeyframe(&s, h, plaintext, x.o.Reference); err != nil {
		b.parts[len(b.parts)-1].Error = err.Error()
	} else if x.here != nil {
		state := new(State)
		state.SetKeyframe(t, &s)
		x.learn(state)
	}
	return b.parts
}

func (x *inspector) timeMeaning(t *Template, field uint64) string {
	if x.o.Reference.IsZero() {
		unit := "seconds"
		if t.unit == Minutes {
			unit = "minutes"
		}
		return fmt.Sprintf("%d %s modulo 2^%d", field, unit, t.unit.width())
	}
	return t.completeTime(field, x.o.Reference).Format(time.RFC3339)
}

// meaning is a value with its unit.
func (f *Field) meaning(v Value) string {
	if v.State == NotMeasured {
		return "not measured"
	}
	text := string(AppendDecimal(nil, f, v.Raw))
	if f.Unit != "" {
		text += " " + f.Unit
	}
	if v.State == Saturated {
		return text + " or more"
	}
	return text
}

func rareMeaning(r *Rare) string {
	if !r.Present {
		return "nothing"
	}
	m := fmt.Sprintf("version index %d", r.VersionIndex)
	if r.VersionIndex == versionExplicit {
		m = fmt.Sprintf("build %08x", r.Build)
	}
	if r.BootChanged {
		m += ", restarted"
	}
	if r.HasStep {
		m += fmt.Sprintf(", update step %d code %d", r.Step, r.StepCode)
	}
	if r.HasPolicy {
		m += fmt.Sprintf(", policy %d modulo 2^8", r.Policy)
	}
	return m
}

// messageParts shows the plaintext of an extended frame.
func messageParts(b []byte, at int) []Part {
	if len(b) == 0 {
		return []Part{brokenPart(b, at, "type", ErrTruncated)}
	}
	kind, body := MessageType(b[0]), b[1:]
	parts := []Part{bytesPart(b[:1], at, "type", kind.String())}
	var err error
	switch kind {
	case MessageHello:
		_, err = DecodeHello(body)
		parts = append(parts, cborParts(body, at+1, helloKeys)...)
	case MessageOpen:
		_, err = DecodeOpen(body)
		parts = append(parts, cborParts(body, at+1, openKeys)...)
	case MessageUser:
		meaning := "bytes of the application"
		if len(body) > 0 && utf8.Valid(body) {
			meaning += ": " + strconv.Quote(string(body))
		}
		parts = append(parts, bytesPart(body, at+1, "body", meaning))
	default:
		var more []Part
		more, err = moreParts(kind, body, at+1)
		parts = append(parts, more...)
	}
	if err != nil && firstError(parts) == "" {
		parts[len(parts)-1].Error = err.Error()
	}
	return parts
}

var (
	openKeys  = map[string]string{"0": "time", "1": "sequence"}
	helloKeys = map[string]string{
		"1": "version", "2": "build", "3": "product", "4": "hardware", "5": "free memory", "6": "boot count", "7": "reset cause",
		"8": "templates", "9": "links", "10": "counter",
	}
	signedNames = []string{"protected", "unprotected", "payload", "signature"} // RFC 9052 §4.2
)

// pairsShown bounds what is shown of one map or array; what is beyond it is one part.
const pairsShown = 256

// cborParts shows a CBOR map pair by pair, each value in diagnostic notation (RFC 8949 §8), as far as it can be read. What is no map is one part.
func cborParts(b []byte, at int, names map[string]string) []Part {
	n, rest, err := head(b, 5)
	if err != nil {
		return []Part{brokenPart(b, at, "map", err)}
	}
	parts := []Part{bytesPart(b[:len(b)-len(rest)], at, "map", fmt.Sprintf("map of %d", n))}
	for range min(n, pairsShown) {
		here := at + len(b) - len(rest)
		key, afterKey, err := diagnose(rest)
		if err != nil {
			return append(parts, brokenPart(rest, here, "key", err))
		}
		name := "key " + key
		if known := names[key]; known != "" {
			name += " " + known
		}
		value, after, err := diagnose(afterKey)
		if err != nil {
			return append(parts, brokenPart(rest, here, name, err))
		}
		parts = append(parts, bytesPart(rest[:len(rest)-len(after)], here, name, value))
		rest = after
	}
	if len(rest) > 0 {
		parts = append(parts, bytesPart(rest, at+len(b)-len(rest), "rest", ""))
	}
	return parts
}

// diagnose gives the first CBOR item of b in diagnostic notation, and what is behind it.
func diagnose(b []byte) (text string, rest []byte, err error) {
	text, rest, err = cbor.DiagnoseFirst(b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = ErrTruncated
	}
	return text, rest, err
}

// signedParts shows a COSE_Sign1 item (RFC 9052 §4.2). Its signature is not verified.
func signedParts(b []byte, at int) []Part {
	parts := []Part{bytesPart(b[:1], at, "tag", "18: COSE_Sign1")}
	n, rest, err := head(b[1:], 4)
	if err != nil {
		return append(parts, brokenPart(b[1:], at+1, "array", err))
	}
	array := bytesPart(b[1:len(b)-len(rest)], at+1, "array", fmt.Sprintf("array of %d", n))
	if n != uint64(len(signedNames)) {
		array.Error = "want 4 elements"
	}
	parts = append(parts, array)
	for i := range min(n, uint64(len(signedNames))) {
		here := at + len(b) - len(rest)
		value, after, err := diagnose(rest)
		if err != nil {
			return append(parts, brokenPart(rest, here, signedNames[i], err))
		}
		parts = append(parts, bytesPart(rest[:len(rest)-len(after)], here, signedNames[i], value))
		rest = after
	}
	if len(rest) > 0 {
		parts = append(parts, bytesPart(rest, at+len(b)-len(rest), "rest", ""))
	}
	return parts
}

// String names the type as the specification does.
func (m MessageType) String() string {
	switch m {
	case MessageHello:
		return "hello"
	case MessageOpen:
		return "open status"
	case MessageUser:
		return "user"
	case MessageStepLog:
		return "step log"
	case MessageAlarm:
		return "alarm"
	case MessageFragment:
		return "fragment"
	case MessageFragmentStatus:
		return "fragment status"
	case MessagePolicy:
		return "policy"
	case MessageOffer:
		return "offer"
	case MessageRequest:
		return "request"
	case MessageTime:
		return "time"
	case MessageRekey:
		return "rekey"
	case MessageTemplate:
		return "template"
	case MessageSleep:
		return "sleep"
	default:
		return "unknown " + strconv.Itoa(int(m))
	}
}
