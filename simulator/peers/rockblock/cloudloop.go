package rockblock

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// A Fault is what befalls a request to Cloudloop.
type Fault int

// Faults.
const (
	NoFault     Fault = iota
	Unavailable       // 503
	TooMany           // 429
	Silent            // there is no answer until the caller hangs up
	AnswerLost        // it is done as asked, and the connection breaks
)

// CloudloopOptions configure a Cloudloop. The zero value of a field gives its default.
type CloudloopOptions struct {
	Token       string
	Modems      []string // IMEIs of the account
	Most        int      // messages in a page; 0: 200
	Keep        int      // messages that are kept after a mark has passed them, about; 0: all
	Base64      bool     // payloads are not hexadecimal
	NewestFirst bool     // order of a page
	Unnamed     bool     // answers do not name the last message
	Fault       func(action string) Fault
	Again       func() bool      // asked for each page whether it has the message of the mark again
	OnTaken     func(tag uint64) // a mark has passed the message
	OnMT        func(imei string, data []byte, flush bool) (status string)
	Now         func() time.Time
}

const (
	pageMost  = 200
	cloudTime = "2006-01-02T15:04:05"
	pollMost  = 60 // seconds
	refusedID = 1001
)

// Queued is the status of a message to a modem that was taken.
const Queued = "QUEUED"

// A Cloudloop plays Cloudloop's web service: it keeps messages, and whoever has its token asks for those after a mark, waits for new ones, asks for the
// archive of a modem, and sends. Safe for concurrent use.
type Cloudloop struct {
	o CloudloopOptions

	mu       sync.Mutex
	messages []kept
	forgot   int           // messages that are known no more, from the first on
	taken    int           // messages that OnTaken was told of
	changed  chan struct{} // closed and replaced when a message comes
	sent     uint64
	next     uint64 // ids are made of it: those of another process are others
}

type kept struct {
	Message

	id       string
	tag      uint64
	received time.Time
}

// NewCloudloop makes one.
func NewCloudloop(o CloudloopOptions) *Cloudloop {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Most == 0 {
		o.Most = pageMost
	}
	return &Cloudloop{o: o, changed: make(chan struct{}), next: uint64(o.Now().UnixNano())}
}

// Deliver keeps a message that a modem sent. OnTaken will have the tag.
func (c *Cloudloop) Deliver(m Message, tag uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next++
	id := fmt.Sprintf("m%016x", c.next*0x9e3779b97f4a7c15) // in no order
	c.messages = append(c.messages, kept{Message: m, id: id, tag: tag, received: c.o.Now()})
	close(c.changed)
	c.changed = make(chan struct{})
}

// Forget drops all messages but the last n: a mark among the others is not known any more.
func (c *Cloudloop) Forget(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(max(0, len(c.messages)-n))
	c.taken = max(c.taken, c.forgot)
}

// drop forgets the first n messages. Called with mu held.
func (c *Cloudloop) drop(n int) {
	c.messages = slices.Clone(c.messages[n:])
	c.forgot += n
}

// Kept is how many messages can be asked for.
func (c *Cloudloop) Kept() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.messages)
}

// Passed reports whether a mark has passed the message with a tag.
func (c *Cloudloop) Passed(mark string, tag uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := slices.IndexFunc(c.messages, func(m kept) bool { return m.id == mark })
	of := slices.IndexFunc(c.messages, func(m kept) bool { return m.tag == tag })
	return of >= 0 && of <= at
}

// Last is the id of the newest message, "" if there is none.
func (c *Cloudloop) Last() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.messages) == 0 {
		return ""
	}
	return c.messages[len(c.messages)-1].id
}

// HardwareID is what a modem is called.
func HardwareID(imei string) string { return "hw" + imei[len(imei)-5:] + imei[:3] }

func (c *Cloudloop) imeiOf(hardware string) string {
	for _, imei := range c.o.Modems {
		if HardwareID(imei) == hardware {
			return imei
		}
	}
	return ""
}

