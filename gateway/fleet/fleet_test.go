package fleet_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

func buoy(number uint32) fleet.Device {
	return fleet.Device{
		Number: number, Name: fmt.Sprintf("buoy-%d", number), Product: "buoy", Customer: "acme", State: fleet.Active,
		KeySource: fleet.KeyOwn, CTRBits: 8, TagLen: 8,
	}
}

func mustAdd(t *testing.T, f *fleet.Fleet, d fleet.Device) fleet.Index {
	t.Helper()
	i, err := f.Add(d)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestAddRefusesTakenNumberAndName(t *testing.T) {
	f := fleet.New()
	mustAdd(t, f, buoy(1))
	d := buoy(1)
	d.Name = "other"
	if _, err := f.Add(d); !errors.Is(err, fleet.ErrNumberTaken) {
		t.Errorf("same number: %v, want ErrNumberTaken", err)
	}
	d = buoy(2)
	d.Name = "buoy-1"
	if _, err := f.Add(d); !errors.Is(err, fleet.ErrNameTaken) {
		t.Errorf("same name: %v, want ErrNameTaken", err)
	}
	if f.Len() != 1 {
		t.Errorf("%d devices, want 1", f.Len())
	}
}

func TestValidateNamesEverythingWrong(t *testing.T) {
	d := fleet.Device{Name: "a b", Product: "", Customer: "x.y", CTRBits: 9, TagLen: 5}
	err := d.Validate()
	for _, want := range []string{`name "a b"`, `product ""`, `customer "x.y"`, "ctr_bits 9", "tag 5"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not name %s", err, want)
		}
	}
}

// drawSession is any session that may come about.
func drawSession(t *rapid.T) session.Gateway {
	g := session.Gateway{
		Current: drawEpoch(t), Allocated: rapid.Uint32().Draw(t, "allocated"), Boot: rapid.Uint32().Draw(t, "boot"), Guard: rapid.Uint32().Draw(t, "guard"), Least: rapid.Uint32().Draw(t, "least"),
		Failures: rapid.Uint32().Draw(t, "failures"), Role: rapid.SampledFrom([]session.Role{session.Alone, session.Pending, session.Previous}).Draw(t, "role"),
	}
	if g.Role != session.Alone {
		g.Second, g.Until, g.Limit = drawEpoch(t), rapid.Int64().Draw(t, "until"), rapid.Uint64().Draw(t, "limit")
	}
	if rapid.Bool().Draw(t, "challenged") {
		g.Challenge, g.ChallengeAt, g.ChallengedAt = codec.Nonce{1, 2, 8}, 5, rapid.Int64().Draw(t, "challenged at")
	}
	return g
}

func drawEpoch(t *rapid.T) session.Epoch {
	e := session.Epoch{
		Number:   rapid.Uint32().Draw(t, "epoch"),
		Counters: session.Counters{Highest: rapid.Uint64().Draw(t, "highest"), Window: rapid.Uint64().Draw(t, "window"), Seen: rapid.Bool().Draw(t, "seen")},
		Down:     rapid.Uint64().Draw(t, "down"), Since: rapid.Int64().Draw(t, "since"),
	}
	if e.Number > 0 {
		copy(e.Salt[:], "0123456789abcdef")
	}
	return e
}

