package recent

import (
	"fmt"
	"testing"
)

func TestMapForgetsTheOldest(t *testing.T) {
	r := New[int, string](3)
	for i := range 5 {
		r.Put(i, fmt.Sprint(i))
		r.Put(i, fmt.Sprint(i))
	}
	if len(r.values) != 3 || r.values[4] != "4" || r.values[2] != "2" {
		t.Errorf("%v, want 2 to 4", r.values)
	}
	r.Put(2, "two")
	r.Put(5, "5")
	if _, there := r.Get(2); there || len(r.values) != 3 {
		t.Errorf("%v, want 3 to 5", r.values)
	}
}
