package rockblock

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/godwit-gateway/godwit/transports"
)

const (
	form   = "application/x-www-form-urlencoded"
	asJSON = "application/json; charset=utf-8"
)

// The forms of bodies, as they are seen.
const (
	classic = "imei=300234010753370&serial=14392&momsn=0012&transmit_time=12-10-10+10:41:50&iridium_latitude=52.3867&iridium_longitude=-0.2938&iridium_cep=9" +
		"&data=48656c6c6f&JWT=a.b.c&device_type=ROCKBLOCK"
	numbers = `{"imei":"300234010753370","serial":14392,"momsn":12,"transmit_time":"2026-10-10T10:41:50Z","iridium_latitude":52.3867,"iridium_longitude":-0.2938,` +
		`"iridium_cep":9.0,"data":"48656C6C6F","JWT":"a.b.c"}`
	texts = `{"imei":"300234010753370","serial":"14392","momsn":"70154871","transmit_time":"2026-10-10T10:41:50.5Z","iridium_latitude":null,"data":""}`
)

func TestParseWebhook(t *testing.T) {
	where := transports.Position{Known: true, Latitude: 52_386_700, Longitude: -293_800, Radius: 9000}
	for name, c := range map[string]struct {
		contentType, body, momsn, data, token string
		at                                    time.Time
		position                              transports.Position
	}{
		"form":               {form, classic, "12", "Hello", "a.b.c", time.Date(2012, 10, 10, 10, 41, 50, 0, time.UTC), where},
		"JSON with numbers":  {asJSON, numbers, "12", "Hello", "a.b.c", time.Date(2026, 10, 10, 10, 41, 50, 0, time.UTC), where},
		"JSON with texts":    {asJSON, texts, "70154871", "", "", time.Date(2026, 10, 10, 10, 41, 50, 5e8, time.UTC), transports.Position{}},
		"time nobody reads":  {form, "imei=300234010753370&momsn=1&data=00&transmit_time=yesterday", "1", "\x00", "", time.Time{}, transports.Position{}},
		"beyond the pole":    {form, "imei=300234010753370&momsn=1&data=00&iridium_latitude=91&iridium_longitude=1&iridium_cep=1", "1", "\x00", "", time.Time{}, transports.Position{}},
		"no number latitude": {form, "imei=300234010753370&momsn=1&data=00&iridium_latitude=NaN&iridium_longitude=1&iridium_cep=1", "1", "\x00", "", time.Time{}, transports.Position{}},
	} {
		w, err := parseWebhook(c.contentType, []byte(c.body))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if w.imei != "300234010753370" || w.momsn != c.momsn || string(w.data) != c.data || w.token != c.token || !w.at.Equal(c.at) || w.position != c.position {
			t.Errorf("%s: %+v", name, w)
		}
	}
}

func TestParseWebhookRefuses(t *testing.T) {
	for name, c := range map[string]struct{ contentType, body string }{
		"no content type":      {"", classic},
		"another content type": {"text/plain", classic},
		"no IMEI":              {form, "momsn=1&data=00"},
		"short IMEI":           {form, "imei=30023401075337&momsn=1&data=00"},
		"no MOMSN":             {form, "imei=300234010753370&data=00"},
		"negative MOMSN":       {form, "imei=300234010753370&momsn=-1&data=00"},
		"broken MOMSN":         {asJSON, `{"imei":"300234010753370","momsn":1.5,"data":"00"}`},
		"odd data":             {form, "imei=300234010753370&momsn=1&data=000"},
		"data of text":         {form, "imei=300234010753370&momsn=1&data=hello"},
		"data too long":        {form, "imei=300234010753370&momsn=1&data=" + strings.Repeat("00", UplinkMax+1)},
		"IMEI twice":           {form, "imei=300234010753370&imei=300234010753371&momsn=1&data=00"},
		"IMEI twice in JSON":   {asJSON, `{"imei":"300234010753370","imei":"300234010753371","momsn":1,"data":"00"}`},
		"nested":               {asJSON, `{"imei":["300234010753370"],"momsn":1,"data":"00"}`},
		"list":                 {asJSON, `["300234010753370"]`},
		"cut off":              {asJSON, `{"imei":"300234010753370","momsn":1,"data":"00"`},
		"something behind":     {asJSON, `{"imei":"300234010753370","momsn":1,"data":"00"} {}`},
		"broken escape":        {form, "imei=%zz"},
	} {
		if w, err := parseWebhook(c.contentType, []byte(c.body)); !errors.Is(err, errMalformed) {
			t.Errorf("%s: %+v, %v, want an error", name, w, err)
		}
	}
}

