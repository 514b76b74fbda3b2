package main

import (
	"runtime"
	"syscall"
)

// largePages is how much of its memory a simulation wants in large pages, in bytes.
const largePages = 2 << 30

// wantLargePages asks the kernel for pages of 2 MiB for what the heap will take: a simulation goes through the memory of a whole fleet again and again,
// and with small pages waits for their addresses. It is address space only: what is not used takes no memory. A kernel that has no such pages says no,
// and nothing else changes.
func wantLargePages() {
	_ = syscall.Madvise(make([]byte, largePages), syscall.MADV_HUGEPAGE)
	runtime.GC() // the heap takes its memory from there now
}
