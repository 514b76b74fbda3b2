package hub

import (
	"encoding/binary"
	"strings"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/transports"
)

// versionExplicit is the version index that says that the build hash follows.
const versionExplicit = 63

// applyRare applies the rare block of a status to the rollouts, and to the fleet: there a late frame tells what was, not what is.
func (h *Hub) applyRare(o *opened, s *codec.Status, u *transports.Uplink) {
	if !s.Rare.Present {
		return
	}
	i, now := o.device, u.ReceivedAt
	at := u.SentAt
	if s.ClockValid {
		at = s.Time
	}
	version, build := h.rareSoftware(i, &s.Rare)
	if !strings.HasPrefix(version, "#") { // that it is unknown says neither what it is nor what it is not
		h.runs(o, version, build, at, now)
	}
	if !o.newest {
		return
	}
	if s.Rare.HasPolicy {
		h.receipt(i, s.Rare.Policy, now)
	}
	h.setVersion(i, version, build, now)
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
