// Package e2e tests the built programs as an operator and a device meet them: processes that are killed, real sockets and ptys, a stream that
// is read from outside. It has no code but tests.
package e2e
