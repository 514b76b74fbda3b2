// Package metrics shows the gateway to Prometheus.
//
// Nothing is counted here. At each scrape the collector reads what the hub, the store, the publisher and the links count anyway, so that the
// way of a frame knows nothing of Prometheus and a gateway that nobody scrapes pays nothing:
//
//	GET /metrics -> Metrics.Handler -> Metrics.Collect -> hub.Links, store.Stats, publish.Stats, LinkState …
//
// Labels are bounded by the configuration: links, reasons, states. No metric has a label for a device, of which there may be a hundred
// thousand. docs/OPERATIONS.md says what each metric means and when to be woken by it; a test holds it to that.
//
// # Libraries
//
// prometheus/client_golang is the reference implementation of the exposition format.
package metrics
