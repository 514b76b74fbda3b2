package udp_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/udp"
)

func peer(format string, args ...any) netip.AddrPort {
	return netip.MustParseAddrPort(fmt.Sprintf(format, args...))
}

// fail sends n datagrams that fail and returns how many of them reached the sink.
func fail(l udp.Limiter, now time.Duration, from netip.AddrPort, n int) (reached int) {
	for range n {
		if l.Admit(now, from) == udp.Admitted {
			l.Settle(now, from, transports.Rejected)
			reached++
		}
	}
	return reached
}

func TestPrefixBucket(t *testing.T) {
	l := udp.NewLimiter(udp.Failures{}, 1)
	bad := peer("192.0.2.1:1000")
	if got := fail(l, 0, bad, 1000); got != 100 {
		t.Errorf("%d failures reached the sink at once, want the burst of 100", got)
	}
	for _, c := range []struct {
		from netip.AddrPort
		want udp.Decision
	}{
		{bad, udp.LimitedPrefix},
		{peer("192.0.2.1:1001"), udp.LimitedPrefix},
		{peer("192.0.2.255:1000"), udp.LimitedPrefix},
		{peer("[::ffff:192.0.2.9]:1000"), udp.LimitedPrefix},
		{peer("192.0.3.1:1000"), udp.Admitted},
		{peer("[2001:db8::1]:1000"), udp.Admitted},
	} {
		if got := l.Admit(0, c.from); got != c.want {
			t.Errorf("%v: decision %d, want %d", c.from, got, c.want)
		}
	}
	total := 0
	for ms := range 10_000 {
		total += fail(l, time.Duration(ms+1)*time.Millisecond, bad, 3)
	}
	if total != 200 {
		t.Errorf("%d failures reached the sink in 10 s of flood, want 20 a second", total)
	}
	if got := fail(l, time.Hour, bad, 1000); got != 100 {
		t.Errorf("%d failures reached the sink after an hour of peace, want the burst of 100", got)
	}
}

func TestPrefixOfIPv6IsA56(t *testing.T) {
	l := udp.NewLimiter(udp.Failures{}, 1)
	fail(l, 0, peer("[2001:db8:0:100::1]:1"), 100)
	if got := l.Admit(0, peer("[2001:db8:0:1ff:ffff::2]:2")); got != udp.LimitedPrefix {
		t.Errorf("same /56: decision %d, want limited", got)
	}
	if got := l.Admit(0, peer("[2001:db8:0:200::1]:1")); got != udp.Admitted {
		t.Errorf("next /56: decision %d, want admitted", got)
	}
}

// What verifies is never charged: a whole fleet behind one address of a carrier passes at any rate.
func TestVerifyingCostsNothing(t *testing.T) {
	l := udp.NewLimiter(udp.Failures{}, 1)
	for i := range 100_000 {
		from := peer("198.51.100.7:%d", 1024+i%60_000)
		if got := l.Admit(0, from); got != udp.Admitted {
			t.Fatalf("datagram %d: decision %d, want admitted", i, got)
		}
		l.Settle(0, from, []transports.Settlement{transports.Stored, transports.Duplicate, transports.Quarantined, transports.Unsettled}[i%4])
	}
}

func TestVerifiedSourceHasItsOwnBucket(t *testing.T) {
	l := udp.NewLimiter(udp.Failures{}, 1)
	good, bad := peer("192.0.2.1:1000"), peer("192.0.2.1:2000")
	l.Settle(0, good, transports.Stored)
	if got := fail(l, 0, bad, 1000); got != 100 {
		t.Errorf("%d failures of a stranger reached the sink, want 100", got)
	}
	if got := l.Admit(10*time.Minute, good); got != udp.Admitted {
		t.Errorf("verified source: decision %d, want admitted", got)
	}
	if got := fail(l, 0, good, 1000); got != 100 {
		t.Errorf("%d failures of the verified source reached the sink, want its own 100", got)
	}
	if got := l.Admit(0, good); got != udp.LimitedSource {
		t.Errorf("verified source without tokens: decision %d, want limited", got)
	}

	fail(l, 10*time.Minute, bad, 1000)
	if got := l.Admit(10*time.Minute+time.Millisecond, good); got != udp.LimitedPrefix {
		t.Errorf("source that verified over 10 min ago: decision %d, want the prefix's", got)
	}
}

