package main

import (
	"encoding/hex"
	"fmt"
	"net/url"
	"time"

	"github.com/godwit-gateway/godwit/gateway/api"
	"github.com/godwit-gateway/godwit/gateway/config"
	"github.com/godwit-gateway/godwit/gateway/hub"
)

type messageCmd struct {
	Send messageSendCmd `cmd:"" help:"Send bytes to the application on a device."`
	List messageListCmd `cmd:"" help:"List what is on its way to a device, or was of late."`
}

type messageSendCmd struct {
	Device string `arg:"" help:"Name or number."`
	Hex    string `help:"The bytes, in hex. Either this or --text." xor:"payload" placeholder:"HEX"`
	Text   string `help:"The bytes, as text. Either this or --hex." xor:"payload" placeholder:"TEXT"`
	Link   string `help:"Name of a link; by default the one that the device was last heard on."`
	TTL    string `name:"ttl" help:"How long it is worth sending, as 2h or 1d." default:"1d"`
}

// Help shows an example.
func (messageSendCmd) Help() string {
	return `The message is sealed with the device's key and queued; it is on disk when the command returns. On a
link that can only answer, as UDP, it leaves with the answer to the device's next frame. On a link that costs money it goes
only to an address that was imported or accepted.

Example:
  godwit message send buoy-2001 --hex 0102ff --ttl 2h
  godwit message list buoy-2001`
}

// Run queues the message.
func (c *messageSendCmd) Run(e *env) error {
	payload := c.Hex
	if c.Hex == "" && c.Text == "" {
		return fmt.Errorf("%w: want --hex or --text with what is to be sent", errUsage)
	}
	if c.Text != "" {
		payload = hex.EncodeToString([]byte(c.Text))
	}
	if _, err := hex.DecodeString(payload); err != nil {
		return fmt.Errorf("%w: --hex: %w", errUsage, err)
	}
	ttl, err := config.ParseDuration(c.TTL)
	if err != nil || ttl < time.Second || ttl > ttlMax {
		return fmt.Errorf("%w: --ttl %s: want 1s to 7d", errUsage, c.TTL)
	}
	client, err := e.client()
	if err != nil {
		return err
	}
	var d hub.DownlinkRecord
	err = client.Post(e.ctx, "/devices/"+url.PathEscape(c.Device)+"/messages", nil,
		api.MessageRequest{Payload: payload, Link: c.Link, TTL: int(ttl / time.Second)}, &d)
	if err != nil {
		return err
	}
	return e.printDownlinks(d, []hub.DownlinkRecord{d})
}

type messageListCmd struct {
	Device string `arg:"" help:"Name or number."`
}

// Help shows an example.
func (messageListCmd) Help() string {
	return `Example:
  godwit message list buoy-2001`
}

// Run lists.
func (c *messageListCmd) Run(e *env) error {
	client, err := e.client()
	if err != nil {
		return err
	}
	var p api.Page[hub.DownlinkRecord]
	if err := client.Get(e.ctx, "/devices/"+url.PathEscape(c.Device)+"/messages", nil, &p); err != nil {
		return err
	}
	return e.printDownlinks(p.Items, p.Items)
}

func (e *env) printDownlinks(v any, list []hub.DownlinkRecord) error {
	return e.print(v, "REF KIND LINK STATE BYTES ATTEMPTS PARTS PRICE QUEUED EXPIRES ERROR", func(row func(...any)) {
		for i := range list {
			d := &list[i]
			row(d.Ref, d.Kind, d.Link, d.State, d.Bytes, d.Attempts, d.Parts, d.Price, d.QueuedAt, d.Expires, d.Error)
		}
	})
}
