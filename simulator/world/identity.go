package world

import (
	"fmt"
	"strings"

	"github.com/godwit-gateway/godwit/gateway/publish"
	"github.com/godwit-gateway/godwit/simulator/device"
	"github.com/godwit-gateway/godwit/transports"
)

// card is what the network knows a device by: the n-th telephone number that it is given, or the n-th modem on a satellite bearer.
func (m *mobile) card(n int) string { return m.cardOf(m.link.Bearer, n) }

func (m *mobile) cardOf(bearer transports.Bearer, n int) string {
	if bearer == "sbd" {
		return fmt.Sprintf("30%02d9%010d", n, m.config.Number)
	}
	return fmt.Sprintf("+4917%d%010d", n, m.config.Number)
}

// cloneCard is the card of a device that was made as a copy.
const cloneCard = 9

// cardsMost is how many cards a device is given: the gateway keeps eight addresses of a device, and an accepted one is never dropped.
const cardsMost = 5

// changeCards gives devices another SIM. It is the operator who must say that downlinks go there from now on.
func (w *world) changeCards(in *Incident) bool {
	done := false
	for _, m := range w.whom(in) {
		if !m.link.Keeps || m.clone || m.cards == cardsMost || len(m.airs) > 1 {
			continue
		}
		m.cards++
		m.config.SIM = m.card(m.cards)
		dev, err := m.dev.WithSIM(m.config.SIM, w.now)
		if err != nil {
			w.fail(fmt.Errorf("boot: %w", err))
			return false
		}
		m.dev = dev
		m.insert(m.config.SIM)
		m.booted()
		done = true
	}
	return done
}

// cloneDevices makes a second device of the memory and the key of one, as a thief does who reads them out. Both go on, each by itself.
func (w *world) cloneDevices(in *Incident) bool {
	done := false
	for _, m := range w.whom(in) {
		if m.life.cloned || m.memory.Blank || !m.on {
			continue
		}
		c := &mobile{w: w, group: m.group, called: m.called, config: m.config, memory: m.memory, life: m.life, clone: true, air: air{link: m.link}, on: true, port: m.port}
		purpose, own := c.settle()
		c.config.Seed, c.config.SIM = own.Uint64(), m.card(cloneCard)
		m.life.cloned = true
		err := c.tune(purpose)
		if err == nil {
			c.dev, err = device.New(c.config, c.memory, w.now)
		}
		if err != nil {
			w.fail(fmt.Errorf("clone: %w", err))
			return false
		}
		c.booted()
		done = true
	}
	return done
}

// What is known of counters that two devices used for different contents. Nothing of the second may be stored, and somebody must be told.
const (
	noticedReuse = "frame of a cloned device that went into quarantine"
	noticedAlarm = "alarm of a counter that was used twice"
)

// noticeAlarm looks for the alarm in an event of the gateway.
func (w *world) noticeAlarm(m *publish.Message) {
	if m.Frame == "" && strings.Contains(string(m.Payload), `"counter_reuse"`) {
		w.noticed[noticedAlarm]++
	}
}

// checkAlarms requires the alarm.
func (w *world) checkAlarms() error {
	if n := w.noticed[noticedReuse]; n > 0 && w.noticed[noticedAlarm] == 0 {
		return fmt.Errorf("%w: %d counters were used for two contents, and nobody is told", ErrBroken, n)
	}
	return nil
}