// One captured datagram sent again from many addresses makes none of them a known source: those that are stay, and the half of the bucket of
// all that is theirs cannot be drained.
func TestReplayMarksNoSource(t *testing.T) {
	l := udp.NewLimiter(udp.Failures{}, 7)
	const honest, spoofed = 10_000, 300_000
	for i := range honest {
		l.Settle(1, peer("203.0.%d.%d:7", i>>8, i&0xFF), transports.Stored)
	}
	_, before := l.Live(2)
	replay := func(i int) netip.AddrPort { return peer("10.%d.%d.%d:9", i>>16, i>>8&0xFF, i&0xFF) }
	for i := range spoofed {
		if from := replay(i); l.Admit(2, from) == udp.Admitted {
			l.Settle(2, from, transports.Duplicate)
		}
	}
	if _, after := l.Live(2); after != before {
		t.Errorf("%d sources are known after the replay, want the %d of before", after, before)
	}
	reached := 0
	for i := range spoofed {
		reached += fail(l, 2, replay(i), 1)
	}
	if reached > 10_000 {
		t.Errorf("%d failures of the replaying addresses reached the sink at once, want no more than half of a second's 20,000", reached)
	}
	refused := 0
	for i := range honest {
		if l.Admit(2, peer("203.0.%d.%d:7", i>>8, i&0xFF)) != udp.Admitted {
			refused++
		}
	}
	if forgotten := honest - before; refused > forgotten { // now and then more of them meet in a place of the table than it holds
		t.Errorf("%d honest sources are refused, of which %d were not known any more before the replay", refused, forgotten)
	}
}

// A duplicate keeps a source known that is, for as long again; one that is known no longer has to bring something new.
func TestDuplicateRefreshesOnlyWhoIsKnown(t *testing.T) {
	good, bad := peer("192.0.2.1:1000"), peer("192.0.2.1:2000")
	for _, c := range []struct {
		name    string
		settled []transports.Settlement
		at      []time.Duration
		asked   time.Duration
		want    udp.Decision
	}{
		{"duplicate alone", []transports.Settlement{transports.Duplicate}, []time.Duration{0}, 1, udp.LimitedPrefix},
		{"refreshed", []transports.Settlement{transports.Stored, transports.Duplicate}, []time.Duration{0, 9 * time.Minute}, 18 * time.Minute, udp.Admitted},
		{"too late", []transports.Settlement{transports.Stored, transports.Duplicate}, []time.Duration{0, 11 * time.Minute}, 12 * time.Minute, udp.LimitedPrefix},
	} {
		l := udp.NewLimiter(udp.Failures{}, 1)
		for i, v := range c.settled {
			l.Settle(c.at[i], good, v)
		}
		fail(l, c.asked, bad, 1000)
		if got := l.Admit(c.asked, good); got != c.want {
			t.Errorf("%s: decision %d, want %d", c.name, got, c.want)
		}
	}
}

// Failures in flight while the bucket ran dry are paid back.
func TestDebt(t *testing.T) {
	l := udp.NewLimiter(udp.Failures{}, 1)
	bad := peer("192.0.2.1:1000")
	for range 500 { // eight batches of 64 were with the sink
		l.Settle(0, bad, transports.Rejected)
	}
	if got := l.Admit(20*time.Second, bad); got != udp.LimitedPrefix {
		t.Error("admitted before 400 tokens were paid back at 20 a second")
	}
	if got := l.Admit(20*time.Second+50*time.Millisecond, bad); got != udp.Admitted {
		t.Error("not admitted after 401 tokens came in")
	}
}

func TestTotalLeavesHalfToVerified(t *testing.T) {
	l := udp.NewLimiter(udp.Failures{}, 1)
	good := peer("203.0.113.1:1000")
	l.Settle(0, good, transports.Stored)
	reached := 0
	for i := range 100_000 { // each from a prefix of its own
		reached += fail(l, 0, peer("10.%d.%d.1:5", i>>8&0xFF, i&0xFF), 1)
	}
	if reached != 10_000 {
		t.Errorf("%d failures reached the sink at once, want half of a second's 20,000", reached)
	}
	if got := l.Admit(0, peer("198.51.100.1:5")); got != udp.LimitedTotal {
		t.Errorf("stranger: decision %d, want limited in total", got)
	}
	if got := l.Admit(0, good); got != udp.Admitted {
		t.Errorf("verified source: decision %d, want admitted", got)
	}
	for i := range 200 { // many verified sources that fail use up the other half
		from := peer("203.0.113.2:%d", 1000+i)
		l.Settle(0, from, transports.Stored)
		reached += fail(l, 0, from, 100)
	}
	if reached != 20_000 {
		t.Errorf("%d failures reached the sink at once, want 20,000 in all", reached)
	}
	if got := l.Admit(0, good); got != udp.LimitedTotal {
		t.Errorf("verified source: decision %d, want limited in total", got)
	}
	if got := l.Admit(time.Second, peer("198.51.100.1:5")); got != udp.Admitted {
		t.Errorf("stranger a second later: decision %d, want admitted", got)
	}
}

