package hub

import (
	"encoding/binary"
	"encoding/hex"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/fleet"
)

// versionExplicit is the version index that says that the build hash follows.
const versionExplicit = 63

// applyRare applies the rare block of a status to the fleet. A version index that the product's release table does not have is kept as
// "#index", so that it is seen that the device changed.
func (h *Hub) applyRare(i fleet.Index, s *codec.Status, now time.Time) {
	if !s.Rare.Present {
		return
	}
	if s.Rare.HasPolicy {
		h.receipt(i, s.Rare.Policy, now)
	}
	if s.Rare.VersionIndex == versionExplicit {
		h.setVersion(i, "", hex.EncodeToString(binary.BigEndian.AppendUint32(nil, s.Rare.Build)), now)
		return
	}
	name := ""
	if p := h.products[h.fleet.Head(i).Product]; p != nil {
		name = p.Releases[s.Rare.VersionIndex]
	}
	if name == "" {
		name = string(appendUint([]byte("#"), uint64(s.Rare.VersionIndex)))
	}
	h.setVersion(i, name, "", now)
}

func appendRare(dst []byte, s *codec.Status) []byte {
	if !s.Rare.Present {
		return dst
	}
	dst = appendUintMember(dst, "version_index", uint64(s.Rare.VersionIndex))
	if s.Rare.VersionIndex == versionExplicit {
		var build [4]byte
		binary.BigEndian.PutUint32(build[:], s.Rare.Build)
		dst = appendHexMember(dst, "build", build[:])
	}
	if s.Rare.BootChanged {
		dst = append(dst, `,"boot_changed":true`...)
	}
	if s.Rare.HasStep {
		dst = appendUintMember(dst, "update_step", uint64(s.Rare.Step))
		dst = appendUintMember(dst, "update_code", uint64(s.Rare.StepCode))
	}
	if s.Rare.HasPolicy {
		dst = appendUintMember(dst, "policy_revision", uint64(s.Rare.Policy))
	}
	return dst
}
