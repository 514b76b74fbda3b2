package udp_test

import (
	"fmt"
	"net"
	"sync/atomic"
	"testing"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/transporttest"
	"github.com/godwit-gateway/godwit/transports/udp"
)

// BenchmarkDatagrams sends from one socket with one datagram per call of the kernel, at most 256 ahead of the replies, and counts
// allocations of the driver: what the sender allocates would show too, so it allocates nothing.
func BenchmarkDatagrams(b *testing.B) {
	for _, size := range []int{24, 200, udp.UplinkMax} {
		for _, reply := range []bool{false, true} {
			b.Run(fmt.Sprintf("size=%d/reply=%t", size, reply), func(b *testing.B) { benchmarkDatagrams(b, size, reply) })
		}
	}
}

func benchmarkDatagrams(b *testing.B, size int, reply bool) {
	b.Helper()
	const ahead = 256
	tr := newTransport(b, udp.Config{Listen: "127.0.0.1:0"})
	var settled, calls atomic.Int64
	tokens := make(chan struct{}, ahead)
	stop := run(b, tr, sinkFunc(func(us []transports.Uplink, out []transports.Verdict) error {
		for i := range us {
			out[i].Settlement = transports.Stored
			if reply {
				out[i].Reply = append(out[i].Reply[:0], "0123456789abcdef"...)
			}
		}
		calls.Add(1)
		settled.Add(int64(len(us)))
		for range us {
			<-tokens
		}
		return nil
	}))
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(tr.Addr()))
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	payload := make([]byte, size)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		tokens <- struct{}{}
		if _, err := conn.Write(payload); err != nil {
			b.Fatal(err)
		}
	}
	if err := stop(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(settled.Load())/b.Elapsed().Seconds(), "datagrams/s")
	b.ReportMetric(float64(settled.Load())/float64(max(1, calls.Load())), "datagrams/batch")
	if s := tr.Stats(); s.SocketDrops != 0 {
		b.Logf("the kernel dropped %d", s.SocketDrops)
	}
}

// Once warm, a datagram from a peer that was heard before allocates nothing, from the socket to the reply.
func TestNoAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	tr := newTransport(t, udp.Config{Listen: "127.0.0.1:0"})
	run(t, tr, sinkFunc(func(us []transports.Uplink, out []transports.Verdict) error {
		for i := range us {
			out[i].Settlement, out[i].Reply = transports.Stored, append(out[i].Reply[:0], transporttest.Reply...)
		}
		return nil
	}))
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(tr.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	payload, buf := make([]byte, 24), make([]byte, 64)
	exchange := func() {
		for range 64 {
			if _, err := conn.Write(payload); err != nil {
				t.Fatal(err)
			}
		}
		for range 64 {
			if _, err := conn.Read(buf); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 20 { // every reader has had its turn
		exchange()
	}
	if n := testing.AllocsPerRun(100, exchange); n >= 1 {
		t.Errorf("64 datagrams with their replies cost %v allocations, want none", n)
	}
}
