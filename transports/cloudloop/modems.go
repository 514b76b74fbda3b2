package cloudloop

import (
	"context"
	"net/url"
	"strings"

	"github.com/godwit-gateway/godwit/transports"
)

// modem is one of the account.
type modem struct {
	ID   text `json:"id"`
	IMEI text `json:"imei"`
	Type text `json:"type"`
}

// learn remembers what a modem is called.
func (t *Transport) learn(m modem) {
	if m.ID == "" || !transports.ValidIMEI(string(m.IMEI)) {
		return
	}
	t.imeis.Put(string(m.ID), string(m.IMEI))
	t.hardwares.Put(string(m.IMEI), string(m.ID))
}

// imeiOf is the IMEI of a modem that Cloudloop has an id for; "" if Cloudloop does not know the modem, or no IMEI of it.
func (t *Transport) imeiOf(ctx context.Context, hardware string) (string, error) {
	if imei, there := t.imeis.Get(hardware); there || hardware == "" {
		return imei, nil
	}
	m, err := t.lookUp(ctx, "hardware", hardware)
	if refused(err) {
		return "", nil
	}
	if err != nil || !transports.ValidIMEI(string(m.IMEI)) {
		return "", err
	}
	return string(m.IMEI), nil
}

// hardwareOf is Cloudloop's id of a modem.
func (t *Transport) hardwareOf(ctx context.Context, imei string) (string, error) {
	if id, there := t.hardwares.Get(imei); there {
		return id, nil
	}
	m, err := t.lookUp(ctx, "imei", imei)
	return string(m.ID), err
}

func (t *Transport) lookUp(ctx context.Context, by, value string) (modem, error) {
	var answer struct {
		Hardware modem `json:"hardware"`
	}
	err := t.service.get(ctx, "Hardware/GetHardware", url.Values{by: {value}}, &answer)
	if err == nil {
		t.learn(answer.Hardware)
	}
	return answer.Hardware, err
}

// modems are all SBD modems of the account.
func (t *Transport) modems(ctx context.Context) ([]modem, error) {
	var answer struct {
		Hardwares []modem `json:"hardwares"`
	}
	if err := t.service.get(ctx, "Hardware/GetHardwares", url.Values{}, &answer); err != nil {
		return nil, err
	}
	var out []modem
	for _, m := range answer.Hardwares {
		if m.ID == "" || strings.Contains(strings.ToUpper(string(m.Type)), "TELEPHONY") {
			continue
		}
		t.learn(m)
		out = append(out, m)
	}
	return out, nil
}
