package main

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/api"
	"github.com/godwit-gateway/godwit/gateway/hub"
)

type frameCmd struct {
	Decode  frameDecodeCmd  `cmd:"" help:"Open a frame with the keys and counters that the running gateway has."`
	Inspect frameInspectCmd `cmd:"" help:"Take a transmission apart, byte by byte; needs no gateway."`
	Explain frameExplainCmd `cmd:"" help:"Draw a transmission: its bytes, the bits of its headers, its fields; needs no gateway."`
	Encode  frameEncodeCmd  `cmd:"" help:"Make a frame, as a device would; needs no gateway."`
}

// readHex reads bytes in hex from an argument, or from standard input for "-". Spaces and colons are passed over.
func readHex(arg string) ([]byte, error) {
	if arg == "-" {
		b, err := io.ReadAll(io.LimitReader(os.Stdin, 1<<20))
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		arg = string(b)
	}
	b, err := hex.DecodeString(strings.NewReplacer(" ", "", ":", "", "\n", "", "\t", "", "\r", "").Replace(arg))
	if err != nil {
		return nil, fmt.Errorf("%w: not bytes in hex: %w", errUsage, err)
	}
	if len(b) == 0 {
		return nil, fmt.Errorf("%w: no bytes", errUsage)
	}
	return b, nil
}

type frameDecodeCmd struct {
	Hex    string `arg:"" help:"The frame in hex, - for standard input."`
	Device string `help:"Name or number of the device; not needed if the frame holds a connection id."`
	priceFlag
}

// Help shows an example.
func (frameDecodeCmd) Help() string {
	return `The gateway opens the frame and says what it would become; nothing is changed, and no event is made.

Example:
  godwit frame decode HEX
  godwit frame decode HEX --device buoy-2001 --prices`
}

// Run decodes.
func (c *frameDecodeCmd) Run(e *env) error {
	b, err := readHex(c.Hex)
	if err != nil {
		return err
	}
	client, err := e.client()
	if err != nil {
		return err
	}
	var d hub.Decoded
	if err := client.Post(e.ctx, "/frames/decode", nil, api.DecodeRequest{Device: c.Device, Frame: hex.EncodeToString(b)}, &d); err != nil {
		return err
	}
	prices, err := c.prices(e, len(b))
	if err != nil {
		return err
	}
	v := struct {
		hub.Decoded
		Prices []framePrice `json:"prices,omitempty"`
	}{d, prices}
	return e.print(v, "", func(row func(...any)) {
		row("device", fmt.Sprintf("%s (%d)", d.Device, d.Number))
		row("epoch, counter", fmt.Sprintf("%d, %d", d.Epoch, d.Counter))
		row("kind", d.Kind)
		row("counter was seen", d.Known)
		row("data", string(d.Data))
		priceRows(prices, row)
	})
}

// deviceKey is a device's key as commands take it.
type deviceKey struct {
	Number      uint32 `help:"Number of the device, if the frame does not hold it."`
	KeyFile     string `help:"File with the device's own key, 64 hexadecimal digits." type:"existingfile" xor:"key"`
	FleetKey    string `help:"File with the fleet key that the device's key is derived from." type:"existingfile" xor:"key"`
	CTRBits     uint8  `name:"ctr-bits" help:"Low bits of the counter on air: 8 or 16." enum:"8,16" default:"16"`
	Tag         uint8  `help:"Bytes of tag: 4 or 8." enum:"4,8" default:"8"`
	Product     string `help:"Product of the device: a built-in one, or a product file." default:"buoy-demo"`
	ProductFile string `help:"Product file of the device, instead of a built-in one." type:"existingfile"`
}

func readKey(path string) (*[32]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the key: %w", err)
	}
	raw, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(raw) != 32 {
		return nil, fmt.Errorf("%w: %s does not hold 64 hexadecimal digits", errUsage, path)
	}
	return (*[32]byte)(raw), nil
}

// key is the device's key, nil if none was named.
func (k *deviceKey) key() (*[32]byte, error) {
	switch {
	case k.KeyFile != "":
		return readKey(k.KeyFile)
	case k.FleetKey != "":
		fleet, err := readKey(k.FleetKey)
		if err != nil {
			return nil, err
		}
		key := codec.FleetDeviceKey(*fleet, k.Number)
		return &key, nil
	default:
		return nil, nil
	}
}

