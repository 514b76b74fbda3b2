package rollout

// Hold has devices of a version be offered nothing more, as the verdict does.
func (m *Machine) Hold(id ID, version string) { m.hold(m.now, m.rollouts[id], version) }
