package fleet

import (
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// ImportColumns is the header line of an import file. Columns may stand in any order; msisdn, imei, mobile_id, ctr_bits
// and tag may be left out.
const ImportColumns = "number,name,product,customer,key,msisdn,imei,mobile_id,ctr_bits,tag"

// Limits of an import file.
const (
	importRowsMax   = 1_000_000
	importErrorsMax = 1000
	importLineMax   = 16 << 10 // bytes: a line of nothing but commas takes a hundred times its length
)

// Widths of the counter on air where a row names none. Networks that store messages hold them back for days: eight bits would not tell by how
// many frames.
const (
	defaultCTRBits  = 8
	heldBackCTRBits = 16
)

// An ImportRow is one device of an import file. Exactly one of Key and the device's key source "fleet:ID" is given.
type ImportRow struct {
	Line   int
	Device Device
	Key    *[32]byte // factory key; nil if the key is derived from a fleet key
	Origin string    // of the key: "" factory, or as another gateway exported it
	Moved  bool      // the session is that of another gateway

	Malformed bool // something in it could not be read: it is there only to be held against the fleet, for errors beyond that
}

// A RowError says what is wrong with a line of an import file.
type RowError struct {
	Line int
	Err  error
}

// Error implements error.
func (e RowError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns the cause.
func (e RowError) Unwrap() error { return e.Err }

// ParseImport reads an import file: comma-separated values (RFC 4180) with a header line of ImportColumns. key is 64 hexadecimal digits, or
// "fleet:ID" for a device whose key is derived from that fleet key. A file with any row error is not to be imported at all.
func ParseImport(r io.Reader) ([]ImportRow, []RowError) {
	rows, _, errs := ParseImportWhole(r)
	return rows, errs
}

// ParseImportWhole is ParseImport that returns the malformed rows, too, with what could be read of them.
func ParseImportWhole(r io.Reader) (rows, malformed []ImportRow, errs []RowError) {
	cr := csv.NewReader(&boundedLines{r: r, line: 1})
	cr.ReuseRecord = true
	cr.TrimLeadingSpace = true
	header, err := cr.Read()
	if err != nil {
		return nil, nil, []RowError{{Line: 1, Err: fmt.Errorf("read the header line: %w", err)}}
	}
	columns, err := importColumns(header)
	if err != nil {
		return nil, nil, []RowError{{Line: 1, Err: err}}
	}
	p := importParser{columns: columns, numbers: make(map[uint32]int), names: make(map[string]int)}
	for len(p.errs) < importErrorsMax {
		rec, err := cr.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			line := 0
			var pe *csv.ParseError
			if errors.As(err, &pe) {
				line = pe.StartLine
			}
			p.errs = append(p.errs, RowError{Line: line, Err: err})
			if pe == nil {
				break // the reader failed, not the row
			}
			continue
		}
		line, _ := cr.FieldPos(0)
		if len(p.rows) >= importRowsMax {
			p.errs = append(p.errs, RowError{Line: line, Err: fmt.Errorf("more than %d rows: split the file", importRowsMax)})
			break
		}
		p.row(line, rec)
	}
	return p.rows, p.malformed, p.errs
}

// boundedLines reads lines up to importLineMax.
type boundedLines struct {
	r         io.Reader
	line, len int // of the line that is read
}

// Read implements io.Reader.
func (l *boundedLines) Read(b []byte) (int, error) {
	n, err := l.r.Read(b)
	for rest := b[:n]; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n')
		size := end
		if end < 0 {
			size = len(rest)
		}
		if l.len += size; l.len > importLineMax {
			return 0, fmt.Errorf("line %d has more than %d bytes", l.line, importLineMax)
		}
		if end < 0 {
			break
		}
		rest, l.len = rest[end+1:], 0
		l.line++
	}
	return n, err //nolint:wrapcheck // as the reader gave it
}

