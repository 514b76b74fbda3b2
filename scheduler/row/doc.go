// Package row takes rows of stores apart: bytes, numbers and texts from the front of a slice, with one question at the end whether all of it was there.
package row
