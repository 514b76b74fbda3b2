package transporttest

import (
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
)

// ReadsTheEnd checks that whoever attaches to a line reads its end, whether the line is lost before that, meanwhile or after. open returns a fresh line:
// how it is lost, and how a reader attaches.
func ReadsTheEnd(t *testing.T, open func() (lose func(), attach func() io.Reader)) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(lose func(), attach func() io.Reader) io.Reader
	}{
		{"before", func(lose func(), attach func() io.Reader) io.Reader {
			lose()
			return attach()
		}},
		{"meanwhile", func(lose func(), attach func() io.Reader) io.Reader {
			var wg sync.WaitGroup
			wg.Go(lose)
			defer wg.Wait()
			return attach()
		}},
		{"after", func(lose func(), attach func() io.Reader) io.Reader {
			defer lose()
			return attach()
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // a reader that nobody ends is a deadlock here
				for range 200 {
					if n, err := c.run(open()).Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
						t.Fatalf("the reader was given %d bytes and %v, want the end", n, err)
					}
				}
			})
		})
	}
}
