package codec

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fxamacker/cbor/v2"
)

// An Open is a status as a CBOR map with integer keys, for devices without a template. Key 0 is the time as Unix seconds, key 1 a sequence; what
// the other keys mean is agreed between a device and who reads its events.
type Open struct {
	Fields map[int64]any
}

// AppendOpen appends the plaintext of an open status: its type and the map, in deterministic encoding. What DecodeOpen would refuse is an error.
func AppendOpen(dst []byte, o *Open) ([]byte, error) {
	b, err := encMode.Marshal(o.Fields)
	if err != nil {
		return dst, fmt.Errorf("encode an open status: %w", err)
	}
	if _, err := DecodeOpen(b); err != nil {
		return dst, fmt.Errorf("encode an open status: %w", err)
	}
	return append(append(dst, byte(MessageOpen)), b...), nil
}

// DecodeOpen reads the body of an open status.
func DecodeOpen(body []byte) (Open, error) {
	var fields map[intKey]any
	if err := decMode.Unmarshal(body, &fields); err != nil {
		return Open{}, fmt.Errorf("open status: %w: %w", ErrMalformed, err)
	}
	if !isMap(body) {
		return Open{}, fmt.Errorf("open status: not a map: %w", ErrMalformed)
	}
	o := Open{Fields: make(map[int64]any, len(fields))}
	for k, v := range fields {
		o.Fields[int64(k)] = v
	}
	return o, nil
}

// JSON gives the map as a JSON object in the order of its keys. Byte strings become base64 (RFC 4648 §4).
func (o *Open) JSON() ([]byte, error) {
	keys := make([]int64, 0, len(o.Fields))
	for k := range o.Fields {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	out := []byte{'{'}
	for i, k := range keys {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(strconv.AppendQuote(out, strconv.FormatInt(k, 10)), ':')
		v, err := json.Marshal(jsonable(o.Fields[k]))
		if err != nil {
			return nil, fmt.Errorf("open status: field %d: %w", k, err)
		}
		out = append(out, v...)
	}
	return append(out, '}'), nil
}

// jsonable turns what CBOR can say and JSON cannot into what is nearest.
func jsonable(v any) any {
	switch v := v.(type) {
	case []byte:
		return base64.StdEncoding.EncodeToString(v)
	case cbor.ByteString:
		return jsonable(v.Bytes())
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = jsonable(v[i])
		}
		return out
	case map[any]any:
		return jsonableMap(v)
	default:
		return v
	}
}

// jsonableMap gives an object, or, where two keys look alike in JSON (1 and "1"), a list of pairs in the order of their CBOR encoding.
func jsonableMap(m map[any]any) any {
	object := make(map[string]any, len(m))
	for k, e := range m {
		object[fmt.Sprint(jsonable(k))] = jsonable(e)
	}
	if len(object) == len(m) {
		return object
	}
	type pair struct {
		order string
		entry [2]any
	}
	pairs := make([]pair, 0, len(m))
	for k, e := range m {
		b, err := encMode.Marshal(k)
		if err != nil {
			b = nil // what was decoded can be encoded; without it only the order is lost
		}
		pairs = append(pairs, pair{string(b), [2]any{jsonable(k), jsonable(e)}})
	}
	slices.SortFunc(pairs, func(a, b pair) int { return strings.Compare(a.order, b.order) })
	out := make([][2]any, len(pairs))
	for i := range pairs {
		out[i] = pairs[i].entry
	}
	return out
}
