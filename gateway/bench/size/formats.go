package size

import (
	"fmt"
	"math"

	"github.com/fxamacker/cbor/v2"
	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/godwit-gateway/godwit/codec"
)

// A format writes statuses in full, as is usual where nothing is known of the ones before.
type format struct {
	name string
	slow bool                                                             // is measured on a sample
	many func(t *codec.Template, statuses []codec.Status) ([]byte, error) // as one message
}

// versions stand for the version index where a format has it as text.
func version(s *codec.Status) string { return fmt.Sprintf("2.4.%d", s.Rare.VersionIndex) }

// withVersions gives each status the version that is in force: formats without memory say it in each.
func withVersions(statuses []codec.Status) []codec.Status {
	out := append([]codec.Status(nil), statuses...)
	index := uint8(1)
	for i := range out {
		if out[i].Rare.Present {
			index = out[i].Rare.VersionIndex
		}
		out[i].Rare.VersionIndex = index
	}
	return out
}

// appendJSON is an object with the names of fields, the time as Unix seconds, numbers in as many digits as they have.
func appendJSON(b []byte, t *codec.Template, s *codec.Status) []byte {
	b = fmt.Appendf(b, `{"time":%d`, s.Time.Unix())
	for i := range t.Fields() {
		if f, v := &t.Fields()[i], s.Values[i]; v.State != codec.NotMeasured {
			b = fmt.Appendf(b, `,%q:`, f.Name)
			b = codec.AppendDecimal(b, f, v.Raw)
		}
	}
	return fmt.Appendf(b, `,"version":%q}`, version(s))
}

func manyJSON(t *codec.Template, statuses []codec.Status) ([]byte, error) {
	if len(statuses) == 1 {
		return appendJSON(nil, t, &statuses[0]), nil
	}
	b := []byte{'['}
	for i := range statuses {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSON(b, t, &statuses[i])
	}
	return append(b, ']'), nil
}

var cborMode = func() cbor.EncMode {
	m, err := cbor.EncOptions{Sort: cbor.SortBytewiseLexical, ShortestFloat: cbor.ShortestFloat16}.EncMode()
	if err != nil {
		panic("size: " + err.Error()) // our options are wrong
	}
	return m
}()

// senML is a record of RFC 8428 with the labels of its CBOR form.
type senML struct {
	BaseTime int64  `cbor:"-3,keyasint,omitempty"`
	Name     string `cbor:"0,keyasint"`
	Unit     string `cbor:"1,keyasint,omitempty"`
	Value    any    `cbor:"2,keyasint,omitempty"`
	Text     string `cbor:"3,keyasint,omitempty"`
}

// shortest is the value as an integer, or as the shortest floating-point number that its step can be told from.
func shortest(f *codec.Field, v codec.Value) any {
	x := f.Float(v)
	if x == math.Trunc(x) && math.Abs(x) < 1<<53 {
		return int64(x)
	}
	if short := float32(x); f.Quantize(float64(short)) == v {
		return short
	}
	return x
}

func manySenML(t *codec.Template, statuses []codec.Status) ([]byte, error) {
	var records []senML
	for i := range statuses {
		s := &statuses[i]
		first := len(records)
		for j := range t.Fields() {
			if f, v := &t.Fields()[j], s.Values[j]; v.State != codec.NotMeasured {
				records = append(records, senML{Name: f.Name, Unit: f.Unit, Value: shortest(f, v)})
			}
		}
		records = append(records, senML{Name: "version", Text: version(s)})
		records[first].BaseTime = s.Time.Unix()
	}
	return cborMode.Marshal(records) //nolint:wrapcheck // measure wraps it
}

// manyCBOR is a map with integer keys for each status: the time, the fields in steps, the version index.
func manyCBOR(t *codec.Template, statuses []codec.Status) ([]byte, error) {
	list := make([]map[int]int64, len(statuses))
	for i := range statuses {
		s := &statuses[i]
		m := map[int]int64{0: s.Time.Unix(), len(t.Fields()) + 1: int64(s.Rare.VersionIndex)}
		for j, v := range s.Values {
			if v.State != codec.NotMeasured {
				m[j+1] = v.Raw
			}
		}
		list[i] = m
	}
	if len(list) == 1 {
		return cborMode.Marshal(list[0]) //nolint:wrapcheck // measure wraps it
	}
	return cborMode.Marshal(list) //nolint:wrapcheck // measure wraps it
}