func (k *deviceKey) product() (hub.Product, error) {
	return readProduct(cmp.Or(k.ProductFile, k.Product))
}

type frameInspectCmd struct {
	Hex string `arg:"" help:"The transmission in hex, - for standard input."`
	deviceKey
	Highest  int64  `help:"Highest counter seen of the device, to complete that of the frame; -1 for none." default:"-1"`
	Down     bool   `help:"The frame is a downlink."`
	Received string `help:"When it was received, as 2026-01-31T12:00:00Z, from which its time is completed; by default now." placeholder:"TIME"`
	Base     string `help:"Plaintext of the keyframe that a delta or batch is counted from, in hex." placeholder:"HEX"`
	priceFlag
}

// Help shows an example.
func (frameInspectCmd) Help() string {
	return `Shows each field with the bytes that carry it, as far as a receiver would get. With a key it opens what
is sealed, and with the product's template it shows the values. A delta or batch is shown field by field
if the frame that it is counted from stands before it in the same transmission, or is given as --base.

Example:
  godwit frame inspect 4b010238189b16ab1a0193fc
  godwit frame inspect HEX --number 2001 --fleet-key buoys.key --product buoy-demo`
}

var errRefused = errors.New("would be refused")

var errNotOpened = errors.New("no frame was opened with the key")

// Run inspects.
func (c *frameInspectCmd) Run(e *env) error {
	return c.show(e, (*codec.Inspection).AppendTable)
}

// options are what the command line says of the device.
func (c *frameInspectCmd) options() (*codec.InspectOptions, error) {
	o := codec.InspectOptions{CTRBits: c.CTRBits, TagLen: c.Tag, Number: c.Number, Reference: time.Now()}
	if c.Down {
		o.Direction = codec.Down
	}
	if c.Received != "" {
		var err error
		if o.Reference, err = time.Parse(time.RFC3339, c.Received); err != nil {
			return nil, fmt.Errorf("%w: --received %s: want a time as 2026-01-31T12:00:00Z", errUsage, c.Received)
		}
	}
	if c.Highest >= 0 {
		o.Highest, o.Seen = uint64(c.Highest), true
	}
	var err error
	switch {
	case c.KeyFile != "":
		o.DeviceKey, err = readKey(c.KeyFile)
	case c.FleetKey != "":
		o.FleetKey, err = readKey(c.FleetKey)
	}
	if err != nil {
		return nil, err
	}
	p, err := c.product()
	if err != nil {
		return nil, err
	}
	o.Templates[0] = p.Template
	if c.Base != "" {
		if o.Base, err = baseState(p.Template, c.Base, o.Reference); err != nil {
			return nil, err
		}
	}
	return &o, nil
}

// baseState is the state after a keyframe, given in hex.
func baseState(t *codec.Template, text string, received time.Time) (*codec.State, error) {
	b, err := readHex(text)
	if err != nil {
		return nil, err
	}
	var status codec.Status
	if err := t.DecodeKeyframe(&status, codec.MakeHeader(codec.KindKeyframe, 0, 0), b, received); err != nil {
		return nil, fmt.Errorf("%w: --base: %w", errUsage, err)
	}
	s := new(codec.State)
	s.SetKeyframe(t, &status)
	return s, nil
}

// show takes the transmission apart and writes it, in text as it is told.
func (c *frameInspectCmd) show(e *env, text func(*codec.Inspection, []byte) []byte) error {
	b, err := readHex(c.Hex)
	if err != nil {
		return err
	}
	o, err := c.options()
	if err != nil {
		return err
	}
	in := codec.Inspect(b, o)
	prices, err := c.prices(e, len(b))
	if err != nil {
		return err
	}
	if e.cli.Output == "json" {
		err = e.print(struct {
			codec.Inspection
			Prices []framePrice `json:"prices,omitempty"`
		}{in, prices}, "", nil)
	} else {
		_, werr := e.stdout.Write(text(&in, nil))
		if err = written(werr); err == nil {
			err = e.print(nil, "", func(row func(...any)) { priceRows(prices, row) })
		}
	}
	if err == nil && in.Error != "" {
		return fmt.Errorf("%w: %s", errRefused, in.Error)
	}
	if err == nil && in.Opened == 0 && (o.DeviceKey != nil || o.FleetKey != nil) {
		return errNotOpened
	}
	return err
}