// ImportColumn is the name of a column as it stands in a header line: in any case, and behind the mark that some programs begin a file with.
func ImportColumn(h string) string {
	return strings.ToLower(strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")))
}

func importColumns(header []string) (map[string]int, error) {
	known := strings.Split(ImportColumns+","+TransferColumns, ",")
	if len(header) > len(known) {
		return nil, fmt.Errorf("%d columns: want some of %s", len(header), ImportColumns)
	}
	columns := make(map[string]int, len(header))
	var errs []error
	for i, h := range header {
		h = ImportColumn(h)
		if !slices.Contains(known, h) {
			errs = append(errs, fmt.Errorf("unknown column %q: want %s", h, ImportColumns))
		}
		if _, ok := columns[h]; ok {
			errs = append(errs, fmt.Errorf("column %q stands twice", h))
		}
		columns[h] = i
	}
	for _, h := range known[:5] {
		if _, ok := columns[h]; !ok {
			errs = append(errs, fmt.Errorf("column %q is missing", h))
		}
	}
	return columns, errors.Join(errs...)
}

type importParser struct {
	columns   map[string]int
	numbers   map[uint32]int // number -> line
	names     map[string]int
	rows      []ImportRow
	malformed []ImportRow
	errs      []RowError
}

func (p *importParser) row(line int, rec []string) {
	get := func(column string) string {
		if i, ok := p.columns[column]; ok {
			return strings.TrimSpace(rec[i])
		}
		return ""
	}
	row := ImportRow{Line: line, Device: Device{
		Name: strings.Clone(get("name")), Product: strings.Clone(get("product")), Customer: strings.Clone(get("customer")),
		State: Active, CTRBits: defaultCTRBits, TagLen: 8,
	}}
	var errs []error
	number, err := strconv.ParseUint(get("number"), 10, 32)
	if err != nil || number == 0 {
		errs = append(errs, fmt.Errorf("number %q: want 1 to 4294967295", get("number")))
	}
	row.Device.Number = uint32(number)
	errs = append(errs, row.setKey(get("key")))
	errs = append(errs, row.setAddresses(get))
	if len(row.Device.Addresses) > 0 {
		row.Device.CTRBits = heldBackCTRBits
	}
	errs = append(errs, optionalUint8(&row.Device.CTRBits, "ctr_bits", get("ctr_bits")), optionalUint8(&row.Device.TagLen, "tag", get("tag")))
	errs = append(errs, row.setTransfer(get))
	errs = append(errs, row.Device.Validate())
	if other, ok := p.numbers[row.Device.Number]; ok && err == nil {
		errs = append(errs, fmt.Errorf("number %d stands in line %d too", row.Device.Number, other))
	}
	if other, ok := p.names[row.Device.Name]; ok {
		errs = append(errs, fmt.Errorf("name %q stands in line %d too", row.Device.Name, other))
	}
	if _, ok := p.numbers[row.Device.Number]; !ok {
		p.numbers[row.Device.Number] = line
	}
	if _, ok := p.names[row.Device.Name]; !ok && row.Device.Name != "" {
		p.names[row.Device.Name] = line
	}
	if err := errors.Join(errs...); err != nil {
		row.Malformed = true
		p.malformed = append(p.malformed, row)
		p.errs = append(p.errs, RowError{Line: line, Err: err})
		return
	}
	p.rows = append(p.rows, row)
}

func (row *ImportRow) setKey(s string) error {
	if id, ok := strings.CutPrefix(s, FleetKeyPrefix); ok {
		if id == "" {
			return errors.New("key \"fleet:\": the id of the fleet key is missing")
		}
		row.Device.KeySource = strings.Clone(s)
		return nil
	}
	if strings.HasPrefix(s, SealedKeyPrefix) {
		return errors.New("key: it is wrapped: give the file of the transfer key (--transfer-key-file)")
	}
	// The value is a secret: no error repeats it.
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 32 {
		return errors.New("key: want 64 hexadecimal digits or fleet:ID")
	}
	if allZero(b) {
		return errors.New("key: all zero: an empty field of the list it comes from?")
	}
	row.Device.KeySource = KeyOwn
	row.Key = (*[32]byte)(b)
	return nil
}

func allZero(b []byte) bool { return !slices.ContainsFunc(b, func(c byte) bool { return c != 0 }) }

// addressColumns are the columns with addresses, and their bearers.
var addressColumns = []struct{ column, bearer string }{{"msisdn", "sms"}, {"imei", "sbd"}, {"mobile_id", "idp"}}

func (row *ImportRow) setAddresses(get func(string) string) error {
	var errs []error
	for _, c := range addressColumns {
		id := get(c.column)
		if id == "" {
			continue
		}
		errs = append(errs, CheckAddress(c.bearer, id))
		row.Device.Addresses = append(row.Device.Addresses, DeviceAddress{Bearer: c.bearer, ID: strings.Clone(id), Accepted: true})
	}
	return errors.Join(errs...)
}

// CheckAddress reports an address that people cannot give to a device: it is not well formed, or of a bearer on which addresses are learnt alone.
func CheckAddress(bearer, id string) error {
	switch bearer {
	case "sms":
		if rest, ok := strings.CutPrefix(id, "+"); !ok || !digits(rest, 7, 15) {
			return fmt.Errorf("msisdn %q: want + and 7 to 15 digits (E.164)", id)
		}
	case "sbd":
		if !digits(id, 15, 15) {
			return fmt.Errorf("imei %q: want 15 digits", id)
		}
	case "idp":
		if len(id) != 15 || !digits(id[:8], 8, 8) || strings.Trim(id[8:11], "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || strings.Trim(id[11:], "0123456789ABCDEF") != "" {
			return fmt.Errorf("mobile_id %q: want 8 digits, 3 letters and 4 hexadecimal digits, as 01234567SKYABCD", id)
		}
	default:
		return fmt.Errorf("bearer %q: want sms, sbd or idp", bearer)
	}
	return nil
}

func digits(s string, least, most int) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(s) >= least && len(s) <= most
}

func optionalUint8(dst *uint8, name, s string) error {
	if s == "" {
		return nil
	}
	v, err := strconv.ParseUint(s, 10, 8)
	if err != nil {
		return fmt.Errorf("%s %q: want a number", name, s)
	}
	*dst = uint8(v)
	return nil
}
