package hub

import (
	"encoding/hex"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/transports"
)

// Kinds of events on godwit.v1.{gateway}.event.{customer}.{product}.{device}.{kind}.
const (
	KindStatus     = "status"      // a decoded status
	KindHello      = "hello"       // what a device says of itself after boot
	KindMessage    = "message"     // bytes of the application on the device
	KindRaw        = "raw"         // authentic, but not understood by this gateway: plaintext in hex
	KindRegistered = "registered"  // a device became known
	KindAddress    = "address"     // a device was heard from an address not seen before
	KindEpoch      = "epoch"       // a device comes from one set of keys to the next
	KindAlarm      = "log"         // something an operator should look at, or what a device calls an alarm
	KindStep       = "update.step" // a device told of the steps of an update
	KindFragment   = "fragment"    // a piece of a message arrived, and others are missing
	KindSilent     = "silent"      // a device is taken to be silent, out of reach or dead
	KindRecovered  = "recovered"   // one that was silent was heard

	KindSchedule    = "schedule.changed" // a device runs another interval
	KindBudget      = "budget.warning"   // a budget is spent to 70, 90 or 100 %
	KindSuspensions = "suspensions"      // an operator said that other lines of a device are suspended

	KindDownlink = "downlink" // begins the kinds of events about downlinks, which end with a state
)

// Event ids and payloads are appended by hand: this is the path of every frame, and encoding/json would allocate for each.

// appendEventID appends the id of event k of a frame: {name}.{epoch}.{counter}.{k}. It depends on nothing but the frame, so that a frame
// that is processed again gives the same event.
func appendEventID(dst, name []byte, epoch uint32, counter uint64, k int) []byte {
	dst = append(dst, name...)
	dst = append(dst, '.')
	dst = strconv.AppendUint(dst, uint64(epoch), 10)
	dst = append(dst, '.')
	dst = strconv.AppendUint(dst, counter, 10)
	dst = append(dst, '.')
	return strconv.AppendInt(dst, int64(k), 10)
}

// appendFrameRef appends number.epoch.counter.hash, by which the counters can be rebuilt from the stream if the store is lost.
func appendFrameRef(dst []byte, number, epoch uint32, counter uint64, hash [8]byte) []byte {
	dst = strconv.AppendUint(dst, uint64(number), 10)
	dst = append(dst, '.')
	dst = strconv.AppendUint(dst, uint64(epoch), 10)
	dst = append(dst, '.')
	dst = strconv.AppendUint(dst, counter, 10)
	dst = append(dst, '.')
	return hex.AppendEncode(dst, hash[:])
}

// event is what all events of a device share.
type event struct {
	gateway  string
	kind     string
	id       []byte
	number   uint32
	name     []byte
	product  string
	customer string
	time     time.Time // of the device if it is sure of it, else of receipt
}

func (e *event) appendSubject(dst []byte) []byte {
	dst = append(dst, "godwit.v1."...)
	dst = append(dst, e.gateway...)
	dst = append(dst, ".event."...)
	dst = append(dst, e.customer...)
	dst = append(dst, '.')
	dst = append(dst, e.product...)
	dst = append(dst, '.')
	dst = append(dst, e.name...)
	dst = append(dst, '.')
	return append(dst, e.kind...)
}

// appendHead appends a CloudEvent (CloudEvents 1.0, JSON format §3) up to the members that all data shares; the caller appends further
// members, each with a leading comma, and then tail.
func (e *event) appendHead(dst []byte) []byte {
	dst = append(dst, `{"specversion":"1.0","id":"`...)
	dst = append(dst, e.id...)
	dst = append(dst, `","source":"/godwit/`...)
	dst = append(dst, e.gateway...)
	dst = append(dst, `","type":"io.godwit.`...)
	dst = append(dst, e.kind...)
	dst = append(dst, `","subject":"`...)
	dst = append(dst, e.name...)
	dst = append(dst, `","time":"`...)
	dst = appendTime(dst, e.time)
	dst = append(dst, `","datacontenttype":"application/json","data":{"device":"`...)
	dst = append(dst, e.name...)
	dst = append(dst, `","number":`...)
	dst = strconv.AppendUint(dst, uint64(e.number), 10)
	dst = append(dst, `,"product":"`...)
	dst = append(dst, e.product...)
	dst = append(dst, `","customer":"`...)
	dst = append(dst, e.customer...)
	return append(dst, '"')
}

func appendTail(dst []byte) []byte { return append(dst, "}}"...) }

