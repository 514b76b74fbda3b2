package main

import "runtime/debug"

// useMemory makes the most of memory, of which a simulation has some to spare: it is cleared seldom, and in large pages.
func useMemory() {
	debug.SetGCPercent(200)
	wantLargePages()
}
