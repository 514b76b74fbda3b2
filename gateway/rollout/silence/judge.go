package silence

// Judge says why a device is silent.
func Judge(q *Quiet) Finding {
	w, why := weigh(q)
	return w.finding(why)
}
