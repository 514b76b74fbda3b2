package scheduler

import (
	"fmt"
	"strings"
	"time"
)

// String is the explanation as a sentence.
func (x Explanation) String() string {
	if x.Via < 0 {
		return "the device has no link; it keeps " + span(x.Was)
	}
	parts := []string{x.law(), x.limits(), x.links(), x.price()}
	if more := x.alternatives(); more != "" {
		parts = append(parts, more)
	}
	if x.Hours != "" {
		parts = append(parts, x.hours())
	}
	parts = append(parts, x.change())
	if x.Pool != "" {
		parts = append(parts, fmt.Sprintf("reserve %.0f %% of %s", 100*x.PoolReserve, x.Pool))
	}
	if x.Due > 0 {
		parts = append(parts, fmt.Sprintf("next contact expected %s ±%s", time.Unix(int64(x.Due), 0).UTC().Format("Mon 2 Jan 15:04 UTC"), span(x.Tolerance)))
	}
	return strings.Join(append(parts, x.burst()), "; ") + "."
}

func (x *Explanation) law() string {
	if x.Law != LawPrice {
		return fmt.Sprintf("%s by the law %s", span(x.Aim), x.Law)
	}
	if !x.Scarce {
		return fmt.Sprintf("%s, since money is not scarce, weight %.3g", span(x.Aim), x.Weight)
	}
	weight := fmt.Sprintf("weight %.3g", x.Weight)
	if x.Weight != x.Base {
		weight += fmt.Sprintf(" (%.3g in itself)", x.Base)
	}
	root, s := "sqrt", x.S
	if x.Tail > 1 {
		root = fmt.Sprintf("the root of degree %d of", x.Tail+1)
	}
	text := fmt.Sprintf("%s = s %.3g x %s(cost %s / (%s x loss factor %.2f)) = %s", span(x.Aim), s, root, x.money(micros(x.Cost)), weight, x.Loss, span(x.Ideal))
	if Nearest(x.Aim).Secs() == x.Aim && x.Aim != x.Ideal {
		text += " -> grid " + span(x.Aim)
	}
	return text
}

func (x *Explanation) limits() string {
	var holds, other []string
	for _, l := range x.Limits {
		side := "cap"
		if l.Lower {
			side = "floor"
		}
		text := fmt.Sprintf("%s %s %s", l.Name, side, span(l.Every))
		if l.Holds {
			holds = append(holds, text)
		} else {
			other = append(other, text)
		}
	}
	text := "not clamped"
	if len(holds) > 0 {
		text = "clamped by " + strings.Join(holds, ", ")
	}
	if len(other) > 0 {
		text += " (" + strings.Join(other, ", ") + ")"
	}
	return text
}

func (x *Explanation) links() string {
	text := "link " + x.Link
	for i, b := range x.Beaten {
		if i == 0 {
			text += " beats "
		} else {
			text += " and "
		}
		if b.NoCover {
			text += b.Link + " (no coverage)"
		} else {
			text += fmt.Sprintf("%s (%.3g times the burden)", b.Link, b.Ratio)
		}
	}
	return text
}

func (x *Explanation) price() string {
	if !x.Scarce {
		return "price: a weighted stale-hour is worth nothing, the budget suffices"
	}
	return "price: 1 weighted stale-hour = " + x.money(x.Value)
}

func (x *Explanation) alternatives() string {
	texts := make([]string, 0, len(x.Alternatives))
	for _, a := range x.Alternatives {
		sign, age := "+", a.Age
		if age < 0 {
			sign, age = "-", -age
		}
		plus := "+"
		if a.Money < 0 {
			plus = ""
		}
		texts = append(texts, fmt.Sprintf("at %s: %s%s/month, %s%s mean age", span(a.Every), plus, x.money(a.Money), sign, span(age)))
	}
	return strings.Join(texts, ", ")
}

func (x *Explanation) hours() string {
	return fmt.Sprintf("quiet %s: %.0f %% fewer contacts, which the cost leaves out, +%s mean age", x.Hours, 100*x.Quiet, span(x.Rest))
}

func (x *Explanation) change() string {
	was := "was unknown"
	if x.Was > 0 {
		was = "was " + span(x.Was)
	}
	worth := ""
	switch {
	case x.Free:
		worth = ", telling is free"
	case x.Worth > 0:
		worth = fmt.Sprintf(", change worth %.2g downlinks", x.Worth)
	}
	if x.Must {
		worth = ", which is beyond a limit"
		if x.Law != LawPrice {
			worth = ""
		}
	}
	switch {
	case !x.Kept && x.Send == SendPiggyback:
		return fmt.Sprintf("changed within the next ack (%s%s)", was, worth)
	case !x.Kept:
		return fmt.Sprintf("changed by a downlink (%s%s)", was, worth)
	case x.Worth == 0 && !x.Free:
		return "kept (" + was + ", no other is better)"
	}
	return fmt.Sprintf("kept (%s%s)", was, worth)
}

func (x *Explanation) burst() string {
	if len(x.Burst) == 0 {
		return "after an update: no more contacts than else"
	}
	texts := make([]string, 0, len(x.Burst))
	for _, m := range x.Burst {
		texts = append(texts, "+"+span(Secs(m)*60))
	}
	return "after an update: " + strings.Join(texts, ", ")
}

func (x *Explanation) money(m Micros) string {
	if x.Currency == "" {
		return m.String()
	}
	return m.String() + " " + x.Currency
}

// span writes a length of time as people say it: 10 min, 1.6 h, 31 h, 5 d.
func span(s Secs) string {
	switch h := s.Hours(); {
	case s < 3600:
		return fmt.Sprintf("%.3g min", float64(s)/60)
	case h < 100:
		return fmt.Sprintf("%.3g h", h)
	default:
		return fmt.Sprintf("%.3g d", h/24)
	}
}
