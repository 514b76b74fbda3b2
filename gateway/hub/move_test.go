package hub_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/transports"
)

// Devices move to another gateway with their keys wrapped: what they said before is never taken again, what they say next is.
func TestDevicesMove(t *testing.T) {
	b := newBench(t)
	own := [32]byte{9, 9}
	rows, errs := fleet.ParseImport(strings.NewReader("number,name,product,customer,key,msisdn\n" +
		"2001,buoy-2001,buoy,acme," + hex.EncodeToString(own[:]) + ",+491700000001\n"))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if _, err := b.hub.Import(t.Context(), rows, false); err != nil {
		t.Fatal(err)
	}
	d, derived := b.deviceWithKey(2001, own, 8), b.device(7)
	d.ctrBits = 16 // as of a device whose messages may come late
	b.settled(b.udp(derived.to(derived.hello("1.0.0"))), transports.Stored)
	j, request := d.request(4, 1)
	d.accepted(b.udp(request).Reply, j)
	heard := d.to(d.hello("1.0.0"))
	b.settled(b.udp(heard), transports.Stored)

	transfer, err := store.NewKEK(bytes.Repeat([]byte{5}, 32))
	if err != nil {
		t.Fatal(err)
	}
	for _, expand := range []bool{false, true} {
		out, keyless, err := b.hub.Export(transfer, expand)
		if err != nil || len(out) != 2 || keyless != 0 {
			t.Fatalf("%d rows, %d without a key, %v", len(out), keyless, err)
		}
		var text bytes.Buffer
		if err := fleet.WriteExport(&text, out); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text.String(), hex.EncodeToString(own[:])) {
			t.Fatal("the key can be read")
		}
		if _, errs := fleet.ParseImport(bytes.NewReader(text.Bytes())); len(errs) == 0 || !strings.Contains(errs[0].Error(), "wrapped") {
			t.Fatalf("without the transfer key: %v", errs)
		}
		plain := text.String()
		for _, row := range out {
			sealed, ok := strings.CutPrefix(row.Key, fleet.SealedKeyPrefix)
			if !ok {
				if expand || row.Key != "fleet:a" {
					t.Fatalf("key %q", row.Key)
				}
				continue
			}
			wrapped, err := base64.RawURLEncoding.DecodeString(sealed)
			if err != nil {
				t.Fatal(err)
			}
			k, err := transfer.Unwrap(row.Device.Number, hub.TransferVersion, wrapped)
			if err != nil {
				t.Fatal(err)
			}
			plain = strings.Replace(plain, row.Key, hex.EncodeToString(k[:]), 1)
		}
		rows, errs := fleet.ParseImport(strings.NewReader(plain))
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		there := newBench(t)
		if r, err := there.hub.Import(t.Context(), rows, false); err != nil || !r.Done {
			t.Fatalf("%+v, %v", r, err)
		}
		there.crash()
		there.settled(there.udp(heard), transports.Rejected)
		if g := there.session("buoy-2001"); g.Guard == 0 || g.Boot != 1<<32-1 || g.Current.Number != 1 {
			t.Errorf("%+v", g)
		}
		next := d.to(d.status(3.5))
		there.settled(there.udp(next), transports.Stored)
		d.next--
		there.settled(there.udp(derived.to(derived.status(3.5))), transports.Stored)
		derived.next--
		dev, err := there.hub.Device("buoy-2001")
		if err != nil || len(dev.Addresses) != 1 || !dev.Addresses[0].Accepted {
			t.Errorf("%+v, %v", dev, err)
		}
	}
}
