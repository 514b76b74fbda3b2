package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/publish"
	"github.com/godwit-gateway/godwit/gateway/store"
)

// scrapesMax is how many scrapes are answered at once; further ones get 503.
const scrapesMax = 4

// A LinkState is how a link's line is. Its functions are called at each scrape, from any goroutine, and must not wait for the line.
type LinkState struct {
	Name     string
	Kind     string // of the driver, as in the configuration
	Up       func() bool
	Restarts func() uint64

	// Sent returns how many messages the driver handed to the network, replies among them and each part of a long one for itself, and their
	// bytes of payload; nil where the link sends nothing. The bytes are of no meaning where the network bills whole messages.
	Sent func() (messages, payload uint64)

	// UDP returns what the driver dropped by itself, by reason; nil where the link is no UDP socket.
	UDP func() map[string]uint64

	// Refused returns the connections that the driver closed without taking anything, by reason; nil where nobody connects.
	Refused func() map[string]uint64

	// Sessions returns what a satellite network told of beside payloads, by kind; nil where the link is none.
	Sessions func() map[string]uint64

	// Calls returns the calls of a web service that failed, by reason; nil where the link polls none.
	Calls func() map[string]uint64

	// Confirmed returns the messages whose network was told that they are taken, or that it has to keep them, by outcome; nil where no network waits for that.
	Confirmed func() map[string]uint64

	// Missing counts messages that the network numbered and that never came; nil where it numbers none.
	Missing func() uint64

	// ModemUp reports whether the modem is set up; nil where the link is no modem.
	ModemUp func() bool

	// Signal returns the carrier to noise of a terminal, and whether it is known; nil where there is no terminal.
	Signal func() (dbHz float64, known bool)

	// ModemResets counts the times that the modem was told to start over; nil where the link is no modem.
	ModemResets func() uint64

	// SlotsUsed and SlotsTotal return the slots in the storages of a modem, and whether they are known; nil where there are none.
	SlotsUsed, SlotsTotal func() (int, bool)
}

// Sources is where figures come from. All fields but Links must be set.
type Sources struct {
	Hub       *hub.Hub
	Store     *store.Store
	Publisher *publish.Publisher
	Links     []LinkState
	Ready     func() error // nil while the gateway does its work

	// StreamRestarts counts the starts of the NATS server in this process after the first; nil where there is none.
	StreamRestarts func() uint64

	Version string
	Now     func() time.Time
}

// Metrics is a collector of all that the gateway counts, with a registry of its own. Safe for concurrent use.
type Metrics struct {
	from     Sources
	registry *prometheus.Registry
}

// New returns metrics that read the sources. It reads nothing yet.
func New(s Sources) *Metrics {
	m := &Metrics{from: s, registry: prometheus.NewRegistry()}
	m.registry.MustRegister(m, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Registry is where the metrics are registered, for programs that add some.
func (m *Metrics) Registry() *prometheus.Registry { return m.registry }

// Handler answers scrapes. A metric that cannot be read is left out, and counted in promhttp_metric_handler_errors_total: the others are
// what an operator needs then.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, Registry: m.registry, MaxRequestsInFlight: scrapesMax,
	})
}
