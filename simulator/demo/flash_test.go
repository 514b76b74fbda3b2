package demo_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/simulator/demo"
	"github.com/godwit-gateway/godwit/simulator/device"
)

func TestFlashSurvives(t *testing.T) {
	dir := t.TempDir()
	want := map[uint32]device.Memory{
		1001: {
			Memory:    session.Memory{Boot: 1, Reserved: 128, Current: session.Kept{Number: 2, Salt: [session.SaltLen]byte{1, 2, 255}, Down: 3}, Two: true},
			BootCount: 2, Known: 8,
		},
		2001: {Memory: session.Memory{Reserved: 64}, BootCount: 1},
	}
	f, err := demo.OpenFlash(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, reserved := range []uint64{64, 128} {
		m := want[1001]
		m.Reserved = reserved
		if err := f.Put(1001, m); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Put(2001, want[2001]); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	// A crash in the middle of a write leaves a line without its end: it promised nothing.
	path := filepath.Join(dir, "devices.log")
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString(`{"Number":1001,"Memory":{"Reserved":192`); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := demo.OpenFlash(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Close() }()
	for number, m := range want {
		if got := again.Get(number); got != m {
			t.Errorf("device %d: %+v, want %+v", number, got, m)
		}
	}
	if got := again.Get(3001); got != (device.Memory{}) {
		t.Errorf("a new device: %+v", got)
	}
}

// Devices begin anew with their gateway, and a gateway is not to meet devices that forgot it.
func TestDevicesBeginAnewWithTheirGateway(t *testing.T) {
	tests := map[string]struct{ state, log, forgot, refused, kept bool }{
		"nothing is there":            {},
		"both are there":              {state: true, log: true, kept: true},
		"the gateway's state is gone": {log: true, forgot: true},
		"the devices' memory is gone": {state: true, refused: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			state := filepath.Join(dir, "state")
			if tt.state {
				if err := os.Mkdir(state, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			if tt.log {
				f, err := demo.OpenFlash(dir)
				if err == nil {
					err = errors.Join(f.Put(7, device.Memory{BootCount: 3}), f.Close())
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			forgot, err := demo.Renew(dir, state)
			if forgot != tt.forgot || errors.Is(err, demo.ErrOptions) != tt.refused || err != nil && !tt.refused {
				t.Fatalf("forgot %t, %v", forgot, err)
			}
			if tt.refused {
				return
			}
			f, err := demo.OpenFlash(dir)
			if err != nil {
				t.Fatal(err)
			}
			if kept := f.Get(7).BootCount == 3; kept != tt.kept || f.Close() != nil {
				t.Errorf("kept %t", kept)
			}
		})
	}
}
