package radio

import (
	"errors"
	"fmt"
	"time"
)

// Cellular is a model of datagrams over a mobile network of middling quality, in a place that it covers: high enough loss for retries to show in
// a short run.
func Cellular() Model {
	return Model{
		Loss: 0.06, Duplicate: 0.02, Reorder: 0.03,
		Delay:    Delay{Least: 40 * time.Millisecond, Mean: 120 * time.Millisecond, Most: 3 * time.Second},
		HoldBack: Delay{Least: 100 * time.Millisecond, Mean: 400 * time.Millisecond, Most: 5 * time.Second},
		SizeMax:  1280,
	}
}

// ShortMessages is a model of the way through a short message centre: store and forward, slower than datagrams and with a long tail.
func ShortMessages() Model {
	return Model{
		Loss: 0.05, Duplicate: 0.02, Reorder: 0.05,
		Delay:    Delay{Least: 300 * time.Millisecond, Mean: 900 * time.Millisecond, Most: 20 * time.Second},
		HoldBack: Delay{Least: time.Second, Mean: 3 * time.Second, Most: 30 * time.Second},
		SizeMax:  shortMessage,
	}
}

// Satellite is a model of a satellite modem at sea, with all times made short enough for a run of seconds: sessions that fail, a sky that is hidden now
// and then.
func Satellite() Model {
	return Model{
		Loss: 0.1, Duplicate: 0.01,
		Delay:   Delay{Least: 200 * time.Millisecond, Mean: 500 * time.Millisecond, Most: 5 * time.Second},
		Passes:  Passes{Period: 6 * time.Second, Length: 5 * time.Second},
		SizeMax: 340,
	}
}

// shortMessage is the longest user data of a short message in bytes (3GPP TS 23.040).
const shortMessage = 140

// A Network is both directions of a link of a device.
type Network struct {
	Up, Down Model // from the device, and to it
}

// ErrNetwork is wrapped by the error for a network that nobody knows.
var ErrNetwork = errors.New("no such network")

// Networks are the names that [FindNetwork] knows.
func Networks() []string {
	return []string{"cellular", "iridium", "low-power", "orbcomm", "sms", "sms-roaming"}
}

// FindNetwork returns the models of a network by its name. Its prices are published ones, in the currency of their source.
func FindNetwork(name string) (Network, error) {
	switch name {
	case "cellular":
		return cellular(), nil
	case "sms":
		return sms(), nil
	case "sms-roaming":
		return roaming(), nil
	case "iridium":
		return iridium(), nil
	case "orbcomm":
		return orbcomm(), nil
	case "low-power":
		return lowPower(), nil
	}
	return Network{}, fmt.Errorf("%w as %q, there are %q", ErrNetwork, name, Networks())
}

// cellular is [Cellular] for a device that moves, or whose base station does not always work. No citable figure for outages of IoT devices was
// found: 20 min in half a day (2.7 % of the time) is assumed, and so is the tail of the delays. The price is Hologram's of 2025, 0.03 USD per MB
// billed by the kB, here of each datagram with its IP and UDP headers.
func cellular() Network {
	m := Cellular()
	m.Loss = 0.02
	m.Delay.Tail, m.Delay.Most = 1.2, 30*time.Second
	m.Bursts = Bursts{Good: 12 * time.Hour, Bad: 20 * time.Minute, Loss: 0.97}
	m.Tariff = Tariff{Unit: 1000, Price: 30, Overhead: 28, Failed: true}
	return Network{Up: m, Down: m}
}

// sms is [ShortMessages] with recipients that are away now and then: the centre keeps what it has for the 7 days that godwit asks for (TP-VP,
// 3GPP TS 23.040 §9.2.3.12), and tells the sender of what expired (TP-ST 0x46, §9.2.3.15). A modem makes a second and a third try within two
// minutes. Outages are assumed as for cellular. Prices are those of Olivia Wireless, 0.10 EUR from the device and 0.03 EUR to it, for each message
// of up to 140 bytes.
func sms() Network {
	up := ShortMessages()
	up.Delay.Tail, up.Delay.Most = 1.4, 30*time.Minute
	up.Bursts = Bursts{Good: 12 * time.Hour, Bad: 20 * time.Minute, Loss: 1}
	up.Pauses = Pauses{time.Minute, time.Minute}
	up.Reports = true
	up.Tariff = Tariff{Unit: shortMessage, Price: 100_000}
	down := up
	down.Pauses, down.Validity = Pauses{}, 7*24*time.Hour
	down.Tariff.Price, down.Tariff.Failed = 30_000, true
	return Network{Up: up, Down: down}
}

