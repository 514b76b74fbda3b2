package core_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/presence"
)

// shore is a fleet on one link, of which some devices are on a coast, and what is known of where they are.
type shore struct {
	t      *testing.T
	k      *core.Core
	config core.Config
	now    time.Time
	random *rand.Rand
	out    map[int]bool // devices that are cut off
	square func(n int) uint16
}

const (
	shoreDevices = 400
	coast        = 12 // the first of them
)

func newShore(t *testing.T, regions ...core.Region) *shore {
	t.Helper()
	s := &shore{
		t: t, now: t0, random: rand.New(rand.NewPCG(7, 7)), out: map[int]bool{}, square: func(int) uint16 { return 0 },
		config: core.Config{Links: []core.Link{{Name: "net"}, {Name: "sms"}}, Regions: regions},
	}
	s.open()
	return s
}

func (s *shore) open() {
	s.t.Helper()
	k, err := core.New(s.config, s.now)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := range shoreDevices {
		k.Know(core.Place(i), uint32(1000+i), "buoy", "acme")
	}
	s.k = k
}

// passes plays hours: each device speaks every three of them, and now and then does not come through.
func (s *shore) passes(hours int) {
	const slot = 10 * time.Minute
	for range hours * int(time.Hour/slot) {
		for i := range shoreDevices {
			if n := int(s.now.Unix() / int64(slot/time.Second)); (n+i)%18 == 0 && !s.out[i] && s.random.IntN(50) > 0 {
				s.k.Heard(s.now.Add(time.Duration(i)*time.Second), core.Place(i), core.Contact{Link: 0, Bytes: 20, Cause: ledger.CauseStatus, Newest: true, Square: s.square(i)})
			}
		}
		s.now = s.now.Add(slot)
		for more := true; more; {
			more = s.k.Poll(s.now)
		}
		s.k.Actions()
	}
}

// explained counts, of the devices on the coast and of the others, those whose silence is put down to an outage, and those that missed anything.
func (s *shore) explained() (here, there, missedHere, missedThere int) {
	for i := range shoreDevices {
		st, ok := s.k.Standing(s.now, core.Place(i))
		if !ok || st.Missed == 0 {
			continue
		}
		out := 0
		if st.Class == presence.Out {
			out = 1
		}
		if i < coast {
			here, missedHere = here+out, missedHere+1
		} else {
			there, missedThere = there+out, missedThere+1
		}
	}
	return here, there, missedHere, missedThere
}

func (s *shore) cutOff() {
	for i := range coast {
		s.out[i] = true
	}
}

// The silence of a region is its outage though its link is well, where it is known who is in it: from people, or from the network. Others of the link that
// are silent at the same time have no part in it.
func TestRegionalOutage(t *testing.T) {
	label := core.Region{Name: "coast", First: 1000, Last: 1000 + coast - 1}
	for name, tt := range map[string]struct {
		regions []core.Region
		square  func(n int) uint16
		known   bool
		says    string
	}{
		"nobody knows": {},
		"people say":   {regions: []core.Region{label}, known: true, says: "region coast"},
		"the network says": {square: func(n int) uint16 {
			if n < coast {
				return core.Square(54_300_000, 10_100_000)
			}
			return core.Square(-33_900_000, 18_400_000)
		}, known: true, says: "the ten degrees from 50° N 10° E"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShore(t, tt.regions...)
			if tt.square != nil {
				s.square = tt.square
			}
			s.passes(10 * 24)
			if here, there, _, _ := s.explained(); here+there > 0 {
				t.Errorf("%d and %d are out while all is well", here, there)
			}
			s.cutOff()
			s.out[100], s.out[200] = true, true // they died
			s.passes(6)
			here, there, missedHere, _ := s.explained()
			o, region, _ := s.k.OutageOf(5)
			if missedHere != coast || there > 0 || s.k.Outage(0).Since != 0 {
				t.Errorf("%d of the coast missed contacts, %d elsewhere are out, the link: %+v", missedHere, there, s.k.Outage(0))
			}
			if tt.known && (here < coast*9/10 || o.Since == 0 || region != tt.says) || !tt.known && (here > 0 || o.Since != 0 || region != "") {
				t.Errorf("%d of %d are out, since %d, %q", here, coast, o.Since, region)
			}
			clear(s.out)
			s.passes(24)
			if o, _, _ := s.k.OutageOf(5); o.Since != 0 && o.Until == 0 {
				t.Errorf("the outage goes on: %+v", o)
			}
		})
	}
}

