package directip

import (
	"testing"

	"github.com/godwit-gateway/godwit/transports/recent"
)

func session(imei string, momsn uint16, at uint32) *originated {
	return &originated{imei: [imeiLen]byte([]byte(imei)), momsn: momsn, session: at}
}

func TestSequences(t *testing.T) {
	const imei, other = "300234010753370", "300234010753371"
	for name, c := range map[string]struct {
		sessions              []*originated
		claims                []int
		missing, late, resets uint64
	}{
		"one after the other":            {[]*originated{session(imei, 7, 1), session(imei, 8, 2), session(imei, 9, 3)}, []int{0, 0, 0}, 0, 0, 0},
		"three are missing":              {[]*originated{session(imei, 7, 1), session(imei, 11, 2), session(imei, 12, 3)}, []int{0, 3, 0}, 3, 0, 0},
		"again":                          {[]*originated{session(imei, 7, 1), session(imei, 7, 1), session(imei, 8, 3)}, []int{0, 0, 0}, 0, 0, 0},
		"after 65535 comes 0":            {[]*originated{session(imei, 65535, 1), session(imei, 0, 2)}, []int{0, 0}, 0, 0, 0},
		"missing across 65535":           {[]*originated{session(imei, 65534, 1), session(imei, 1, 2)}, []int{0, 2}, 2, 0, 0},
		"the number was cleared":         {[]*originated{session(imei, 900, 1), session(imei, 0, 2), session(imei, 1, 3)}, []int{0, 0, 0}, 0, 0, 1},
		"cleared long ago":               {[]*originated{session(imei, 30000, 1), session(imei, 40000, 2)}, []int{0, 0}, 0, 0, 1},
		"overtaken":                      {[]*originated{session(imei, 7, 1), session(imei, 9, 3), session(imei, 8, 2), session(imei, 10, 4)}, []int{0, 1, 0, 0}, 1, 1, 0},
		"each modem has its own numbers": {[]*originated{session(imei, 7, 1), session(other, 90, 2), session(imei, 8, 3)}, []int{0, 0, 0}, 0, 0, 0},
	} {
		q := sequences{modems: recent.New[[imeiLen]byte, sequence](8)}
		for i, s := range c.sessions {
			if got := q.claim(s); got != c.claims[i] {
				t.Errorf("%s: message %d: %d missing, want %d", name, i, got, c.claims[i])
			}
		}
		if q.missing != c.missing || q.late != c.late || q.resets != c.resets {
			t.Errorf("%s: missing %d, late %d, resets %d, want %d, %d, %d", name, q.missing, q.late, q.resets, c.missing, c.late, c.resets)
		}
	}
}

// What nobody could be told is told with the next message.
func TestMissingIsOwed(t *testing.T) {
	const imei = "300234010753370"
	q := sequences{modems: recent.New[[imeiLen]byte, sequence](8)}
	q.claim(session(imei, 1, 1))
	m := session(imei, 4, 2)
	q.owe(m, q.claim(m))
	if got := q.claim(m); got != 2 { // the same comes again
		t.Errorf("%d missing, want 2", got)
	}
	if got := q.claim(session(imei, 6, 3)); got != 1 {
		t.Errorf("%d missing, want 1", got)
	}
	if q.missing != 3 {
		t.Errorf("counted %d, want 3", q.missing)
	}
}

// A MOMSN alone does not tell a message.
func TestKeysDiffer(t *testing.T) {
	base := func() *originated {
		m := session("300234010753370", 282, 100)
		m.cdr, m.payload = 5, []byte("a")
		return m
	}
	same := keyOf(base())
	for name, change := range map[string]func(*originated){
		"IMEI": func(m *originated) { m.imei[14] = '1' }, "MOMSN": func(m *originated) { m.momsn++ }, "time": func(m *originated) { m.session++ },
		"CDR": func(m *originated) { m.cdr++ }, "payload": func(m *originated) { m.payload = []byte("b") },
	} {
		m := base()
		change(m)
		if keyOf(m) == same {
			t.Errorf("another %s makes no other message", name)
		}
	}
	if keyOf(base()) != same {
		t.Error("the same message is another one")
	}
}
