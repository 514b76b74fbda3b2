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
func (k *Core) present(now time.Time, at Place, link int, square uint16) {
	d := k.record(at)
	if !d.watched {
		d.watched = true
		d.presence = presence.NewDevice(now.Unix(), presence.Policy{}, uint16(k.known[at].rule), 0)
		k.hush(now, at)
	}
	if k.answers(now, d) {
		k.model.Answered(&d.presence, now.Unix())
	}
	missed := k.model.Contact(&d.presence, now.Unix())
	if every := d.interval(); every > 0 {
		if p := d.presence.InForce(); p.Interval != every || p.Link != uint8(link) { //nolint:gosec // at most linksMax
			pending, ok := d.presence.Pending()
			d.presence.Acknowledge(presence.Policy{Interval: every, Link: uint8(link)}) //nolint:gosec // as above
			if ok {
				d.presence.Offer(now.Unix(), pending)
			}
		}
	}
	k.locate(at, link, square)
	if was := d.silent; was == presence.Silent || was == presence.Presumed || was == presence.Out {
		k.actions = append(k.actions, Action{Kind: ActRecovered, Place: at, Was: was, Missed: missed})
	}
	d.silent = presence.Due
	k.await(now, at)
}

// teach has a device teach the attrition of its rule, which may be another one since.
func (k *Core) teach(at Place) {
	d, rule := k.find(at), uint16(k.known[at].rule)
	if d == nil || !d.watched || d.presence.Product() == rule {
		return
	}
	k.model.Leave(&d.presence)
	k.model.Join(&d.presence, rule)
	k.mark(at) // or a restart would find it with the other
}

// eachWatched calls f for the devices that presence has been told of.
func (k *Core) eachWatched(f func(at Place, d *device)) {
	for at := range k.known {
		if d := k.find(Place(at)); d != nil && d.watched {
			f(Place(at), d)
		}
	}
}

// await queues a device for when its standing may change.
func (k *Core) await(now time.Time, at Place) {
	if d := k.find(at); d != nil && d.watched {
		k.queue.Set(uint32(at), k.model.Next(&d.presence, now.Unix()))
	}
}

// Installing says that a device is away to boot other software, and will follow the programme of its policy.
func (k *Core) Installing(now time.Time, at Place) {
	d := k.find(at)
	if d == nil || !d.watched {
		return
	}
	d.presence.Burst(k.known[at].rule, installTime)
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
		d := k.find(at)
		st := k.model.Check(&d.presence, now.Unix())
		if st.Class != d.silent {
			if st.Class == presence.Silent || st.Class == presence.Presumed || st.Class == presence.Out {
				k.actions = append(k.actions, Action{Kind: ActSilent, Place: at, Was: d.silent, Standing: st})
			}
			d.silent = st.Class
		}
		if st.Missed == 1 && st.Class == presence.Late {
			if a, ok := k.Asking(now, at); ok && a.Worth() {
				k.actions = append(k.actions, Action{Kind: ActAsk, Place: at, Link: int(d.presence.InForce().Link), Until: time.Unix(st.Expected, 0)})
			}
		}
		k.touch(at)
		k.await(now, at)
	}
}

// Standing is what is thought of a device now; ok is false for one that was never heard.
func (k *Core) Standing(now time.Time, at Place) (st presence.Standing, ok bool) {
	d := k.find(at)
	if d == nil || !d.watched {
		return presence.Standing{}, false
	}
	return k.model.Standing(&d.presence, now.Unix()), true
}

// Outage is what is known of a link.
func (k *Core) Outage(link int) presence.Outage { return k.model.Outage(link) }

// Silent counts the devices that are known by what is thought of them, in the order of presence.Class.
func (k *Core) Silent() (counts [presence.Retired + 1]int) {
	for i := range k.records.n {
		if d := k.records.at(i + 1); d.watched {
			counts[d.silent]++
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
