//go:build amd64 && !purego

package aes128

// WithCryptoAES does what f does as on another processor.
func WithCryptoAES(f func()) {
	was := native
	native = false
	defer func() { native = was }()
	f()
}
