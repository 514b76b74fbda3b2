package codec

import "fmt"

// join takes a frame of a join apart, behind its header.
func (x *inspector) join(content []byte, number uint32, at int) []Part {
	f, err := ParseJoin(content)
	if err != nil {
		return []Part{brokenPart(content[1:], at+1, "body", err)}
	}
	var parts []Part
	next := 1
	take := func(n int, name, meaning string) {
		parts = append(parts, bytesPart(content[next:next+n], at+next, name, meaning))
		next += n
	}
	if f.up() {
		number = f.Join.Number // such a frame names its device
		take(4, "number", fmt.Sprintf("device number %d", f.Join.Number))
		take(4, "boot", fmt.Sprintf("boot counter %d", f.Join.Boot))
		take(4, "random", "of the device")
	} else {
		if f.Type == ControlJoinAccept {
			take(4, "epoch", fmt.Sprintf("epoch %d", f.Epoch))
		}
		take(8, "nonce", "of the gateway")
	}
	take(joinMACLen, "mac", fmt.Sprintf("%d bytes", joinMACLen))
	x.joinMAC(&parts[len(parts)-1], &f, number)
	return parts
}

// joinMAC says of the MAC what can be said with what is at hand.
func (x *inspector) joinMAC(p *Part, f *JoinFrame, number uint32) {
	key := x.o.deviceKey(number)
	if key == nil {
		return
	}
	switch f.Type {
	case ControlChallenge, ControlJoinAccept:
		if x.o.Join == nil {
			p.Meaning += ", for a request that is not given"
			return
		}
		f.Join = *x.o.Join
		number = f.Join.Number
	case ControlJoinConfirm:
		if x.o.Challenge == nil {
			p.Meaning += ", for a challenge that is not given"
			return
		}
		f.Nonce = *x.o.Challenge
	case ControlJoinRequest, ControlAck:
	}
	joinKey := DeriveJoinKey(key, number)
	if f.Verify(&joinKey) != nil {
		p.Error = fmt.Sprintf("does not verify for device %d", number)
		return
	}
	x.opened++
	p.Meaning = fmt.Sprintf("verified: device %d", number)
}