// roaming is sms abroad: messages take the way over the home network, half an hour of the day has no coverage, and now and then the way is shut for
// long. All of that is assumed. The price is Hologram's, 0.19 USD for a message from the device and none for one to it.
func roaming() Network {
	n := sms()
	for _, m := range []*Model{&n.Up, &n.Down} {
		m.Loss = 0.08
		m.Delay = Delay{Least: 2 * time.Second, Mean: 20 * time.Second, Most: 6 * time.Hour, Tail: 2}
		m.Bursts.Good, m.Bursts.Bad = 40*time.Hour, 3*time.Hour
	}
	n.Up.Tariff.Price, n.Down.Tariff = 190_000, Tariff{}
	return n
}

// iridium is Iridium SBD with a 9602 or 9603: 340 bytes from the device and 270 to it, a session of some 20 s, tries after the pauses that Ground
// Control gives for adaptive retry (up to 5 s twice, up to 30 s twice, then 5 min), and a queue of 50 messages and 5 days for what goes to the
// device (SBD Developers Guide 3.0 §7). Satellites take each other's place every 9 to 10 minutes; that one of ten is hidden, and one session of
// twenty fails in sight of one, is assumed. The price is that of a RockBLOCK credit, 0.16 USD for each started 50 bytes and one at least; a session
// that fails is not billed.
func iridium() Network {
	up := Model{
		Loss: 0.05, Duplicate: 0.005,
		Delay:   Delay{Least: 8 * time.Second, Mean: 20 * time.Second, Most: 10 * time.Minute, Tail: 1},
		Passes:  Passes{Period: 10 * time.Minute, Length: 9*time.Minute + 30*time.Second, Hidden: 0.1},
		Pauses:  Pauses{5 * time.Second, 5 * time.Second, 30 * time.Second, 30 * time.Second, 5 * time.Minute, 5 * time.Minute},
		Reports: true, SizeMax: 340,
		Tariff: Tariff{Unit: 50, Price: 160_000, Least: 1},
	}
	down := up
	down.Loss, down.Pauses, down.SizeMax, down.Pending, down.Validity = 0.005, Pauses{}, 270, 50, 5*24*time.Hour // a session that fails loses nothing of a queue
	down.Passes.Wait = down.Validity
	return Network{Up: up, Down: down}
}

// orbcomm is ORBCOMM's satellites in low orbits, which keep a payload until they pass an earth station: 229 bytes from the device and 182 to it (a
// GlobalGram: Digi m10 technical overview). Ten minutes of sight in every half hour, one pass of five hidden, and minutes to two hours on board are
// assumed. A modem keeps a payload for 3 h (IsatData Pro, powered modes). It bills 15 bytes at least, rounded up to 10 (IsatData Pro's terms); 0.03
// USD for 10 bytes is assumed.
func orbcomm() Network {
	up := Model{
		Loss: 0.04, Duplicate: 0.01, Reorder: 0.1,
		Delay:    Delay{Least: 10 * time.Second, Mean: 6 * time.Minute, Most: 2 * time.Hour, Tail: 1.5},
		HoldBack: Delay{Least: 10 * time.Minute, Mean: 50 * time.Minute, Most: 3 * time.Hour},
		Passes:   Passes{Period: 30 * time.Minute, Length: 10 * time.Minute, Jitter: 15 * time.Minute, Hidden: 0.2, Wait: 3 * time.Hour},
		Reports:  true, SizeMax: 229,
		Tariff: Tariff{Unit: 10, Price: 30_000, Least: 15},
	}
	down := up
	down.SizeMax, down.Passes.Wait = 182, 24*time.Hour
	return Network{Up: up, Down: down}
}

// lowPower is a long-range radio link in an unlicensed band at its lowest rate: 51 bytes (LoRaWAN regional parameters, EU868 DR0), no tries but the
// device's own, and other users of the band as bursts of minutes. All of its losses are assumed. It is free.
func lowPower() Network {
	up := Model{
		Loss: 0.15, Truncate: 0.002,
		Delay:   Delay{Least: 1500 * time.Millisecond, Mean: 2 * time.Second, Most: 10 * time.Second},
		Bursts:  Bursts{Good: 3 * time.Hour, Bad: 6 * time.Minute, Loss: 0.8},
		SizeMax: 51,
	}
	down := up
	down.Loss = 0.2
	return Network{Up: up, Down: down}
}
