// Package api is the gateway's HTTP interface, which its own commands use as well: devices and their history, pending and quarantined
// traffic, messages to devices, the events as they are published, health and metrics.
//
//	/healthz /readyz /metrics      without a token
//	/docs/                         the documents of this version, as plain text
//	/api/v1/openapi.json           the description of what follows, generated from the code (OpenAPI 3.1)
//	/api/v1/...                    with a bearer token; errors are problem details (RFC 9457) whose type is a stable name
//
// Tokens are random, and only their hashes are kept. Each has a role: viewers read, operators also change devices and send messages,
// approvers will also release updates, administrators also make tokens and take backups. The listener is a socket file or an address of the loopback
// interface: TLS and the world are the business of a proxy in front.
//
// # Libraries
//
// danielgtaylor/huma generates the description from the handlers' types and checks requests against it, so the two cannot drift apart. It
// costs reflection on each request, which at the rate of people and scripts does not matter. Its page of documentation is switched off,
// as it loads scripts from elsewhere.
package api
