package core

import (
	"time"

	"github.com/godwit-gateway/godwit/scheduler/presence"
)

// What a configuration leaves open about presence.
const (
	jitterDefault = 0.05
	graceDefault  = 10 * time.Minute
)

// watch makes the model of presence. What it learns of attrition it learns by rule.
func (k *Core) watch() error {
	c := presence.Config{Products: len(k.config.Rules) + 1}
	for i := range k.config.Links {
		l := &k.config.Links[i]
		jitter, grace := l.Jitter, l.Grace
		if jitter == 0 {
			jitter = jitterDefault
		}
		if grace == 0 {
			grace = graceDefault
		}
		c.Links = append(c.Links, presence.Link{
			Name: l.Name, Grace: uint32(secs(grace)), Jitter: uint16(min(max(jitter, 0), 0.499) * 1000), Wakeable: l.Wakes, //nolint:gosec // bounded
		})
	}
	if len(c.Links) == 0 {
		c.Links = []presence.Link{{Name: "none"}}
	}
	for i := range k.fleet.Policies {
		var b presence.Burst
		for _, minute := range k.burst(i) {
			if len(b) < burstMax {
				b = append(b, uint32(minute)*60)
			}
		}
		c.Bursts = append(c.Bursts, b)
	}
	var err error
	k.watched = c
	k.model, err = presence.New(c)
	return err
}

// burstMax is how many contacts of a programme presence can tell apart.
const burstMax = 15

// present notes a contact that is newer than all before.
func (k *Core) present(now time.Time, at Place, link int) {
	d, m := &k.devices[at], &k.more[at]
	if !m.watched {
		m.watched = true
		m.presence = presence.NewDevice(now.Unix(), presence.Policy{}, uint16(m.rule), 0)
	}
	missed := k.model.Contact(&m.presence, now.Unix())
	if every := m.interval(d); every > 0 {
		if p := m.presence.InForce(); p.Interval != every || p.Link != uint8(link) { //nolint:gosec // at most linksMax
			pending, ok := m.presence.Pending()
			m.presence.Acknowledge(presence.Policy{Interval: every, Link: uint8(link)}) //nolint:gosec // as above
			if ok {
				m.presence.Offer(now.Unix(), pending)
			}
		}
	}
	if was := m.silent; was == presence.Silent || was == presence.Presumed || was == presence.Out {
		k.actions = append(k.actions, Action{Kind: ActRecovered, Place: at, Was: was, Missed: missed})
	}
	m.silent = presence.Due
	k.await(now, at)
}

// await queues a device for when its standing may change.
func (k *Core) await(now time.Time, at Place) {
	if m := &k.more[at]; m.watched {
		k.queue.Set(uint32(at), k.model.Next(&m.presence, now.Unix()))
	}
}

// Installing says that a device is away to boot other software, and will follow the programme of its policy.
func (k *Core) Installing(now time.Time, at Place) {
	m := k.at(at)
	if m == nil || !m.watched {
		return
	}
	m.presence.Burst(m.rule, installTime)
	k.await(now, at)
	k.touch(at)
}

// installTime is how long a device is taken to be away, in seconds.
const installTime = 600

// checksPerPoll bounds the devices that one Poll looks at.
const checksPerPoll = 4096

// checkSilence looks at the devices that are due. more: there are others.
func (k *Core) checkSilence(now time.Time) (more bool) {
	for n := 0; ; n++ {
		number, due, ok := k.queue.Min()
		if !ok || due > now.Unix() {
			return false
		}
		if n == checksPerPoll {
			return true
		}
		at := Place(number)
		m := &k.more[at]
		st := k.model.Check(&m.presence, now.Unix())
		if st.Class != m.silent {
			if st.Class == presence.Silent || st.Class == presence.Presumed || st.Class == presence.Out {
				k.actions = append(k.actions, Action{Kind: ActSilent, Place: at, Was: m.silent, Standing: st})
			}
			m.silent = st.Class
		}
		k.touch(at)
		k.await(now, at)
	}
}

// Standing is what is thought of a device now; ok is false for one that was never heard.
func (k *Core) Standing(now time.Time, at Place) (st presence.Standing, ok bool) {
	m := k.at(at)
	if m == nil || !m.watched {
		return presence.Standing{}, false
	}
	return k.model.Standing(&m.presence, now.Unix()), true
}

// Outage is what is known of a link.
func (k *Core) Outage(link int) presence.Outage { return k.model.Outage(link) }

// Silent counts the devices that are known by what is thought of them, in the order of presence.Class.
func (k *Core) Silent() (counts [presence.Retired + 1]int) {
	for i := range k.more {
		if m := &k.more[i]; m.known && m.watched {
			counts[m.silent]++
		}
	}
	return counts
}

// Presence is what the fleet has taught of silence, and the tables that it names links and programmes in. It belongs to the Core: it may be read.
func (k *Core) Presence() (*presence.Model, presence.Config) { return k.model, k.watched }

// Programme is the place of a device's programme after an update in the tables of Presence.
func (k *Core) Programme(at Place) int {
	m := k.at(at)
	if m == nil {
		return len(k.config.Rules)
	}
	return int(m.rule)
}
