//go:build !amd64 || purego

package aes128

// WithCryptoAES does what f does: there is nothing else here.
func WithCryptoAES(f func()) { f() }
