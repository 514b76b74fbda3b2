package verdict_test

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"testing"

	"github.com/godwit-gateway/godwit/gateway/rollout/verdict"
)

//go:embed testdata/judge-1.gz
var judge1 []byte

// A Judge that was written before groups were set aside and falls were counted is read: none is aside, and there were no falls that it knows of. It is the
// one of 40 devices that begin a day after the start, of which 4 are silent and one reports a failure, 29 hours later.
func TestVersion1(t *testing.T) {
	r, err := gzip.NewReader(bytes.NewReader(judge1))
	if err != nil {
		t.Fatal(err)
	}
	old, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	read, err := verdict.Restore(old)
	if err != nil {
		t.Fatal(err)
	}
	for i, j := range []*verdict.Judge{read, restored(t, read)} {
		v := j.Verdict()
		g := v.Groups[0]
		if v.Action != verdict.Halt || v.Halted != 1700087400 || len(v.Groups) != 2 || g.Started != 40 || g.Resolved != 36 || g.Silent != 4 || g.Failed != 1 ||
			g.Halted != 1700087400 || g.Aside || v.Groups[1].Aside || v.Groups[1].Started != 0 {
			t.Errorf("%d: %+v", i, v)
		}
		falls := 0
		for _, s := range j.Survival() {
			falls += s.Silent
		}
		if falls != 0 {
			t.Errorf("%d: %d falls", i, falls)
		}
		j.SetAside(start+3*day, g.Group)
		if !j.Verdict().Groups[0].Aside {
			t.Errorf("%d: it cannot be set aside", i)
		}
	}
	for n := range 2 { // versions that nobody wrote
		bad := bytes.Clone(old)
		state := 4 + (int(bad[0])<<24 | int(bad[1])<<16 | int(bad[2])<<8 | int(bad[3])) + 4
		bad[state] = byte(3 * n)
		if _, err := verdict.Restore(bad); err == nil {
			t.Errorf("a state of version %d is read", 3*n)
		}
	}
}
