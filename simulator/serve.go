package main

import (
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/codec/manifest"
	"github.com/godwit-gateway/godwit/simulator/demo"
)

type serveCmd struct {
	UDP      string        `name:"udp" help:"Address of the gateway's UDP link; its devices send there." placeholder:"HOST:PORT"`
	Modem    string        `help:"Make a simulated GSM modem and put a symbolic link to its pty here: the gateway's device." type:"path" placeholder:"PATH"`
	DirectIP string        `name:"directip" help:"Address of the gateway's DirectIP link, for devices with satellite modems." placeholder:"HOST:PORT"`
	MT       string        `name:"mt" help:"Where the simulated Iridium gateway takes messages to modems: the link's mt." placeholder:"HOST:PORT"`
	Webhook  string        `help:"URL of the gateway's RockBLOCK link, for devices with RockBLOCK modems. Webhooks are signed for rockblock.pem in the state folder, which is the link's key_file." placeholder:"URL"`
	RockMT   string        `name:"rockblock-mt" help:"Where the simulated web service takes messages to RockBLOCKs, from the account fleet with the password simulated: http://HOST:PORT/ is the link's mt." placeholder:"HOST:PORT"`
	Cloud    string        `name:"cloudloop" help:"Where a simulated Cloudloop listens for the gateway, which asks it for the messages of devices with satellite modems with the token simulated: http://HOST:PORT is the link's api." placeholder:"HOST:PORT"`
	SBDModem string        `name:"sbd-modem" help:"Make a simulated Iridium transceiver and put a symbolic link to its pty here: the gateway's device." type:"path" placeholder:"PATH"`
	IGWS     string        `name:"igws" help:"Where a simulated message gateway of ORBCOMM listens, for devices with terminals of IsatData Pro. http://HOST:PORT/v1/ or /ogws/ is the link's url, by its dialect; the account is fleet with the password simulated." placeholder:"HOST:PORT"`
	IDPModem string        `name:"idp-modem" help:"Make a simulated IsatData Pro terminal and put a symbolic link to its pty here: the gateway's device." type:"path" placeholder:"PATH"`
	Confirm  bool          `help:"The link is configured with confirm = true." default:"true" negatable:""`
	Devices  int           `help:"Number of devices on each of them." default:"10"`
	First    uint32        `help:"Number of the first device; those of the other links follow, in the order of the options here." default:"1000"`
	FleetKey string        `help:"File with the fleet key that the devices' keys are derived from, 64 hexadecimal digits, as in the gateway's configuration." type:"existingfile" required:""`
	Product  string        `help:"Product of the devices, of those that the gateway brings." default:"buoy-demo"`
	CTRBits  uint8         `name:"ctr-bits" help:"Low bits of the counter on air: 8 or 16." enum:"8,16" default:"16"`
	Interval time.Duration `help:"Between two statuses of a device." default:"10s"`
	State    string        `help:"Folder of the devices' permanent memory, their counters. It must be the same in each run against one gateway." type:"path" required:""`
	Seed     uint64        `help:"Seed of the weather and the radio." default:"1"`
	Speed    float64       `help:"How much faster the weather changes than the clock." default:"1"`
	Trust    []string      `help:"Files of public keys: the devices install only updates whose manifest one of them signed, which they fetch over HTTP. By default they play any update that they are offered." type:"existingfile" placeholder:"FILE"`
	Perfect  bool          `help:"A radio that loses, repeats and reorders nothing."`
}

// Help shows examples.
func (serveCmd) Help() string {
	return `The devices register by themselves if the gateway's configuration lets the fleet key do so.

Example:
  godwit-sim serve --udp 127.0.0.1:5688 --fleet-key fleet.key --state devices
  godwit-sim serve --directip 127.0.0.1:10800 --mt 127.0.0.1:10801 --fleet-key fleet.key --state devices
  godwit-sim serve --webhook http://127.0.0.1:8470/ --rockblock-mt 127.0.0.1:8471 --fleet-key fleet.key --state devices
  godwit-sim serve --cloudloop 127.0.0.1:8472 --fleet-key fleet.key --state devices
  godwit-sim serve --sbd-modem /tmp/sbd0 --fleet-key fleet.key --state devices --interval 1m
  godwit-sim serve --igws 127.0.0.1:8480 --fleet-key fleet.key --state devices
  godwit-sim serve --idp-modem /tmp/idp0 --fleet-key fleet.key --state devices --interval 1m
  godwit-sim serve --modem /tmp/modem0 --fleet-key fleet.key --state devices --interval 1m
  godwit-sim serve --udp 127.0.0.1:5688 --fleet-key fleet.key --state devices --trust releases.key.pub`
}

// Run plays until a signal comes.
func (c *serveCmd) Run(e *env) error {
	raw, err := os.ReadFile(c.FleetKey)
	if err != nil {
		return fmt.Errorf("fleet key: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(raw)))
	if err != nil || len(key) != 32 {
		return fmt.Errorf("%w: fleet key %s: want 64 hexadecimal digits", demo.ErrOptions, c.FleetKey)
	}
	template, err := demo.ProductTemplate(c.Product)
	if err != nil {
		return err
	}
	signers, err := c.signers()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.State, 0o700); err != nil {
		return fmt.Errorf("state folder: %w", err)
	}
	live := newLive(e)
	defer live.end()
	return demo.Serve(e.ctx, demo.ServeOptions{
		Gateway: c.UDP, Modem: c.Modem, DirectIP: c.DirectIP, MT: c.MT, Confirm: c.Confirm, Webhook: c.Webhook, RockMT: c.RockMT, Cloud: c.Cloud, SBDModem: c.SBDModem, IGWS: c.IGWS, IDPModem: c.IDPModem, Devices: c.Devices, First: c.First, FleetKey: [32]byte(key), Product: c.Product, Template: template,
		CTRBits: c.CTRBits, Interval: c.Interval, State: c.State, Seed: c.Seed, Speed: c.Speed, Perfect: c.Perfect, Progress: live.progress,
		Signers: signers,
	})
}

// signers reads the keys that the devices trust.
func (c *serveCmd) signers() ([]manifest.PublicKey, error) {
	keys := make([]manifest.PublicKey, 0, len(c.Trust))
	for _, path := range c.Trust {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("public key: %w", err)
		}
		key, err := manifest.ParsePublicKey(text)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", demo.ErrOptions, path, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}
