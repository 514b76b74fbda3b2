package silence

// Judge says why a device is silent.
func Judge(q *Quiet) Finding {
	var why evidence
	w := weigh(q, &why)
	return w.finding(why)
}

// Glance is Judge without the evidence, for who looks at many devices.
func Glance(q *Quiet) Finding {
	w := weigh(q, nil)
	return w.finding(nil)
}
