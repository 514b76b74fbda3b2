package device

import (
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// fragmentsHeld is how many fragments wait for the next Poll at most; what comes beyond is as good as lost, and is sent again.
const fragmentsHeld = 64

// parts puts messages together that come in fragments. What arrived is in permanent memory: a device that restarts need not be sent it again,
// and takes no message twice.
type parts struct {
	whole codec.Reassembler
	held  []heldFragment // since the last Poll
	state Blob           // of whole, as it is remembered
}

type heldFragment struct {
	codec.Fragment
	asked bool // for a fragment status
}

// hold takes a fragment that a downlink brought.
func (p *parts) hold(body []byte, asked bool) error {
	f, err := codec.DecodeFragment(body)
	if err != nil {
		return err
	}
	if len(p.held) < fragmentsHeld {
		p.held = append(p.held, heldFragment{f, asked})
	}
	return nil
}

// assemble puts together what was held, takes the messages that became whole, and says what of each message is there that was asked about.
func (d *Device) assemble(now time.Time) error {
	if len(d.parts.held) == 0 {
		return nil
	}
	var asked []uint8
	for i := range d.parts.held {
		f := &d.parts.held[i]
		out := d.parts.whole.Add(now, &f.Fragment)
		if f.asked {
			asked = appendNew(asked, f.Set)
		}
		if out.Outcome != codec.FragmentComplete {
			continue
		}
		// What this device cannot read is no reason to stop: it is answered for as what it is, arrived.
		switch kind := codec.MessageType(out.Message[0]); kind {
		case codec.MessageFragment, codec.MessageFragmentStatus, codec.MessageRekey: // of no use in pieces (F-078)
		default:
			_ = d.take(kind, out.Message[1:], false)
		}
	}
	d.parts.held = d.parts.held[:0]
	d.parts.state = Blob(d.parts.whole.AppendState(nil))
	if d.quiet || d.session.Blank {
		return nil
	}
	for _, set := range asked {
		st := d.parts.whole.Status(set)
		b, err := codec.AppendFragmentStatus(nil, &st)
		if err != nil {
			return err
		}
		if err := d.enqueue(now, messageHeader(false), b, nil); err != nil {
			return err
		}
	}
	return nil
}

func appendNew(list []uint8, v uint8) []uint8 {
	for _, have := range list {
		if have == v {
			return list
		}
	}
	return append(list, v)
}

// messageHeader is that of a message with a counter of the usual width.
func messageHeader(ask bool) codec.Header {
	if ask {
		return codec.MakeHeader(codec.KindExtended, 0, 1)
	}
	return codec.MakeHeader(codec.KindExtended, 0, 0)
}
