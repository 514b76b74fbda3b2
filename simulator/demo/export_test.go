package demo

import (
	"context"
	"os"
	"time"

	"github.com/godwit-gateway/godwit/simulator/device"
	"github.com/godwit-gateway/godwit/simulator/radio"
)

// RunTransceiver plays the transceiver of a demo that began at some time. It is there when RunTransceiver returns.
func RunTransceiver(ctx context.Context, path string, began time.Time) (ended <-chan error, err error) {
	f, err := newSBDFleet(air{now: func() time.Time { return began }}, path, radio.Satellite(), 1)
	if err != nil {
		return nil, err
	}
	done := make(chan error, 1)
	go func() { done <- f.network.run(ctx) }()
	return done, nil
}

// Renew has the devices of a folder begin anew if their gateway does.
var Renew = renew

// Flash is the devices' memory, for tests.
type Flash struct{ f *flash }

// OpenFlash opens the memory in a folder.
func OpenFlash(dir string) (Flash, error) {
	f, err := openFlash(dir)
	return Flash{f}, err
}

// Get reads a device's memory.
func (f Flash) Get(number uint32) device.Memory { return f.f.get(number) }

// Put writes a device's memory.
func (f Flash) Put(number uint32, m device.Memory) error { return f.f.put(number, m) }

// Close closes the file.
func (f Flash) Close() error { return f.f.close() }

// Publisher is where devices fetch updates.
var Publisher = publisher

// RockKey is the public key of the webhooks that Serve signs with the key in a folder.
func RockKey(dir string) (string, error) {
	_, path, err := rockKey(dir)
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(path)
	return string(text), err
}