type frameExplainCmd struct{ frameInspectCmd }

// Help shows an example.
func (frameExplainCmd) Help() string {
	return `Draws what frame inspect lists: the bytes under a ruler, with a letter under each for the part that it
belongs to; the bits of a header; and with a key the plaintext, bit by bit with the letter of its field.

Example:
  godwit frame explain 4b010238189b16ab1a0193fc
  godwit frame explain HEX --number 2001 --fleet-key buoys.key --product buoy-demo`
}

// Run draws.
func (c *frameExplainCmd) Run(e *env) error {
	return c.show(e, (*codec.Inspection).AppendPicture)
}

type frameEncodeCmd struct {
	Values []string `arg:"" optional:"" help:"Measured values of a status, as in battery=12.6; what is left out was not measured."`
	deviceKey
	Counter uint64 `help:"Counter of the frame. Never seal two frames with one." required:""`
	Hello   string `help:"Make a hello with this software version instead of a status." placeholder:"VERSION" xor:"what"`
	Message string `help:"Make a message of the application with these bytes, in hex, instead of a status." placeholder:"HEX" xor:"what"`
	frameMessage
	Time string `help:"Time of the status, as 2026-01-31T12:00:00Z; by default now."`
	Ack  bool   `help:"Ask for an acknowledgement."`
	Bare bool   `help:"Without the connection id, for links that name the sender."`
}

// Help shows an example.
func (frameEncodeCmd) Help() string {
	return `Prints the frame in hex, for tests of a link or of a device's firmware.

Example:
  godwit frame encode --number 2001 --fleet-key buoys.key --counter 0 --hello 2.4.0
  godwit frame encode --number 2001 --fleet-key buoys.key --counter 1 battery=12.6 air_temperature=-3.4
  godwit frame encode --number 2001 --fleet-key buoys.key --counter 2 --steps 17:installing@5m,confirmed
  godwit frame encode ... | xxd -r -p | nc -u -w1 127.0.0.1 5688 | xxd -p`
}

// Run encodes.
func (c *frameEncodeCmd) Run(e *env) error {
	key, err := c.key()
	if err != nil {
		return err
	}
	if key == nil || c.Number == 0 {
		return fmt.Errorf("%w: --number, and --key-file or --fleet-key, are needed to seal a frame", errUsage)
	}
	header, plaintexts, err := c.plaintexts()
	if err != nil {
		return err
	}
	if header.Kind() != codec.KindExtended && (c.Down || c.Room > 0) {
		return fmt.Errorf("%w: --down and --room are for messages, not for a status", errUsage)
	}
	if last := c.Counter + uint64(len(plaintexts)) - 1; last > codec.CounterMax || last < c.Counter {
		return fmt.Errorf("%w: --counter %d: counters end with %d", errUsage, c.Counter, uint64(codec.CounterMax))
	}
	frames := make([]string, len(plaintexts))
	size := 0
	for i, plaintext := range plaintexts {
		frame, err := c.seal(key, header, c.Counter+uint64(i), plaintext)
		if err != nil {
			return err
		}
		frames[i] = hex.EncodeToString(frame)
		size += len(frame)
	}
	out := map[string]any{"frame": frames[0], "bytes": size}
	if len(frames) > 1 {
		out["frames"] = frames
	}
	return e.print(out, "", func(row func(...any)) {
		for _, f := range frames {
			row(f)
		}
	})
}

// seal makes a frame, up or down.
func (c *frameEncodeCmd) seal(key *[32]byte, header codec.Header, counter uint64, plaintext []byte) ([]byte, error) {
	label, p := codec.LabelUp8, codec.Position{Direction: codec.Up, Number: c.Number, Counter: counter}
	ctrBits, tag := c.CTRBits, c.Tag
	switch {
	case c.Down:
		label, p.Direction, ctrBits, tag = codec.LabelDown, codec.Down, 16, 8
	case tag == 4 && header.Kind() == codec.KindExtended:
		tag = 8 // messages have the longer tag on any link
	case tag == 4:
		label = codec.LabelUp4
	}
	frame, err := codec.NewCipher(codec.DeriveSealKey(key, nil, label, c.Number, 0)).AppendSealed(nil, header, p, ctrBits, tag, plaintext)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	if !c.Bare && !c.Down {
		frame = codec.AppendAddressed(nil, c.Number, frame)
	}
	return frame, nil
}

