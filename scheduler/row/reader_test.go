package row_test

import (
	"encoding/binary"
	"testing"

	"github.com/godwit-gateway/godwit/scheduler/row"
)

func TestReader(t *testing.T) {
	b := binary.AppendUvarint([]byte{7, 0, 0, 1, 2}, 300)
	b = append(binary.AppendVarint(b, -5), 2, 'h', 'i', 9)
	r := row.Reader{Rest: b}
	if r.Byte() != 7 || r.Uint32() != 258 || r.Uvarint(300) != 300 || r.Varint() != -5 || r.Text(2) != "hi" || r.Done() || r.Take(1)[0] != 9 || !r.Done() {
		t.Errorf("%+v", r)
	}
	for what, take := range map[string]func(*row.Reader){
		"byte": func(r *row.Reader) { r.Byte() }, "uint32": func(r *row.Reader) { r.Uint32() }, "varint": func(r *row.Reader) { r.Varint() },
		"uvarint": func(r *row.Reader) { r.Uvarint(1) }, "take": func(r *row.Reader) { r.Take(1 << 63) }, "text": func(r *row.Reader) { r.Text(9) },
	} {
		r := row.Reader{}
		if take(&r); !r.Bad || r.Done() {
			t.Errorf("%s of nothing: %+v", what, r)
		}
	}
	if r := (row.Reader{Rest: []byte{2, 'h', 'i'}}); r.Text(1) != "" || !r.Bad || r.Rest != nil {
		t.Errorf("a longer text: %+v", r)
	}
	if r := (row.Reader{Rest: []byte{5, 5}}); r.Uvarint(4) != 0 || !r.Bad {
		t.Errorf("a larger number: %+v", r)
	}
}
