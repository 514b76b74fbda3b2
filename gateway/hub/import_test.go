package hub_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/transports"
)

// An import finds all that stands against it at once, and writes nothing if anything does.
func TestImportFindsAllBeforeItWrites(t *testing.T) {
	b := newBench(t)
	b.importOne(8)
	before := len(b.events())
	own := [32]byte{7}
	rows := []fleet.ImportRow{
		{Line: 2, Key: &own, Device: fleet.Device{Number: 3000, Name: "good", KeySource: fleet.KeyOwn}},
		{Line: 3, Key: &own, Device: fleet.Device{Number: 0, Name: "zero", KeySource: fleet.KeyOwn}},
		{Line: 4, Key: &[32]byte{}, Device: fleet.Device{Number: 3001, Name: "weak", KeySource: fleet.KeyOwn}},
		{Line: 5, Device: fleet.Device{Number: 3002, Name: "none", KeySource: fleet.KeyOwn}},
		{Line: 6, Device: fleet.Device{Number: 1001, Name: "outside", KeySource: "fleet:a"}},
		{Line: 7, Device: fleet.Device{Number: 5, Name: "stranger", KeySource: "fleet:b"}},
		{Line: 8, Key: &own, Device: fleet.Device{Number: 3000, Name: "again", KeySource: fleet.KeyOwn}},
		{Line: 9, Key: &own, Device: fleet.Device{Number: 3003, Name: "good", KeySource: fleet.KeyOwn}},
		{Line: 10, Key: &own, Device: fleet.Device{Number: 2001, Name: "meter-2", KeySource: fleet.KeyOwn}},
		{Line: 11, Key: &own, Device: fleet.Device{Number: 3004, Name: "meter-1", KeySource: fleet.KeyOwn, Product: "kettle"}},
	}
	want := map[int][]string{
		3: {"number 0"}, 4: {"all zero"}, 5: {"no key"}, 6: {"for the numbers 1 to 1000"}, 7: {`"b" is not configured`}, 8: {"line 2 too"},
		9: {"line 2 too"}, 10: {"number is taken"}, 11: {"name is taken", `product "kettle" is not configured`},
	}
	for k := range rows {
		d := &rows[k].Device
		d.Customer, d.State, d.CTRBits, d.TagLen = "acme", fleet.Active, 8, 8
		if d.Product == "" {
			d.Product = "buoy"
		}
	}
	res, err := b.hub.Import(t.Context(), rows, false)
	if err != nil || res.Done {
		t.Fatalf("%+v, %v", res, err)
	}
	found := make(map[int]string)
	for _, e := range res.Errors {
		found[e.Line] = e.Err.Error()
	}
	for line, texts := range want {
		for _, text := range texts {
			if !strings.Contains(found[line], text) {
				t.Errorf("line %d: %q, want %q", line, found[line], text)
			}
		}
	}
	if len(found) != len(want) {
		t.Errorf("%d lines with errors, want %d: %v", len(found), len(want), found)
	}
	if _, err := b.hub.Device("good"); !errors.Is(err, fleet.ErrUnknownDevice) || len(b.events()) != before {
		t.Errorf("something was written: %v", err)
	}
	if res, err = b.hub.Import(t.Context(), rows[:1], false); err != nil || !res.Done {
		t.Errorf("the good row alone: %+v, %v", res, err)
	}
}

// An operation that fails half way takes its whole batch with it: what it wrote is not committed.
func TestFatalOperationConfirmsNothing(t *testing.T) {
	b := newBench(t)
	before := len(b.events())
	events := []hub.Published{
		{ID: "dev-7.0.0.0", Frame: "7.0.0.0011223344556677", Payload: []byte(`{"data":{"device":"dev-7","product":"buoy","customer":"acme"}}`)},
		{ID: "broken", Frame: "7.0", Payload: []byte(`{}`)},
	}
	if err := b.hub.Adopt(t.Context(), events, true); !errors.Is(err, hub.ErrFatal) {
		t.Fatalf("%v, want ErrFatal", err)
	}
	b.crash()
	if d, err := b.hub.Device("dev-7"); !errors.Is(err, fleet.ErrUnknownDevice) || len(b.events()) != before {
		t.Errorf("it was committed: %s", fmt.Sprint(d, err))
	}
}

// Under another key-encryption key no frame is opened, and none that was paid for is lost. A large fleet does not fill the log with that, and with the right
// key all is as it was.
func TestAnotherKEK(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	rows := make([]fleet.ImportRow, 30)
	for k := range rows {
		rows[k] = fleet.ImportRow{Line: k + 2, Key: &[32]byte{byte(k + 1)}, Device: fleet.Device{
			Number: uint32(3000 + k), Name: fmt.Sprintf("spare-%d", k), Product: "buoy", Customer: "acme", State: fleet.Active, KeySource: fleet.KeyOwn, CTRBits: 8, TagLen: 8,
		}}
	}
	if res, err := b.hub.Import(t.Context(), rows, false); err != nil || !res.Done {
		t.Fatalf("%+v, %v", res, err)
	}
	var log bytes.Buffer
	b.kek, b.log = 1, slog.NewTextHandler(&log, nil)
	b.crash()
	if n := strings.Count(log.String(), "device has no key"); n != 10 || !strings.Contains(log.String(), "devices=31") {
		t.Errorf("%d devices are told of:\n%s", n, &log)
	}
	frame := d.status(3.7)
	b.settled(b.smsFrom(msisdn, frame), transports.Quarantined)
	b.kek, b.log = 0, nil
	b.crash()
	b.settled(b.smsFrom(msisdn, frame), transports.Stored)
}