// ServeHTTP implements http.Handler.
func (c *Cloudloop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	action := r.URL.Path[1:]
	fault := NoFault
	if c.o.Fault != nil {
		fault = c.o.Fault(action)
	}
	switch fault {
	case Unavailable:
		http.Error(w, "<html>no</html>", http.StatusServiceUnavailable)
		return
	case TooMany:
		http.Error(w, "slower", http.StatusTooManyRequests)
		return
	case Silent:
		<-r.Context().Done()
		return
	case NoFault, AnswerLost:
	}
	answer := c.answer(action, r)
	if fault == AnswerLost {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	_ = json.NewEncoder(w).Encode(answer) // to whoever is there still
}

type object map[string]any

func (c *Cloudloop) refusal(words string) object {
	return object{"at": c.o.Now().UnixMilli(), "error": words, "exceptions": []object{{"id": refusedID, "name": words}}}
}

func (c *Cloudloop) answer(action string, r *http.Request) object {
	q := r.URL.Query()
	if q.Get("token") != c.o.Token {
		return c.refusal("AuthenticationException")
	}
	switch action {
	case "DataMo/GetMessagesPolled":
		return c.polled(r)
	case "DataMo/GetMessages":
		return c.archive(q.Get("hardware"), q.Get("from"), q.Get("to"))
	case "Hardware/GetHardware":
		imei := q.Get("imei")
		if q.Has("hardware") {
			imei = c.imeiOf(q.Get("hardware"))
		}
		if !slices.Contains(c.o.Modems, imei) {
			return c.refusal("HardwareNotFoundException")
		}
		return object{"hardware": hardwareOf(imei)}
	case "Hardware/GetHardwares":
		list := []object{{"id": "phone", "imei": "300000000000001", "type": "IRIDIUM_TELEPHONY"}}
		for _, imei := range c.o.Modems {
			list = append(list, hardwareOf(imei))
		}
		return object{"hardwares": list}
	case "DataMt/DoSendMessage":
		return c.send(q.Get("hardware"), q.Get("payload"), q.Get("flushMt") == "true")
	}
	return c.refusal("NoSuchActionException")
}

func hardwareOf(imei string) object {
	return object{"id": HardwareID(imei), "imei": imei, "type": "IRIDIUM_SBD", "account": "fleet"}
}

// polled waits for messages behind a mark. Without a mark it has the last one.
func (c *Cloudloop) polled(r *http.Request) object {
	q := r.URL.Query()
	seconds, _ := strconv.Atoi(q.Get("maxPollTime")) // 0 for what is no number, as it seems
	timer := time.NewTimer(time.Duration(min(seconds, pollMost)) * time.Second)
	defer timer.Stop()
	for {
		c.mu.Lock()
		changed := c.changed
		from := max(0, len(c.messages)-1)
		if at := q.Get("lastMessageRetrieved"); at != "" {
			i := slices.IndexFunc(c.messages, func(m kept) bool { return m.id == at })
			if i < 0 {
				c.mu.Unlock()
				return c.refusal("MessageNotFoundException")
			}
			from = i + 1 - c.took(i)
		}
		if from < len(c.messages) {
			defer c.mu.Unlock()
			return c.page(from)
		}
		c.mu.Unlock()
		select {
		case <-changed:
		case <-timer.C:
			return object{"messages": nil, "lastMessageRetreived": nil}
		case <-r.Context().Done():
			return nil
		}
	}
}

// took tells of the messages up to a mark, and drops old ones of them, so that a service that runs for long does not grow; it returns how many. Called with mu
// held.
func (c *Cloudloop) took(at int) (dropped int) {
	for ; c.taken <= c.forgot+at; c.taken++ {
		if c.o.OnTaken != nil {
			c.o.OnTaken(c.messages[c.taken-c.forgot].tag)
		}
	}
	if c.o.Keep > 0 && at >= 2*c.o.Keep {
		dropped = at - c.o.Keep
		c.drop(dropped)
	}
	return dropped
}

// page has messages from one on. Called with mu held.
func (c *Cloudloop) page(from int) object {
	to := min(len(c.messages), from+c.o.Most)
	if from > 0 && c.o.Again != nil && c.o.Again() {
		from--
	}
	list := make([]object, 0, to-from)
	for i := from; i < to; i++ {
		list = append(list, c.record(&c.messages[i]))
	}
	if c.o.NewestFirst {
		slices.Reverse(list)
	}
	answer := object{"messages": list}
	if !c.o.Unnamed {
		answer["lastMessageRetreived"] = c.messages[to-1].id
	}
	return answer
}

func (c *Cloudloop) record(m *kept) object {
	o := object{
		"id": m.id, "hardware": HardwareID(m.IMEI), "momsn": m.MOMSN, "status": "TRANSFER_OK", "payload": nil,
		"txAt": m.At.UTC().Format(cloudTime), "rxAt": m.received.UTC().Format(cloudTime + ".000"),
	}
	switch {
	case len(m.Data) == 0:
	case c.o.Base64:
		o["payload"] = base64.StdEncoding.EncodeToString(m.Data)
	default:
		o["payload"] = hex.EncodeToString(m.Data)
	}
	return o
}

// archive has what a modem sent within a time.
func (c *Cloudloop) archive(hardware, from, to string) object {
	begin, err1 := time.Parse(cloudTime, from)
	end, err2 := time.Parse(cloudTime, to)
	imei := c.imeiOf(hardware)
	if err1 != nil || err2 != nil || imei == "" {
		return c.refusal("InvalidParameterException")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	list := []object{}
	for i := range c.messages {
		if m := &c.messages[i]; m.IMEI == imei && !m.received.Before(begin) && m.received.Before(end) {
			list = append(list, c.record(m))
		}
	}
	return object{"messages": list}
}

func (c *Cloudloop) send(hardware, payload string, flush bool) object {
	imei := c.imeiOf(hardware)
	data, err := hex.DecodeString(payload)
	if imei == "" || err != nil || len(data) == 0 || len(data) > dataMax {
		return c.refusal("InvalidParameterException")
	}
	status := Queued
	if c.o.OnMT != nil {
		status = c.o.OnMT(imei, data, flush)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	request := object{"hardware": hardware, "status": status, "message": nil, "requestAt": nil}
	if status == Queued {
		c.sent++
		request["message"], request["requestAt"] = fmt.Sprintf("mt%06d", c.sent), c.o.Now().UTC().Format(cloudTime)
	}
	return object{"requests": []object{request}}
}