// The table of prefixes cannot be flooded: what all may fail together keeps the number of buckets that are not full small.
func TestFloodOfPrefixesLosesNoBucket(t *testing.T) {
	l := udp.NewLimiter(udp.Failures{}, 12345)
	bad := peer("192.0.2.1:1")
	fail(l, 0, bad, 100)
	for i := range 200_000 {
		now := time.Duration(i) * 10 * time.Microsecond // 100,000 a second, over 2 s
		fail(l, now, peer("%d.%d.%d.1:5", 1+i>>16, i>>8&0xFF, i&0xFF), 1)
	}
	if prefixes, _ := l.Live(2 * time.Second); prefixes > 2_000 {
		t.Errorf("%d buckets are not full, want about 1,000", prefixes)
	}
	reached := fail(l, 2*time.Second, bad, 100)
	if reached > 40 {
		t.Errorf("%d failures of the first prefix reached the sink after 2 s, want at most 40: its bucket was forgotten", reached)
	}
}

// More verified sources than the table has room for: the newest are remembered, and nothing else is disturbed.
func TestMoreVerifiedSourcesThanRoom(t *testing.T) {
	l := udp.NewLimiter(udp.Failures{Sources: 1024}, 99)
	for i := range 10_000 {
		l.Settle(time.Duration(i+1), peer("10.0.%d.%d:7", i>>8, i&0xFF), transports.Stored)
	}
	_, sources := l.Live(10_001)
	if sources != 1024 {
		t.Errorf("%d sources are remembered, want 1024", sources)
	}
}

// Whatever happens: over any stretch of time no more failures reach the sink from one prefix of strangers than the burst, the rate and what
// was in flight; and a limiter whose buckets are full admits everybody.
func TestLimiterProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := udp.Failures{
			Rate: rapid.Float64Range(1, 100).Draw(t, "rate"), Burst: rapid.IntRange(1, 50).Draw(t, "burst"),
			Total: 1e5, Sources: 1024,
		}
		l := udp.NewLimiter(f, rapid.Uint64().Draw(t, "seed"))
		now, reached, inFlight := time.Duration(0), 0, 0
		most := rapid.IntRange(1, 20).Draw(t, "in flight")
		steps := rapid.SliceOfN(rapid.IntRange(0, 200), 1, 300).Draw(t, "ms")
		for i, ms := range steps {
			now += time.Duration(ms) * time.Millisecond
			from := peer("192.0.2.%d:%d", i%256, 1+i)
			if l.Admit(now, from) == udp.Admitted {
				inFlight++
				reached++
			}
			if inFlight == most {
				for ; inFlight > 0; inFlight-- {
					l.Settle(now, from, transports.Rejected)
				}
			}
		}
		bound := float64(f.Burst) + f.Rate*now.Seconds() + float64(most) + 1
		if float64(reached) > bound {
			t.Fatalf("%d failures in %v, want at most %.1f", reached, now, bound)
		}
		if got := l.Admit(now+24*time.Hour, peer("192.0.2.1:1")); got != udp.Admitted {
			t.Fatalf("a day later: decision %d, want admitted", got)
		}
	})
}

func TestPeers(t *testing.T) {
	p := udp.NewPeers(100)
	a := peer("192.0.2.1:5")
	if got := p.Name(a); got != "192.0.2.1:5" {
		t.Errorf("name %q", got)
	}
	if got := p.Name(peer("[2001:db8::1]:5")); got != "[2001:db8::1]:5" {
		t.Errorf("name %q", got)
	}
	for i := range 10_000 {
		if got, want := p.Name(peer("10.0.%d.%d:9", i>>8, i&0xFF)), fmt.Sprintf("10.0.%d.%d:9", i>>8, i&0xFF); got != want {
			t.Fatalf("name %q, want %q", got, want)
		}
		p.Name(a) // used all the time: stays
		if n := p.Len(); n > 200 {
			t.Fatalf("%d names held, want at most two generations of 100", n)
		}
	}
	if n := testing.AllocsPerRun(100, func() { p.Name(a) }); n != 0 {
		t.Errorf("a name in use costs %v allocations", n)
	}
}

func BenchmarkLimiter(b *testing.B) {
	l := udp.NewLimiter(udp.Failures{}, 1)
	from := make([]netip.AddrPort, 1<<14)
	for i := range from {
		from[i] = peer("10.0.%d.%d:7", i>>8, i&0xFF)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		f := from[i%len(from)]
		if l.Admit(time.Duration(i), f) == udp.Admitted {
			l.Settle(time.Duration(i), f, transports.Stored)
		}
		i++
	}
}
