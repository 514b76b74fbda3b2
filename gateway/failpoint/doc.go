// Package failpoint ends the process at a chosen place of its work, as a power cut of the process would, so that a test can prove what is
// found afterwards.
//
// Only programs built with the tag failpoints have it: in others [Pass] is an empty function, which the compiler removes, and nothing looks at
// the environment. With the tag, GODWIT_FAILPOINT=name:n kills the process with SIGKILL when it comes past the point of that name for the
// n-th time. No deferred function runs, no buffer is flushed.
//
// The pure packages have no failpoints: what they do is over when they return, and is covered by the points around it.
package failpoint
