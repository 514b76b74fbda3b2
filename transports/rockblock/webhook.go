package rockblock

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// errMalformed is wrapped by errors for webhooks that are none.
var errMalformed = errors.New("malformed")

// webhook is a message from a modem.
type webhook struct {
	imei     string
	momsn    string // digits without zeros in front; on newer services it has more than 16 bits
	data     []byte // empty: the session was for what waits for the modem
	at       time.Time
	position transports.Position
	fields   map[string]string // as they came, for what the token repeats of them
	token    string
}

// parseWebhook reads a body in any of the forms that the web service has.
func parseWebhook(contentType string, body []byte) (w webhook, err error) {
	fields, err := parseFields(contentType, body)
	if err != nil {
		return w, err
	}
	if w.imei = fields["imei"]; !transports.ValidIMEI(w.imei) {
		return w, fmt.Errorf("%w: an IMEI that is not of 15 digits", errMalformed)
	}
	if w.momsn, err = number(fields["momsn"]); err != nil {
		return w, err
	}
	if w.data, err = hex.DecodeString(fields["data"]); err != nil || len(w.data) > UplinkMax {
		return w, fmt.Errorf("%w: data is not hexadecimal, or longer than %d bytes", errMalformed, UplinkMax)
	}
	w.at, w.position = parseTime(fields["transmit_time"]), parsePosition(fields)
	w.fields, w.token = fields, fields["JWT"]
	return w, nil
}

// parseFields reads a form or an object of JSON whose values are texts, numbers or nothing. No field may stand twice: the token could be about one of
// them, and the other be taken.
func parseFields(contentType string, body []byte) (map[string]string, error) {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil, fmt.Errorf("%w: content type %q", errMalformed, contentType)
	}
	switch media {
	case "application/json":
		return parseJSON(body)
	case "application/x-www-form-urlencoded":
		values, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errMalformed, err)
		}
		fields := make(map[string]string, len(values))
		for name, all := range values {
			if len(all) != 1 {
				return nil, fmt.Errorf("%w: %q stands %d times", errMalformed, name, len(all))
			}
			fields[name] = all[0]
		}
		return fields, nil
	default:
		return nil, fmt.Errorf("%w: content type %q, want a form or JSON", errMalformed, media)
	}
}

func parseJSON(body []byte) (map[string]string, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("%w: no object of JSON", errMalformed)
	}
	fields := make(map[string]string)
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errMalformed, err)
		}
		key, _ := name.(string) // the decoder takes nothing else for a name
		if _, twice := fields[key]; twice {
			return nil, fmt.Errorf("%w: %q stands twice", errMalformed, key)
		}
		value, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errMalformed, err)
		}
		text, err := plain(value)
		if err != nil {
			return nil, fmt.Errorf("%w: %q is no text and no number", errMalformed, key)
		}
		fields[key] = text
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("%w: %w", errMalformed, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: something follows the object", errMalformed)
	}
	return fields, nil
}

// plain is a value of JSON, or a claim of a token, as text: the same field is a number here and a text there.
func plain(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	default:
		return "", errMalformed
	}
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// number is a whole number as text, without zeros in front.
func number(s string) (string, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || !digits(s) {
		return "", fmt.Errorf("%w: %q is no number", errMalformed, s)
	}
	return strconv.FormatUint(n, 10), nil
}

// parseTime reads the time of a session, in UTC. One that cannot be read takes nothing away from the payload.
func parseTime(s string) time.Time {
	for _, layout := range []string{"06-01-02 15:04:05", time.RFC3339, "2006-01-02 15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}

// parsePosition reads where the network saw the modem: degrees, and kilometres around it.
func parsePosition(fields map[string]string) transports.Position {
	latitude, ok1 := decimal(fields["iridium_latitude"], 90)
	longitude, ok2 := decimal(fields["iridium_longitude"], 180)
	radius, ok3 := decimal(fields["iridium_cep"], 20_038)
	if !ok1 || !ok2 || !ok3 || radius < 0 {
		return transports.Position{}
	}
	return transports.Position{
		Known: true, Latitude: int32(math.Round(latitude * 1e6)), Longitude: int32(math.Round(longitude * 1e6)), Radius: int64(math.Round(radius * 1e3)),
	}
}

func decimal(s string, most float64) (float64, bool) {
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil && math.Abs(v) <= most
}