// appendProtobuf is a message with the time as fixed32, the fields in steps as sint64 and the version index as uint32.
func appendProtobuf(b []byte, s *codec.Status) []byte {
	b = protowire.AppendTag(b, 1, protowire.Fixed32Type)
	b = protowire.AppendFixed32(b, uint32(s.Time.Unix())) //nolint:gosec // until 2106
	for j, v := range s.Values {
		if v.State != codec.NotMeasured {
			b = protowire.AppendTag(b, protowire.Number(j+2), protowire.VarintType)
			b = protowire.AppendVarint(b, protowire.EncodeZigZag(v.Raw))
		}
	}
	b = protowire.AppendTag(b, protowire.Number(len(s.Values)+2), protowire.VarintType) //nolint:gosec // at most 60 fields
	return protowire.AppendVarint(b, uint64(s.Rare.VersionIndex))
}

func manyProtobuf(_ *codec.Template, statuses []codec.Status) ([]byte, error) {
	if len(statuses) == 1 {
		return appendProtobuf(nil, &statuses[0]), nil
	}
	var b []byte
	for i := range statuses {
		b = protowire.AppendTag(b, 1, protowire.BytesType)
		b = protowire.AppendBytes(b, appendProtobuf(nil, &statuses[i]))
	}
	return b, nil
}

// manyPacked is a keyframe for each status, each behind its length if there are several.
func manyPacked(t *codec.Template, statuses []codec.Status) ([]byte, error) {
	var b []byte
	for i := range statuses {
		s := statuses[i]
		if !s.Rare.Present {
			s.Rare = codec.Rare{} // the version in force is not said again
		}
		one, _, err := t.AppendKeyframe(nil, 0, &s)
		if err != nil {
			return nil, err //nolint:wrapcheck // measure wraps it
		}
		if len(statuses) > 1 {
			b = append(b, byte(len(one)))
		}
		b = append(b, one...)
	}
	return b, nil
}

// dictionaryID is the shortest that is written.
const dictionaryID = 1

// withZstd is a format compressed with a dictionary that was trained on statuses of it.
func withZstd(name string, plain format, t *codec.Template, statuses []codec.Status) (format, error) {
	var samples [][]byte
	var history []byte
	for i := range statuses {
		b, err := plain.many(t, statuses[i:i+1])
		if err != nil {
			return format{}, err
		}
		if i%max(len(statuses)/sampled, 1) == 0 {
			samples = append(samples, b)
		}
		if len(history) < 8<<10 {
			history = append(history, b...)
		}
	}
	options := []zstd.EOption{zstd.WithEncoderCRC(false), zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(1)}
	dictionary := zstd.WithEncoderDictRaw(0, history)
	if dict, err := zstd.BuildDict(zstd.BuildDictOptions{ID: dictionaryID, Contents: samples, History: history, Offsets: [3]int{1, 4, 8}, Level: zstd.SpeedFastest}); err == nil {
		dictionary = zstd.WithEncoderDict(dict)
	}
	enc, err := zstd.NewWriter(nil, append(options, dictionary)...)
	if err != nil {
		return format{}, fmt.Errorf("zstd: %w", err)
	}
	return format{name: name, slow: true, many: func(t *codec.Template, statuses []codec.Status) ([]byte, error) {
		b, err := plain.many(t, statuses)
		return enc.EncodeAll(b, nil), err
	}}, nil
}

// formats of a template, in the order of the output. The first is JSON.
func formats(t *codec.Template, trained []codec.Status) ([]format, error) {
	list := []format{
		{name: "json", many: manyJSON},
		{name: "senml_cbor", many: manySenML},
		{name: "cbor", many: manyCBOR},
		{name: "protobuf", many: manyProtobuf},
		{name: "packed_absolute", many: manyPacked},
	}
	for _, z := range []struct {
		name string
		of   int
	}{{"zstd_json", 0}, {"zstd_cbor", 2}} {
		f, err := withZstd(z.name, list[z.of], t, trained)
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, nil
}
