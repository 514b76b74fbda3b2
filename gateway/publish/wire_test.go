package publish_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// wire is a TCP connection's way through a proxy that spoils it, as networks do. Toxiproxy does that for most systems that are tested like this.
type wire struct {
	t     *testing.T
	proxy *toxiproxy.Proxy
}

// newWire leads to an address, from one that the proxy chooses if from has no port.
func newWire(t *testing.T, from, to string) *wire {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	w := &wire{t: t, proxy: toxiproxy.NewProxy(server, t.Name(), from, to)}
	w.mend()
	t.Cleanup(w.cut)
	return w
}

// spoil begins a trouble in one direction, upstream or downstream, for connections that there are and that will be.
func (w *wire) spoil(stream, toxic, attributes string) {
	w.t.Helper()
	if _, err := w.proxy.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"type":%q,"stream":%q,"attributes":%s}`, toxic, stream, attributes))); err != nil {
		w.t.Fatal(err)
	}
}

// cut ends all connections and takes no new ones.
func (w *wire) cut() { w.proxy.Stop() }

// mend ends all trouble for connections that begin from now on.
func (w *wire) mend() {
	w.t.Helper()
	if err := w.proxy.Start(); err != nil {
		w.t.Fatal(err)
	}
}

// renew ends all trouble and all connections that had it.
func (w *wire) renew() {
	w.t.Helper()
	w.cut()
	w.proxy.Toxics.ResetToxics(w.t.Context())
	w.mend()
}
