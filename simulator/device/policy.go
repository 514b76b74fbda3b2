package device

import (
	"fmt"
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// receiptsBlind is how many statuses are receipts of a policy where no acknowledgement says that one arrived (F-036).
const receiptsBlind = 2

// agree takes a policy of the gateway, and owes a receipt for it if it has a revision by which it can be named.
func (d *Device) agree(body []byte) error {
	p, err := codec.DecodePolicy(body)
	if err != nil {
		return err
	}
	if p.Interval > 0 { // counts from when the last status was due (F-079)
		d.status = d.status.Add(time.Duration(p.Interval)*time.Second - d.config.Interval)
	}
	if p.Revision > 0 {
		d.receipts = receiptsBlind
	}
	d.adopt(&p)
	b, err := codec.AppendPolicy(nil, &d.policy)
	if err != nil {
		return fmt.Errorf("remember a policy: %w", err)
	}
	d.agreed = Blob(b[1:])
	return nil
}

// adopt puts a policy in force; what it does not name stays as it is. Of its parts this device has use for the interval, the deadbands, the
// order of links, and the revision; its owner lets it speak at any hour.
func (d *Device) adopt(p *codec.Policy) {
	if p.Interval > 0 {
		d.policy.Interval = p.Interval
		d.config.Interval = time.Duration(p.Interval) * time.Second
	}
	if p.Links != nil {
		d.policy.Links = p.Links
		d.prefer(p.Links)
	}
	if p.Deadbands != nil {
		d.policy.Deadbands = p.Deadbands
	}
	if p.Revision > 0 {
		d.policy.Revision = p.Revision
	}
}

// recall puts the policy in force that permanent memory holds.
func (d *Device) recall(m *Memory) error {
	d.policy.Deadbands = d.config.Deadbands
	d.agreed, d.receipts = m.Policy, m.Receipts
	if len(m.Policy) == 0 {
		return nil
	}
	p, err := codec.DecodePolicy([]byte(m.Policy))
	if err != nil {
		return fmt.Errorf("device %d: %w", d.config.Number, err)
	}
	d.adopt(&p)
	return nil
}

// receipt is the rare block of the next status: which policy is in force, as long as that is owed.
func (d *Device) receipt() codec.Rare {
	if d.receipts == 0 {
		return codec.Rare{}
	}
	r := codec.Rare{Present: true, BootChanged: d.restarted, HasPolicy: true, Policy: uint8(d.policy.Revision)} //nolint:gosec // its low bits
	r.VersionIndex, r.Build = d.release()
	return r
}

// versionExplicit is the index of a version that is not in the product's release table.
const versionExplicit = 63

// release is the version in the words of a rare block: its index in the release table, or the first bytes of the build's hash.
func (d *Device) release() (index uint8, build uint32) {
	for index := range uint8(versionExplicit) {
		if v, ok := d.config.Releases[index]; ok && v == d.version {
			return index, 0
		}
	}
	hash := d.build()
	for i := range 4 {
		if build <<= 8; i < len(hash) {
			build |= uint32(hash[i])
		}
	}
	return versionExplicit, build
}

// received notes that a receipt arrived. One of an earlier policy says nothing of the one in force.
func (d *Device) received(t *tag) {
	if t.receipt && t.revision == uint8(d.policy.Revision) { //nolint:gosec // its low bits
		d.receipts = 0
	}
}
