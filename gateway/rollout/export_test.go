package rollout

// Hold has devices of a version be offered nothing more, as the verdict does.
func (m *Machine) Hold(id ID, version string) { m.hold(m.now, m.rollouts[id], version) }

// HeldBefore has a version be held as it was before that set its devices aside.
func (m *Machine) HeldBefore(id ID, version string) {
	m.rollouts[id].Held = append(m.rollouts[id].Held, version)
}

// Pending is how many devices of rollouts are in memory.
func (m *Machine) Pending() (n int) {
	for _, r := range m.rollouts {
		n += len(r.devices) + len(r.freeing.aside)
	}
	return n
}