// What is known of regions outlives a restart and other regions of a new configuration, and there are never too many.
func TestRegionsAreKept(t *testing.T) {
	s := newShore(t, core.Region{Name: "coast", First: 1000, Last: 1000 + coast - 1})
	s.passes(10 * 24)
	s.cutOff()
	s.passes(6)
	want, region, _ := s.k.OutageOf(5)
	if want.Since == 0 || region != "region coast" {
		t.Fatalf("%+v of %q", want, region)
	}
	check := func(what string) {
		t.Helper()
		if got, region, _ := s.k.OutageOf(5); got != want || region != "region coast" {
			t.Errorf("%s: %+v of %q, want %+v", what, got, region, want)
		}
	}
	rows := newRows()
	s.k.Drain(rows)
	s.open()
	if err := s.k.Load(rows, s.now, func(number uint32) (core.Place, bool) { return core.Place(number - 1000), true }); err != nil {
		t.Fatal(err)
	}
	before := want
	if got, region, _ := s.k.OutageOf(5); region != "region coast" || got.Since != before.Since {
		t.Errorf("after a restart: %+v of %q", got, region)
	}
	want, _, _ = s.k.OutageOf(5)
	s.config.Regions = append([]core.Region{{Name: "hills", First: 1300, Last: 1399}}, s.config.Regions...)
	if err := s.k.Reconfigure(s.config, s.now); err != nil {
		t.Fatal(err)
	}
	for i := range shoreDevices {
		s.k.Know(core.Place(i), uint32(1000+i), "buoy", "acme")
	}
	check("with another region")
	clear(s.out)
	for i := range 3 * shoreDevices { // 648 squares on two links are more than there is room for
		at := core.Place(i % shoreDevices)
		s.now = s.now.Add(time.Minute)
		s.k.Heard(s.now, at, core.Contact{Link: i % 2, Newest: true, Square: uint16(1 + i%648)})
	}
	_, c := s.k.Presence()
	if c.Cells != 512 {
		t.Errorf("%d cells", c.Cells)
	}
}

// Squares cover the earth, and what is no place is in none.
func TestSquare(t *testing.T) {
	seen := make(map[uint16]bool)
	for lat := int32(-90); lat <= 90; lat += 5 {
		for lon := int32(-180); lon <= 180; lon += 5 {
			n := core.Square(lat*1_000_000, lon*1_000_000)
			if n < 1 || n > 648 {
				t.Fatalf("%d, %d is in %d", lat, lon, n)
			}
			seen[n] = true
		}
	}
	if len(seen) != 648 || core.Square(0, -180_000_000) != core.Square(0, 180_000_000) {
		t.Errorf("%d squares", len(seen))
	}
	for _, p := range [][2]int32{{90_000_001, 0}, {-90_000_001, 0}, {0, 180_000_001}, {0, -180_000_001}} {
		if n := core.Square(p[0], p[1]); n != 0 {
			t.Errorf("%v is in %d", p, n)
		}
	}
}

// Regions that cannot be are refused.
func TestRegionsAreChecked(t *testing.T) {
	for _, r := range []core.Region{{First: 1, Last: 2}, {Name: strings.Repeat("x", 33), Last: 1}, {Name: "a", First: 2, Last: 1}} {
		if _, err := core.New(core.Config{Regions: []core.Region{r}}, t0); err == nil {
			t.Errorf("%+v", r)
		}
	}
	if _, err := core.New(core.Config{Regions: make([]core.Region, 257)}, t0); err == nil || !strings.Contains(fmt.Sprint(err), "257") {
		t.Error(err)
	}
}
