package core

import (
	"cmp"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
)

// compare lists what two plans of the same devices decide differently.
func compare(a, b *scheduler.Fleet, pa, pb *scheduler.Plan, now time.Time, most int) (list []Change, all int) {
	o := scheduler.Occasion{Now: scheduler.Secs(now.Unix())}
	for i := range a.Devices {
		da, db := scheduler.Decide(pa, a, &a.Devices[i], o), scheduler.Decide(pb, b, &b.Devices[i], o)
		if da.Interval != db.Interval || da.Link != db.Link {
			list = append(list, Change{Number: a.Devices[i].Number, From: da.Interval, To: db.Interval, FromLink: da.Link, ToLink: db.Link})
		}
	}
	slices.SortStableFunc(list, func(x, y Change) int { return cmp.Compare(y.ratio(), x.ratio()) })
	all = len(list)
	return list[:min(all, max(most, 0))], all
}

// ratio is how many times as long one of the intervals is as the other.
func (c *Change) ratio() float64 {
	a, b := float64(max(c.From, 1)), float64(max(c.To, 1))
	return max(a/b, b/a)
}
