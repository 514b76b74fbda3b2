// Package node puts a gateway together from its configuration and runs it: store, publisher, hub, transports, API, started in this order
// and stopped in reverse.
//
// The order is what keeps the promises. Before anything is received, the store and the stream agree on what was published. When the
// gateway stops, the API and the drivers stop taking work first, then the hub commits what they had handed over, and the publisher and
// the store go last.
package node