// plaintexts is what the frames hold: several for a message in fragments.
func (c *frameEncodeCmd) plaintexts() (codec.Header, [][]byte, error) {
	if len(c.Values) > 0 && c.other() {
		return 0, nil, fmt.Errorf("%w: %q: a message has no measured values", errUsage, c.Values[0])
	}
	message, ok, err := c.frameMessage.plaintext()
	if !ok && err == nil {
		header, plaintext, err := c.plaintext()
		if err != nil || header.Kind() != codec.KindExtended || header.Slot() != 0 {
			return header, [][]byte{plaintext}, err
		}
		cut, err := c.cut(plaintext)
		return header, cut, err
	}
	if err != nil {
		return 0, nil, err
	}
	cut, err := c.cut(message)
	return codec.MakeHeader(codec.KindExtended, 0, c.ask()), cut, err
}

// ask is the bit of a message's header that asks for an acknowledgement.
func (c *frameEncodeCmd) ask() uint8 {
	if c.Ack {
		return 1
	}
	return 0
}

// other reports whether something else than a status is wanted.
func (c *frameEncodeCmd) other() bool {
	return c.Hello != "" || c.Message != "" || c.Steps != "" || c.Alarm != "" || c.Request != "" || c.Clock != "" || c.Plaintext != ""
}

func (c *frameEncodeCmd) plaintext() (codec.Header, []byte, error) {
	switch {
	case c.Hello != "":
		p, err := c.product()
		if err != nil {
			return 0, nil, err
		}
		plaintext, err := codec.AppendHello(nil, &codec.Hello{Version: c.Hello, Product: p.Name, Templates: []codec.TemplateHash{p.Template.Hash()}, Counter: c.Counter})
		if err != nil {
			return 0, nil, fmt.Errorf("%w: --hello: %w", errUsage, err)
		}
		return codec.MakeHeader(codec.KindExtended, 1, c.ask()), plaintext, nil
	case c.Message != "":
		b, err := readHex(c.Message)
		return codec.MakeHeader(codec.KindExtended, 0, c.ask()), append([]byte{byte(codec.MessageUser)}, b...), err
	}
	p, err := c.product()
	if err != nil {
		return 0, nil, err
	}
	s := codec.Status{Time: time.Now(), ClockValid: true, AckAsked: c.Ack}
	if c.Time != "" {
		if s.Time, err = time.Parse(time.RFC3339, c.Time); err != nil {
			return 0, nil, fmt.Errorf("%w: --time %s: want a time as 2026-01-31T12:00:00Z", errUsage, c.Time)
		}
	}
	if s.Values, err = parseValues(p.Template.Fields(), c.Values); err != nil {
		return 0, nil, err
	}
	plaintext, header, err := p.Template.AppendKeyframe(nil, 0, &s)
	return header, plaintext, err
}

func parseValues(fields []codec.Field, args []string) ([]codec.Value, error) {
	values := make([]codec.Value, len(fields))
	names := make([]string, len(fields))
	for i := range fields {
		names[i] = fields[i].Name
		values[i] = codec.Value{State: codec.NotMeasured}
	}
	for n, arg := range args {
		name, text, ok := strings.Cut(arg, "=")
		v, err := strconv.ParseFloat(text, 64)
		if !ok || err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%w: %q: want field=number", errUsage, arg)
		}
		if slices.ContainsFunc(args[:n], func(a string) bool { return strings.HasPrefix(a, name+"=") }) {
			return nil, fmt.Errorf("%w: %q: %s is there already", errUsage, arg, name)
		}
		found := false
		for i := range fields {
			if fields[i].Name == name {
				values[i], found = fields[i].Quantize(v), true
				if step := math.Abs(fields[i].Float(codec.Value{Raw: 1, State: codec.Measured})); math.Abs(fields[i].Float(values[i])-v) > step {
					return nil, fmt.Errorf("%w: %q is out of range: the nearest that a frame can say is %s=%s", errUsage, arg, name,
						strconv.FormatFloat(fields[i].Float(values[i]), 'g', 10, 64))
				}
			}
		}
		if !found {
			return nil, fmt.Errorf("%w: there is no field %q: want one of %s", errUsage, name, strings.Join(names, ", "))
		}
	}
	return values, nil
}