func TestToken(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	now := time.Unix(1_700_000_000, 0)
	v := verifier{key: &key.PublicKey, age: time.Hour}
	claims := func(change func(jwt.MapClaims)) jwt.MapClaims {
		c := jwt.MapClaims{"iss": "Rock 7", "iat": now.Unix(), "imei": "300234010753370", "momsn": "12", "data": "48656C6C6F", "iridium_latitude": "51.49540"}
		if change != nil {
			change(c)
		}
		return c
	}
	sign := func(method jwt.SigningMethod, with any, c jwt.MapClaims) string {
		t.Helper()
		s, err := jwt.NewWithClaims(method, c).SignedString(with)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	good := sign(jwt.SigningMethodRS256, key, claims(nil))
	unsigned := sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims(nil))
	parts := strings.Split(good, ".")
	swapped := parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"Rock 7","iat":1700000000,"imei":"300234010753370","momsn":"12","data":"48656c6c6f"}`)) + "." + parts[2]
	for name, c := range map[string]struct {
		token string
		ok    bool
	}{
		"good":                    {good, true},
		"numbers as numbers":      {sign(jwt.SigningMethodRS256, key, claims(func(c jwt.MapClaims) { c["momsn"] = 12 })), true},
		"almost too old":          {sign(jwt.SigningMethodRS256, key, claims(func(c jwt.MapClaims) { c["iat"] = now.Add(-time.Hour).Unix() })), true},
		"none":                    {"", false},
		"unsigned":                {unsigned, false},
		"signed with the public":  {sign(jwt.SigningMethodHS256, public, claims(nil)), false}, // the classic confusion of algorithms
		"another algorithm":       {sign(jwt.SigningMethodRS512, key, claims(nil)), false},
		"another key":             {sign(jwt.SigningMethodRS256, other, claims(nil)), false},
		"another issuer":          {sign(jwt.SigningMethodRS256, key, claims(func(c jwt.MapClaims) { c["iss"] = "Rock 8" })), false},
		"no issuer":               {sign(jwt.SigningMethodRS256, key, claims(func(c jwt.MapClaims) { delete(c, "iss") })), false},
		"another body":            {swapped, false},
		"another IMEI":            {sign(jwt.SigningMethodRS256, key, claims(func(c jwt.MapClaims) { c["imei"] = "300234010753371" })), false},
		"another MOMSN":           {sign(jwt.SigningMethodRS256, key, claims(func(c jwt.MapClaims) { c["momsn"] = "13" })), false},
		"other data":              {sign(jwt.SigningMethodRS256, key, claims(func(c jwt.MapClaims) { c["data"] = "48656c6c70" })), false},
		"no data":                 {sign(jwt.SigningMethodRS256, key, claims(func(c jwt.MapClaims) { delete(c, "data") })), false},
		"no IMEI":                 {sign(jwt.SigningMethodRS256, key, claims(func(c jwt.MapClaims) { delete(c, "imei") })), false},
		"too old":                 {sign(jwt.SigningMethodRS256, key, claims(func(c jwt.MapClaims) { c["iat"] = now.Add(-time.Hour - time.Second).Unix() })), false},
		"of the future":           {sign(jwt.SigningMethodRS256, key, claims(func(c jwt.MapClaims) { c["iat"] = now.Add(time.Hour + time.Second).Unix() })), false},
		"signed who knows when":   {sign(jwt.SigningMethodRS256, key, claims(func(c jwt.MapClaims) { delete(c, "iat") })), false},
		"signed at a wrong place": {sign(jwt.SigningMethodRS256, key, claims(func(c jwt.MapClaims) { c["iat"] = "yesterday" })), false},
		"garbage":                 {"x.y.z", false},
	} {
		w := webhook{imei: "300234010753370", momsn: "12", data: []byte("Hello"), fields: map[string]string{"iridium_latitude": "51.4954"}, token: c.token}
		err := v.verify(&w, now)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, errToken) {
			t.Errorf("%s: %v, want it good: %t", name, err, c.ok)
		}
	}
}

// What a token repeats of time and position is compared by value, since forms differ between token and body.
func TestTokenRepeats(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_700_000_000, 0)
	v := verifier{key: &key.PublicKey, age: time.Hour}
	for name, c := range map[string]struct {
		field string
		claim any
		ok    bool
	}{
		"another form of the time":  {"transmit_time", "2012-10-10T10:41:50Z", true},
		"parts of a second":         {"transmit_time", "2012-10-10T10:41:50.7Z", true},
		"a form that nobody knows":  {"transmit_time", "Wed Oct 10 2012", true},
		"another time":              {"transmit_time", "2012-10-10T10:41:51Z", false},
		"latitude with more digits": {"iridium_latitude", "52.386700", true},
		"latitude as a number":      {"iridium_latitude", 52.3867, true},
		"no latitude":               {"iridium_latitude", nil, true},
		"another latitude":          {"iridium_latitude", "52.3868", false},
		"another longitude":         {"iridium_longitude", 0.2938, false},
		"radius with more digits":   {"iridium_cep", "9.0", true},
		"another radius":            {"iridium_cep", 10, false},
		"a radius that is none":     {"iridium_cep", "wide", false},
	} {
		token, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
			"iss": "Rock 7", "iat": now.Unix(), "imei": "300234010753370", "momsn": 12, "data": "48656c6c6f", c.field: c.claim,
		}).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		for _, left := range []bool{false, true} { // a field that is left out is another one, if we can read the claim
			fields, err := url.ParseQuery(classic)
			if err != nil {
				t.Fatal(err)
			}
			if left {
				fields.Del(c.field)
			}
			w, err := parseWebhook(form, []byte(fields.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			w.token = token
			want := c.ok && (!left || c.claim == nil || name == "a form that nobody knows")
			if err := v.verify(&w, now); (err == nil) != want || err != nil && !errors.Is(err, errToken) {
				t.Errorf("%s, left out %t: %v, want it good: %t", name, left, err, want)
			}
		}
	}
}

// A MOMSN alone does not tell a message.
func TestKeysDiffer(t *testing.T) {
	base := func() *webhook {
		return &webhook{imei: "300234010753370", momsn: "282", data: []byte("a"), at: time.Unix(1_700_000_000, 0)}
	}
	same := keyOf(base())
	for name, change := range map[string]func(*webhook){
		"IMEI": func(w *webhook) { w.imei = "300234010753371" }, "MOMSN": func(w *webhook) { w.momsn = "283" },
		"time": func(w *webhook) { w.at = w.at.Add(time.Second) }, "data": func(w *webhook) { w.data = []byte("b") },
	} {
		w := base()
		change(w)
		if keyOf(w) == same {
			t.Errorf("another %s makes no other message", name)
		}
	}
	if keyOf(base()) != same {
		t.Error("the same message is another one")
	}
}

func TestParseAnswer(t *testing.T) {
	type want struct {
		outcome transports.Outcome
		slow    bool
		code    int
	}
	if err := parseAnswer("OK,12345\n"); err != nil {
		t.Error(err)
	}
	for text, w := range map[string]want{
		"FAILED,10,Invalid login credentials": {transports.NotSent, true, 10},
		"FAILED,11,No RockBLOCK":              {transports.Refused, false, 11},
		"FAILED,12,No line rental":            {transports.NotSent, true, 12},
		"FAILED,13,Insufficient credit":       {transports.NotSent, true, 13},
		"FAILED,14,Could not decode":          {transports.Refused, false, 14},
		"FAILED,15,Data too long":             {transports.Refused, false, 15},
		"FAILED,16,No data":                   {transports.Refused, false, 16},
		"FAILED,99,System error":              {transports.NotSent, false, 99},
		"FAILED,42":                           {transports.NotSent, true, 42},
		"FAILED,many":                         {transports.MaybeSent, false, 0},
		"":                                    {transports.MaybeSent, false, 0},
		"<html>":                              {transports.MaybeSent, false, 0},
	} {
		var failed *transports.SendError
		if err := parseAnswer(text); !errors.As(err, &failed) || failed.Outcome != w.outcome || failed.Slow != w.slow || failed.Code != w.code {
			t.Errorf("%q: %v, want %+v", text, err, w)
		}
	}
}

// What is read is within the limits, whatever the form.
func FuzzWebhook(f *testing.F) {
	f.Add(form, []byte(classic))
	f.Add(asJSON, []byte(numbers))
	f.Add(asJSON, []byte(texts))
	f.Add("multipart/form-data; boundary=x", []byte("--x"))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		w, err := parseWebhook(contentType, body)
		if err != nil {
			if !errors.Is(err, errMalformed) {
				t.Fatalf("%v is none of ours", err)
			}
			return
		}
		if p := w.position; !transports.ValidIMEI(w.imei) || !digits(w.momsn) || len(w.data) > UplinkMax ||
			p.Known && (p.Latitude < -90e6 || p.Latitude > 90e6 || p.Longitude < -180e6 || p.Longitude > 180e6 || p.Radius < 0) {
			t.Fatalf("%+v", w)
		}
	})
}

func FuzzFields(f *testing.F) {
	f.Add([]byte(numbers))
	f.Fuzz(func(t *testing.T, body []byte) {
		fields, err := parseJSON(body)
		if err != nil {
			return
		}
		again := url.Values{}
		for k, v := range fields {
			again.Set(k, v)
		}
		back, err := parseFields(form, []byte(again.Encode()))
		if err != nil || len(back) != len(fields) {
			t.Fatalf("%v, %v, %v", fields, back, err)
		}
	})
}