// Whatever a device is, its row gives it back, and a cut or longer row gives an error, never another device.
func TestRowRoundTrip(t *testing.T) {
	token := rapid.StringMatching(`[A-Za-z0-9_-]{1,32}`)
	rapid.Check(t, func(t *rapid.T) {
		d := fleet.Device{
			Number: rapid.Uint32().Draw(t, "number"), Name: token.Draw(t, "name"), Product: token.Draw(t, "product"), Customer: token.Draw(t, "customer"),
			State:     rapid.SampledFrom([]fleet.State{fleet.Active, fleet.Pending, fleet.Rejected, fleet.Retired}).Draw(t, "state"),
			KeySource: "fleet:a", CTRBits: 16, TagLen: 4, Session: drawSession(t), Version: rapid.String().Draw(t, "version"), Build: "c0ffee", Hardware: "rev B",
			BootCount: rapid.Uint32().Draw(t, "boots"), ResetCause: 3, FreeMemory: rapid.Uint64().Draw(t, "memory"),
			FirstSeen: time.UnixMilli(rapid.Int64Range(1, 1<<41).Draw(t, "first")).UTC(), LastLink: "udp", Frames: 7, Duplicates: 2,
			Addresses: []fleet.DeviceAddress{{Bearer: "sms", ID: "+491700000001", Accepted: true}},
		}
		if d.State.Dismissed() {
			d.Dismissed = time.UnixMilli(rapid.Int64Range(1, 1<<41).Draw(t, "dismissed")).UTC()
		}
		d.Slots[2] = fleet.TemplateHash{1, 2, 3, 4, 5, 6, 7, 8}
		for range rapid.IntRange(0, fleet.SuspensionsMax).Draw(t, "suspensions") {
			from := tariff.Date(rapid.Int32Range(1970_01_01, 9999_12_31).Draw(t, "from"))
			s := fleet.Suspension{Link: token.Draw(t, "link"), Days: tariff.Days{From: from}}
			if rapid.Bool().Draw(t, "resumed") {
				s.Until = from + tariff.Date(rapid.Int32Range(1, 100).Draw(t, "days"))
			}
			d.Suspensions = append(d.Suspensions, s)
		}
		f := fleet.New()
		i, err := f.Add(d)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d, f.Device(i)); diff != "" {
			t.Fatalf("the snapshot differs (-want +got):\n%s", diff)
		}
		row := f.AppendRow(nil, i)
		g := fleet.New()
		j, err := g.Load(row)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d, g.Device(j)); diff != "" {
			t.Fatalf("the row gives another device (-want +got):\n%s", diff)
		}
		if _, err := fleet.ParseRow(row[:rapid.IntRange(0, len(row)-1).Draw(t, "cut")]); !errors.Is(err, fleet.ErrRow) {
			t.Fatalf("a cut row: %v, want ErrRow", err)
		}
		if _, err := fleet.ParseRow(append(row, 0)); !errors.Is(err, fleet.ErrRow) {
			t.Fatalf("a longer row: %v, want ErrRow", err)
		}
	})
}

// Rows that were written before it was noted since when devices are retired, or rejected, are read all the same.
func TestUndatedRow(t *testing.T) {
	since := time.UnixMilli(1 << 40).UTC()
	for _, state := range []fleet.State{fleet.Rejected, fleet.Retired} {
		f := fleet.New()
		d := buoy(7)
		d.State, d.Dismissed = state, since
		i, err := f.Add(d)
		if err != nil {
			t.Fatal(err)
		}
		dated := f.AppendRow(nil, i)
		f.SetState(i, fleet.Active, time.Time{})
		undated := f.AppendRow(nil, i)
		undated[1] = byte(state)
		for version, old := range map[byte]struct {
			row  []byte
			want time.Time
		}{
			4: {dated, since},
			3: {map[fleet.State][]byte{fleet.Rejected: undated, fleet.Retired: dated}[state], map[fleet.State]time.Time{fleet.Retired: since}[state]},
			2: {undated, time.Time{}},
		} {
			row := slices.Clone(old.row)
			if row[0] = version; version < 4 {
				row = row[:len(row)-1] // they know of no suspensions
			}
			if got, err := fleet.ParseRow(row); err != nil || got.State != state || !got.Dismissed.Equal(old.want) {
				t.Errorf("version %d, %s: %s since %v, %v, want %v", version, state, got.State, got.Dismissed, err, old.want)
			}
		}
		for _, version := range []byte{0, 1, 5} {
			if _, err := fleet.ParseRow(append([]byte{version}, dated[1:]...)); !errors.Is(err, fleet.ErrRow) {
				t.Errorf("a row of version %d: %v, want ErrRow", version, err)
			}
		}
	}
}

