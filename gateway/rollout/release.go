package rollout

import "time"

// A Release is software of a product, as its signed manifest says. It is not changed once a rollout uses it.
type Release struct {
	Product string `json:"product"`
	Version string `json:"version"`
	Build   string `json:"build,omitempty"`  // hash of the build, lower-case hex; "": devices do not tell
	Size    uint64 `json:"size"`             // of the image, bytes
	Memory  uint64 `json:"memory,omitempty"` // bytes that must be free; 0: twice the size, or nothing if it is installed in place
	InPlace bool   `json:"in_place"`         // the image is a patch that needs no second copy
	Notes   string `json:"notes,omitempty"`

	Minimum string   `json:"minimum,omitempty"` // the lowest version that it can be installed upon; "": any
	Bridges []string `json:"bridges,omitempty"` // versions below the minimum upon which it can be installed as well, and which lead there

	Manifest string `json:"manifest"`         // URL
	Hash     []byte `json:"hash"`             // SHA-256 over the manifest
	Signer   string `json:"signer,omitempty"` // who signed it, as the key is named

	Registered time.Time `json:"registered,omitzero"`
	By         string    `json:"by,omitempty"`
	Withdrawn  time.Time `json:"withdrawn,omitzero"` // zero: it is not
	Used       bool      `json:"used"`               // by a rollout that was submitted
}

// Needs is how many bytes must be free on a device.
func (r *Release) Needs() uint64 {
	switch {
	case r.Memory > 0:
		return r.Memory
	case r.InPlace:
		return 0
	default:
		return imageCopies * r.Size
	}
}

// imageCopies is how often an image must fit: the one that was fetched, and the one that runs until the new one has proved itself.
const imageCopies = 2
