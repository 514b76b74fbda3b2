package rollout

// Hold has devices of a version be offered nothing more, as the verdict does.
func (m *Machine) Hold(id ID, version string) {
	r := m.rollouts[id]
	r.Held = append(r.Held, version)
	m.dirty.head(id)
}
