package codec_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/godwit-gateway/godwit/codec"
)

// checkBody holds one decoder against the oracles: it knows three reasons to refuse, and what it takes it takes again from what is written
// of it, which then is written the same.
func checkBody[T any](t *testing.T, body []byte, decode func([]byte) (T, error), write func([]byte, *T) ([]byte, error)) {
	t.Helper()
	m, err := decode(body)
	if err != nil {
		if !errors.Is(err, codec.ErrTruncated) && !errors.Is(err, codec.ErrMalformed) && !errors.Is(err, codec.ErrUnsupported) {
			t.Fatalf("error %v", err)
		}
		return
	}
	again, err := write(nil, &m)
	if err != nil {
		t.Fatalf("%+v: %v", m, err)
	}
	m2, err := decode(again[1:])
	if err != nil || !cmp.Equal(m, m2) {
		t.Fatalf("%x: %v: %s", again, err, cmp.Diff(m, m2))
	}
	if third, err := write(nil, &m2); err != nil || !bytes.Equal(third, again) {
		t.Fatalf("written as %x, then as %x: %v", again, third, err)
	}
}

// messageOperations are the vectors of messages by their type.
var messageOperations = map[string]codec.MessageType{
	"step-log": codec.MessageStepLog, "alarm": codec.MessageAlarm, "fragment": codec.MessageFragment, "fragment-status": codec.MessageFragmentStatus,
	"policy": codec.MessagePolicy, "offer": codec.MessageOffer, "request": codec.MessageRequest, "time": codec.MessageTime, "rekey": codec.MessageRekey,
	"template-set": codec.MessageTemplate, "sleep": codec.MessageSleep,
}

func FuzzMessage(f *testing.F) {
	for operation, kind := range messageOperations {
		for _, v := range seeds(f, operation) {
			f.Add(append([]byte{byte(kind)}, v.input...))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 {
			return
		}
		parts := codec.InspectPlaintext(codec.MakeHeader(codec.KindExtended, 0, 0), b, nil)
		checkCover(t, parts, 0, len(b))
		body := b[1:]
		switch codec.MessageType(b[0]) {
		case codec.MessageStepLog:
			checkBody(t, body, codec.DecodeStepLog, codec.AppendStepLog)
			if l, err := codec.DecodeStepLog(body); err == nil {
				if again, err := codec.AppendStepLog(nil, &l); err != nil || !bytes.Equal(again, b) {
					t.Fatalf("written again as %x, %v", again, err)
				}
			}
		case codec.MessageFragment:
			checkBody(t, body, codec.DecodeFragment, codec.AppendFragment)
			if fr, err := codec.DecodeFragment(body); err == nil {
				if again, err := codec.AppendFragment(nil, &fr); err != nil || !bytes.Equal(again, b) {
					t.Fatalf("written again as %x, %v", again, err)
				}
			}
		case codec.MessageFragmentStatus:
			checkBody(t, body, codec.DecodeFragmentStatus, codec.AppendFragmentStatus)
		case codec.MessageAlarm:
			checkBody(t, body, codec.DecodeAlarm, codec.AppendAlarm)
		case codec.MessagePolicy:
			checkBody(t, body, codec.DecodePolicy, codec.AppendPolicy)
		case codec.MessageOffer:
			checkBody(t, body, codec.DecodeOffer, codec.AppendOffer)
		case codec.MessageRequest:
			checkBody(t, body, codec.DecodeRequest, codec.AppendRequest)
		case codec.MessageTime:
			checkBody(t, body, codec.DecodeTime, codec.AppendTime)
		case codec.MessageRekey:
			checkBody(t, body, codec.DecodeRekey, codec.AppendRekey)
		case codec.MessageTemplate:
			checkBody(t, body, codec.DecodeTemplateSet, codec.AppendTemplateSet)
		case codec.MessageSleep:
			checkBody(t, body, codec.DecodeSleep, codec.AppendSleep)
		default:
		}
	})
}

// underWay is how many bytes a reassembler holds.
func underWay(r *codec.Reassembler) (n int) {
	for set := range 256 {
		_, _, size := r.Progress(uint8(set))
		n += size
	}
	return n
}

// FuzzReassembler takes fragments, each behind its length of 16 bits, and holds the machine against one that was written down and read
// again after each.
func FuzzReassembler(f *testing.F) {
	for _, v := range seeds(f, "reassembly") {
		f.Add(v.input)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var r codec.Reassembler
		now := testReference()
		for len(b) > 2 {
			n := min(2+int(b[0])<<8+int(b[1]), len(b))
			fr, err := codec.DecodeFragment(b[2:n])
			b = b[n:]
			if err != nil {
				continue
			}
			now = now.Add(1e9)
			var other codec.Reassembler
			if err := other.Load(r.AppendState(nil)); err != nil {
				t.Fatal(err)
			}
			one, two := r.Add(now, &fr), other.Add(now, &fr)
			if !cmp.Equal(one, two) || !bytes.Equal(r.AppendState(nil), other.AppendState(nil)) {
				t.Fatal("a restart changes what comes of a fragment: " + cmp.Diff(one, two))
			}
			st := r.Status(fr.Set)
			have, _, _ := r.Progress(fr.Set)
			count := 0
			for i := range uint16(codec.FragmentsMax) {
				if st.Has(i) {
					count++
				}
			}
			if count != have || underWay(&r) > codec.FragmentBytesMax {
				t.Fatalf("status names %d of %d, %d bytes", count, have, underWay(&r))
			}
		}
	})
}

func FuzzFragmentState(f *testing.F) {
	var r codec.Reassembler
	for _, v := range seeds(f, "fragment") {
		if fr, err := codec.DecodeFragment(v.input); err == nil {
			r.Add(testReference(), &fr)
			f.Add(r.AppendState(nil))
		}
	}
	if s, err := codec.NewSplitter(7, make([]byte, 300), 100); err == nil {
		f.Add(s.AppendState(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var r codec.Reassembler
		if r.Load(b) == nil {
			state := r.AppendState(nil)
			var again codec.Reassembler
			if err := again.Load(state); err != nil || !bytes.Equal(again.AppendState(nil), state) {
				t.Fatalf("%x, then %x: %v", state, again.AppendState(nil), err)
			}
		}
		if s, err := codec.ParseSplitter(b); err == nil && !bytes.Equal(s.AppendState(nil), b) {
			t.Fatalf("splitter %x", s.AppendState(nil))
		}
	})
}
