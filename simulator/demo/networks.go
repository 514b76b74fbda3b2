package demo

import (
	"cmp"
	"errors"

	"github.com/godwit-gateway/godwit/simulator/radio"
)

// networks opens the networks that keep messages, of those that are wanted, so that they are there when the gateway starts. modems are the satellite modems
// that Iridium's know. What was opened is for the caller to close, also after an error.
func (o *ServeOptions) networks(airOf func(link string) air, modems []string) (opened []*keptFleet, err error) {
	for _, n := range []struct {
		wanted string
		open   func() (*keptFleet, error)
	}{
		{o.Modem, func() (*keptFleet, error) {
			return newSMSFleet(airOf(linkSMS), o.Modem, o.model(radio.ShortMessages()), o.Seed)
		}},
		{o.DirectIP, func() (*keptFleet, error) {
			return newSatFleet(airOf(linkSat), o.DirectIP, o.MT, o.Confirm, o.model(radio.Satellite()), o.Seed, modems)
		}},
		{o.Webhook, func() (*keptFleet, error) {
			key, _, err := rockKey(o.State)
			if err != nil {
				return nil, err
			}
			return newRockFleet(airOf(linkRock), o.Webhook, cmp.Or(o.RockMT, "127.0.0.1:0"), key, o.model(radio.Satellite()), o.Seed, modems)
		}},
		{o.Cloud, func() (*keptFleet, error) {
			return newCloudFleet(airOf(linkCloud), o.Cloud, o.model(radio.Satellite()), o.Seed, modems)
		}},
		{o.SBDModem, func() (*keptFleet, error) {
			return newSBDFleet(airOf(linkSBD), o.SBDModem, o.model(radio.Satellite()), o.Seed)
		}},
		{o.IGWS, func() (*keptFleet, error) {
			return newOrbFleet(airOf(linkOrb), o.IGWS, o.model(isatDataPro()), o.Seed, o.Devices)
		}},
		{o.IDPModem, func() (*keptFleet, error) {
			return newIDPFleet(airOf(linkIDP), o.IDPModem, o.model(isatDataPro()), o.Seed)
		}},
	} {
		if n.wanted == "" {
			continue
		}
		f, err := n.open()
		if err != nil {
			return opened, err
		}
		opened = append(opened, f)
	}
	return opened, nil
}

// model is a way over the air, as it is or perfect.
func (o *ServeOptions) model(m radio.Model) radio.Model {
	if o.Perfect {
		return radio.Model{}
	}
	return m
}

// imeis are those of the first satellite modems.
func imeis(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = imei(i + 1)
	}
	return list
}

func closeAll(fleets []*keptFleet) (err error) {
	for _, f := range fleets {
		err = errors.Join(err, f.close())
	}
	return err
}