// appendTime appends t in UTC as RFC 3339 with milliseconds.
func appendTime(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.AppendFormat(dst, "2006-01-02T15:04:05.000Z")
	}
	hour, minute, second := t.Clock()
	dst = appendTwo(appendTwo(dst, year/100, 0), year%100, '-')
	dst = appendTwo(appendTwo(dst, int(month), '-'), day, 'T')
	dst = appendTwo(appendTwo(appendTwo(dst, hour, ':'), minute, ':'), second, '.')
	ms := t.Nanosecond() / 1e6
	return append(appendTwo(dst, ms/10, 0), byte('0'+ms%10), 'Z')
}

// appendTwo appends two digits and what stands behind them, if it is not 0.
func appendTwo(dst []byte, n int, behind byte) []byte {
	dst = append(dst, byte('0'+n/10), byte('0'+n%10))
	if behind != 0 {
		dst = append(dst, behind)
	}
	return dst
}

func appendTimeMember(dst []byte, name string, t time.Time) []byte {
	if t.IsZero() {
		return dst
	}
	dst = appendName(dst, name)
	dst = append(dst, '"')
	dst = appendTime(dst, t)
	return append(dst, '"')
}

func appendName(dst []byte, name string) []byte {
	dst = append(dst, `,"`...)
	dst = append(dst, name...)
	return append(dst, `":`...)
}

func appendTextMember(dst []byte, name, s string) []byte {
	if s == "" {
		return dst
	}
	return appendText(appendName(dst, name), s)
}

func appendTextsMember(dst []byte, name string, list []string) []byte {
	dst = append(appendName(dst, name), '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendText(dst, s)
	}
	return append(dst, ']')
}

func appendUintMember(dst []byte, name string, v uint64) []byte {
	return strconv.AppendUint(appendName(dst, name), v, 10)
}

func appendHexMember(dst []byte, name string, b []byte) []byte {
	dst = append(appendName(dst, name), '"')
	dst = hex.AppendEncode(dst, b)
	return append(dst, '"')
}

// appendPosition appends where the network believes the device to be.
func appendPosition(dst []byte, p *transports.Position) []byte {
	if !p.Known {
		return dst
	}
	dst = append(appendName(dst, "network_position"), `{"latitude":`...)
	dst = appendMillionths(dst, p.Latitude)
	dst = append(dst, `,"longitude":`...)
	dst = appendMillionths(dst, p.Longitude)
	dst = append(dst, `,"radius_m":`...)
	return append(strconv.AppendInt(dst, p.Radius, 10), '}')
}

// appendMillionths appends v / 10^6 as a decimal number.
func appendMillionths(dst []byte, v int32) []byte {
	n := int64(v)
	if n < 0 {
		dst, n = append(dst, '-'), -n
	}
	dst = append(strconv.AppendInt(dst, n/1_000_000, 10), '.')
	for unit := int64(100_000); unit > 0; unit /= 10 {
		dst = append(dst, byte('0'+n/unit%10))
	}
	return dst
}

// appendText appends s as a JSON string (RFC 8259 §7). Bytes that are no UTF-8 become U+FFFD.
func appendText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r < 0x20:
			dst = append(dst, `\u00`...)
			dst = hex.AppendEncode(dst, []byte{byte(r)})
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}

// templateView is a template with the JSON around each of its values made once.
type templateView struct {
	template *codec.Template
	before   [][]byte // `"battery":{"value":`
	after    [][]byte // `,"unit":"V"}`
}

func newTemplateView(t *codec.Template) *templateView {
	v := &templateView{template: t}
	for _, f := range t.Fields() {
		v.before = append(v.before, append(appendText(nil, f.Name), `:{"value":`...))
		after := []byte("}")
		if f.Unit != "" {
			after = append(appendText([]byte(`,"unit":`), f.Unit), '}')
		}
		v.after = append(v.after, after)
	}
	return v
}

// appendFields appends the member "fields" with every measured value of a status.
func (v *templateView) appendFields(dst []byte, values []codec.Value) []byte {
	dst = append(dst, `,"fields":{`...)
	first := true
	for i, f := range v.template.Fields() {
		if values[i].State == codec.NotMeasured {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, v.before[i]...)
		dst = codec.AppendDecimal(dst, &f, values[i].Raw)
		if values[i].State == codec.Saturated {
			dst = append(dst, `,"saturated":true`...)
		}
		dst = append(dst, v.after[i]...)
	}
	return append(dst, '}')
}