func FuzzParseRow(f *testing.F) {
	g := fleet.New()
	i, err := g.Add(buoy(7))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(g.AppendRow(nil, i))
	f.Fuzz(func(t *testing.T, row []byte) {
		d, err := fleet.ParseRow(row)
		if err != nil {
			return
		}
		g := fleet.New()
		j, err := g.Load(row)
		if err != nil {
			t.Fatalf("parses but does not load: %v", err)
		}
		if diff := cmp.Diff(d.Name, g.Device(j).Name); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestAddressesOldestUnacceptedGivesWay(t *testing.T) {
	f := fleet.New()
	d := buoy(1)
	d.Addresses = []fleet.DeviceAddress{{Bearer: "sms", ID: "+100", Accepted: true}}
	i := mustAdd(t, f, d)
	now := time.Unix(1000, 0)
	for k := range fleet.AddressesMax {
		if !f.NoteAddress(i, "sms", fmt.Sprintf("+20%d", k), now.Add(time.Duration(k)*time.Hour)) {
			t.Fatalf("address %d was not noted", k)
		}
	}
	if f.HasAddress(i, "sms", "+200") {
		t.Error("the oldest unaccepted address is still there")
	}
	if got := f.ByAddress(nil, "sms", "+200"); len(got) != 0 {
		t.Errorf("the dropped address still leads to %v", got)
	}
	if id, ok := f.AcceptedAddress(i, "sms"); !ok || id != "+100" {
		t.Errorf("accepted address %q, %v", id, ok)
	}
	if f.NoteAddress(i, "sms", "+207", now) {
		t.Error("an address that is known was noted as new")
	}
}

// A device that was given another card is reached by its new number once that is accepted, also after a restart, and by the old one if somebody says so.
func TestAddressAcceptedLastCounts(t *testing.T) {
	f := fleet.New()
	d := buoy(1)
	d.Addresses = []fleet.DeviceAddress{{Bearer: "idp", ID: "M1", Accepted: true}, {Bearer: "sms", ID: "+100", Accepted: true}}
	i := mustAdd(t, f, d)
	f.NoteAddress(i, "sms", "+200", time.Unix(1000, 0))
	reached := func(want string) {
		t.Helper()
		again := fleet.New()
		for _, x := range []struct {
			f *fleet.Fleet
			i fleet.Index
		}{{f, i}, {again, mustAdd(t, again, f.Device(i))}} {
			if id, ok := x.f.AcceptedAddress(x.i, "sms"); !ok || id != want {
				t.Errorf("downlinks go to %q, %v, want %q", id, ok, want)
			}
			if id, ok := x.f.AcceptedAddress(x.i, "idp"); !ok || id != "M1" {
				t.Errorf("downlinks of the other bearer go to %q, %v", id, ok)
			}
		}
	}
	reached("+100")
	for _, id := range []string{"+200", "+100", "+200"} {
		if !f.AcceptAddress(i, "sms", id) {
			t.Fatalf("%s is not known", id)
		}
		reached(id)
	}
	if f.AcceptAddress(i, "sms", "+300") || len(f.Device(i).Addresses) != 3 {
		t.Errorf("addresses %v", f.Device(i).Addresses)
	}
}

func TestAddressesAtMostFourCandidates(t *testing.T) {
	f := fleet.New()
	for n := range uint32(10) {
		f.NoteAddress(mustAdd(t, f, buoy(n)), "sms", "+1", time.Unix(1, 0))
	}
	if got := f.ByAddress(nil, "sms", "+1"); len(got) != fleet.CandidatesMax {
		t.Errorf("%d candidates, want %d", len(got), fleet.CandidatesMax)
	}
}

func TestStatesAreCounted(t *testing.T) {
	f := fleet.New()
	d := buoy(1)
	d.State = fleet.Pending
	i := mustAdd(t, f, d)
	if err := f.Approve(i, fleet.Approval{Customer: "other"}); err != nil {
		t.Fatal(err)
	}
	if err := f.Approve(i, fleet.Approval{}); !errors.Is(err, fleet.ErrState) {
		t.Errorf("approve twice: %v, want ErrState", err)
	}
	if err := f.Reject(i, time.UnixMilli(1<<40)); err != nil {
		t.Fatal(err)
	}
	if f.Count(fleet.Rejected) != 1 || f.Count(fleet.Pending) != 0 || f.Count(fleet.Active) != 0 {
		t.Errorf("counts: pending %d active %d rejected %d", f.Count(fleet.Pending), f.Count(fleet.Active), f.Count(fleet.Rejected))
	}
	if c := f.Device(i).Customer; c != "other" {
		t.Errorf("customer %q", c)
	}
}

func TestFleetKeyDevice(t *testing.T) {
	k := fleet.FleetKey{ID: "a", First: 10, Last: 20, Product: "buoy", Customer: "acme", Name: "dev-{number}", CTRBits: 16, TagLen: 8, Register: fleet.RegisterAuto}
	d := k.Device(12)
	if err := d.Validate(); err != nil {
		t.Fatal(err)
	}
	if d.Name != "dev-12" || d.State != fleet.Active || d.KeySource != "fleet:a" {
		t.Errorf("%+v", d)
	}
	if k.Covers(9) || !k.Covers(10) || !k.Covers(20) || k.Covers(21) {
		t.Error("the range is wrong at its ends")
	}
	if k.DeviceKey(12) == k.DeviceKey(13) {
		t.Error("two devices have one key")
	}
}

func TestNumbersAscend(t *testing.T) {
	f := fleet.New()
	for _, n := range []uint32{5, 1, 9} {
		mustAdd(t, f, buoy(n))
	}
	first := f.Numbers()
	mustAdd(t, f, buoy(3))
	if diff := cmp.Diff([]uint32{1, 5, 9}, first); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]uint32{1, 3, 5, 9}, f.Numbers()); diff != "" {
		t.Error(diff)
	}
}
