package device_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/simulator/device"
)

var start = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func template(t testing.TB) *codec.Template {
	t.Helper()
	tenth := codec.Decimal{Coef: 1, Exp: -1}
	tpl, err := codec.NewTemplate(codec.Timing{}, []codec.Field{
		{ID: 1, Name: "battery", Unit: "V", Scale: tenth, Width: 8},
		{ID: 2, Name: "air_temperature", Unit: "Cel", Scale: tenth, Offset: -400, Width: 10, Optional: true},
		{ID: 3, Name: "wave_height", Unit: "m", Scale: tenth, Width: 8, Optional: true},
		{ID: 4, Name: "something_else", Scale: tenth, Width: 12},
	})
	if err != nil {
		t.Fatal(err)
	}
	return tpl
}

func config(t testing.TB) device.Config {
	t.Helper()
	return device.Config{
		Number: 1001, Key: [32]byte{1, 2, 3}, Template: template(t), Product: "buoy-demo", Version: "2.4.0", Build: []byte{1, 2, 3, 4},
		CTRBits: 16, TagLen: 8, Interval: 10 * time.Second, Seed: 7,
	}
}

func boot(t testing.TB, c device.Config, m device.Memory, now time.Time) *device.Device {
	t.Helper()
	d, err := device.New(c, m, now)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// gateway is the least that a device needs to talk to: it opens frames and acknowledges them.
type gateway struct {
	c      device.Config
	seen   session.Counters
	frames map[uint64][]byte // counter -> header and plaintext
	epoch  uint32
	salt   []byte
}

func (g *gateway) open(t *testing.T, payload []byte) (codec.Sealed, uint64, []byte) {
	t.Helper()
	item, rest, err := codec.NextItem(payload)
	if err != nil || len(rest) != 0 {
		t.Fatalf("item: %v, %d bytes left", err, len(rest))
	}
	if item.Form == codec.FormAddressed && item.CID != g.c.Number {
		t.Fatalf("connection id %d", item.CID)
	}
	tagLen, label := g.c.TagLen, codec.LabelUp8
	if codec.Header(item.Content[0]).Kind() == codec.KindExtended {
		tagLen = 8
	}
	if tagLen == 4 {
		label = codec.LabelUp4
	}
	s, err := codec.ParseSealed(item.Content, g.c.CTRBits, tagLen)
	if err != nil {
		t.Fatal(err)
	}
	counter := codec.CompleteCounter(s.CTR, s.CTRBits, g.seen.Highest, g.seen.Seen)
	cipher := codec.NewCipher(codec.DeriveSealKey(&g.c.Key, g.salt, label, g.c.Number, g.epoch))
	plaintext, err := cipher.Open(nil, &s, codec.Position{Direction: codec.Up, Number: g.c.Number, Epoch: g.epoch, Counter: counter})
	if err != nil {
		t.Fatalf("counter %d: %v", counter, err)
	}
	return s, counter, plaintext
}

func (g *gateway) take(t *testing.T, payload []byte) uint64 {
	t.Helper()
	s, counter, plaintext := g.open(t, payload)
	content := append([]byte{byte(s.Header)}, plaintext...)
	if g.frames == nil {
		g.frames = make(map[uint64][]byte)
	}
	if before, ok := g.frames[counter]; ok && !bytes.Equal(before, content) {
		t.Fatalf("counter %d was used for two contents", counter)
	}
	g.frames[counter] = content
	g.seen.Accept(counter)
	return counter
}

func (g *gateway) ack(c uint64, bitmap uint32) []byte {
	key := codec.DeriveAckKey(&g.c.Key, nil, g.c.Number, 0)
	return codec.AppendAck(nil, &key, g.c.Number, 0, codec.Ack{Counter: c, Bitmap: bitmap})
}

func poll(t *testing.T, d *device.Device, now time.Time) []device.Transmission {
	t.Helper()
	out, _, err := d.Poll(now)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFirstFrameIsHello(t *testing.T) {
	c := config(t)
	d := boot(t, c, device.Memory{}, start)
	out := poll(t, d, start)
	if len(out) != 1 {
		t.Fatalf("%d transmissions at boot, want the hello", len(out))
	}
	g := gateway{c: c}
	s, counter, plaintext := g.open(t, out[0].Payload)
	if s.CTRBits != 40 || counter != 0 || codec.MessageType(plaintext[0]) != codec.MessageHello {
		t.Fatalf("first frame: %d counter bits, counter %d, type %d", s.CTRBits, counter, plaintext[0])
	}
	h, err := codec.DecodeHello(plaintext[1:])
	if err != nil {
		t.Fatal(err)
	}
	if h.Version != c.Version || h.BootCount != 1 || len(h.Templates) != 1 || h.Templates[0] != codec.TemplateHash(c.Template.Hash()) {
		t.Errorf("hello says %+v", h)
	}
}

func TestRepeatsSameBytesUntilAcknowledged(t *testing.T) {
	c := config(t)
	c.Retry = time.Second
	d := boot(t, c, device.Memory{}, start)
	d.Quiet()
	first := bytes.Clone(poll(t, d, start)[0].Payload)
	now, last := start, start
	for try := 2; try < 8; try++ {
		_, wake, err := d.Poll(now)
		if err != nil {
			t.Fatal(err)
		}
		if gap := wake.Sub(last); gap < 3*c.Retry/4 || gap > 90*time.Second {
			t.Fatalf("try %d: %s after the one before", try, gap)
		}
		now, last = wake, wake
		out := poll(t, d, now)
		if len(out) != 1 || out[0].Try != try || !bytes.Equal(out[0].Payload, first) {
			t.Fatalf("try %d: %+v", try, out)
		}
	}
	g := gateway{c: c}
	if got, err := d.Receive(g.ack(0, 0)); err != nil || len(got) != 1 || d.Pending() != 0 {
		t.Fatalf("acknowledged %v, %v, %d pending", got, err, d.Pending())
	}
	if out, wake, err := d.Poll(now.Add(time.Hour)); err != nil || len(out) != 0 || !wake.IsZero() {
		t.Fatalf("a quiet device with nothing pending does %v, %v, %v", out, wake, err)
	}
}

func TestAcknowledgementMustVerify(t *testing.T) {
	c := config(t)
	d := boot(t, c, device.Memory{}, start)
	d.Quiet()
	poll(t, d, start)
	g := gateway{c: c}
	good := g.ack(0, 0)
	for bit := range len(good) * 8 {
		bad := bytes.Clone(good)
		bad[bit/8] ^= 1 << (bit % 8)
		if got, err := d.Receive(bad); err == nil || len(got) != 0 {
			t.Fatalf("bit %d flipped: acknowledged %v, %v", bit, got, err)
		}
	}
	if _, err := d.Receive(g.ack(5, 0xff)); !errors.Is(err, codec.ErrAuth) {
		t.Fatalf("an acknowledgement of what was never sent: %v", err)
	}
	if got, err := d.Receive(good); err != nil || len(got) != 1 {
		t.Fatalf("after all that: %v, %v", got, err)
	}
}

func TestBitmapAcknowledges(t *testing.T) {
	c := config(t)
	d := boot(t, c, device.Memory{}, start)
	now := start
	for range 5 {
		poll(t, d, now)
		now = now.Add(c.Interval)
	}
	poll(t, d, now)
	before := d.Pending()
	g := gateway{c: c}
	got, err := d.Receive(g.ack(4, 0b0101)) // 4, and of 3 2 1 0 those of bits 0 and 2: 3 and 1
	if err != nil || len(got) != 3 || d.Pending() != before-3 {
		t.Fatalf("acknowledged %v, %v; %d of %d pending", got, err, d.Pending(), before)
	}
}

// A device may lose power at any moment. No counter may ever be used for a second content: its nonce would be used twice.
func TestRestartNeverReusesCounter(t *testing.T) {
	for _, ctrBits := range []uint8{8, 16} {
		c := config(t)
		c.CTRBits, c.Stored = ctrBits, true
		g, m, now := gateway{c: c}, device.Memory{}, start
		for round := range 12 {
			d := boot(t, c, m, now)
			for range round * 3 {
				for _, tx := range poll(t, d, now) {
					g.take(t, tx.Payload)
					d.Taken(tx.Frame)
				}
				now = now.Add(c.Interval)
			}
			m = d.Memory()
			if last := g.seen.Highest; g.seen.Seen && m.Reserved <= last {
				t.Fatalf("memory holds %d, counter %d was used", m.Reserved, last)
			}
		}
		if m.BootCount != 12 {
			t.Errorf("%d boots counted", m.BootCount)
		}
	}
}

func TestStoredLinkDropsConnectionID(t *testing.T) {
	c := config(t)
	c.Stored, c.TagLen = true, 4
	d, g, now := boot(t, c, device.Memory{}, start), gateway{c: c}, start
	var forms []codec.Form
	for range 20 {
		for _, tx := range poll(t, d, now) {
			item, _, err := codec.NextItem(tx.Payload)
			if err != nil {
				t.Fatal(err)
			}
			forms = append(forms, item.Form)
			g.take(t, tx.Payload)
			if tx.Counter == 3 && tx.Try == 1 { // the network refuses one once
				d.Failed(tx.Frame, now)
				continue
			}
			d.Taken(tx.Frame)
		}
		now = now.Add(c.Interval)
	}
	if forms[0] != codec.FormAddressed || forms[len(forms)-1] != codec.FormSealed {
		t.Errorf("forms: %v", forms)
	}
	if d.Pending() != 0 {
		t.Errorf("%d pending", d.Pending())
	}
}

func TestDownlinkMessageIsTakenOnce(t *testing.T) {
	c := config(t)
	d := boot(t, c, device.Memory{}, start)
	cipher := codec.NewCipher(codec.DeriveSealKey(&c.Key, nil, codec.LabelDown, c.Number, 0))
	item, err := cipher.AppendSealed(nil, codec.MakeHeader(codec.KindExtended, 0, 0), codec.Position{Direction: codec.Down, Number: c.Number, Counter: 1},
		16, 8, append([]byte{byte(codec.MessageUser)}, "open the valve"...))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := d.Receive(item); err != nil {
			t.Fatal(err)
		}
	}
	if got := d.Messages(); len(got) != 1 || string(got[0]) != "open the valve" {
		t.Fatalf("messages: %q", got)
	}
	again := boot(t, c, d.Memory(), start)
	if _, err := again.Receive(item); err != nil {
		t.Fatal(err)
	}
	if got := again.Messages(); len(got) != 0 {
		t.Fatalf("taken again after a restart: %q", got)
	}
}

func TestPendingIsBounded(t *testing.T) {
	c := config(t)
	c.PendingMax = 5
	d, now := boot(t, c, device.Memory{}, start), start
	for range 100 {
		poll(t, d, now)
		now = now.Add(c.Interval)
	}
	if d.Pending() != 5 || d.Skipped() == 0 {
		t.Errorf("%d pending, %d skipped", d.Pending(), d.Skipped())
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	run := func() []byte {
		c := config(t)
		d, now, all := boot(t, c, device.Memory{}, start), start, []byte(nil)
		for range 50 {
			for _, tx := range poll(t, d, now) {
				all = append(all, tx.Payload...)
			}
			now = now.Add(time.Second)
		}
		return all
	}
	if a, b := run(), run(); !bytes.Equal(a, b) || len(a) == 0 {
		t.Error("two runs with one seed differ")
	}
}

func TestImpossibleConfigs(t *testing.T) {
	for name, change := range map[string]func(*device.Config){
		"no template":         func(c *device.Config) { c.Template = nil },
		"counter bits":        func(c *device.Config) { c.CTRBits = 12 },
		"short tag over IP":   func(c *device.Config) { c.TagLen = 4 },
		"no interval":         func(c *device.Config) { c.Interval = 0 },
		"retry beyond max":    func(c *device.Config) { c.Retry, c.RetryMax = time.Hour, time.Minute },
		"version is too long": func(c *device.Config) { c.Version = strings.Repeat("9", 65) },
	} {
		c := config(t)
		change(&c)
		if _, err := device.New(c, device.Memory{}, start); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// A simulated device may share only the codec with the gateway, and it may reach the outside only through the bytes it is handed.
func TestKnowsNothingOfTheGateway(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Imports", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		own, ok := strings.CutPrefix(p.ImportPath, "github.com/godwit-gateway/godwit/")
		if ok && own != "simulator/device" && !slices.Contains([]string{"codec", "codec/aes128", "codec/session", "codec/manifest"}, own) {
			t.Errorf("simulator/device depends on %s", own)
		}
		if ok && slices.Contains(p.Imports, "net") { // what reads keys has it, for names in certificates
			t.Errorf("%s imports net", own)
		}
	}
}
