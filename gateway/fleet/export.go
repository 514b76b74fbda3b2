package fleet

import (
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
)

// TransferColumns are the columns of an import file that a gateway writes when it exports devices: where the key is from, and where the device
// is in its conversation. Those of the conversation stand together or not at all.
const TransferColumns = "origin,epoch,salt,counter,boot"

// SealedKeyPrefix leads a key that is wrapped for a transfer, in base64url.
const SealedKeyPrefix = "sealed:"

// An ExportRow is one device as another gateway can import it. Key is as in an import file, never the key itself.
type ExportRow struct {
	Device Device
	Key    string // SealedKeyPrefix and the wrapped key, or FleetKeyPrefix and the id of a fleet key
	Origin string
}

// WriteExport writes an import file.
func WriteExport(w io.Writer, rows []ExportRow) error {
	cw := csv.NewWriter(w)
	if err := cw.Write(strings.Split(ImportColumns+","+TransferColumns, ",")); err != nil {
		return err
	}
	for i := range rows {
		d := &rows[i].Device
		e := &d.Session.Current
		counter := ""
		if e.Counters.Seen {
			counter = strconv.FormatUint(e.Counters.Highest, 10)
		}
		if err := cw.Write([]string{
			utoa(d.Number), d.Name, d.Product, d.Customer, rows[i].Key, d.Accepted("sms"), d.Accepted("sbd"), d.Accepted("idp"), utoa(uint32(d.CTRBits)), utoa(uint32(d.TagLen)),
			rows[i].Origin, utoa(e.Number), hex.EncodeToString(e.SaltBytes()), counter, utoa(d.Session.Boot),
		}); err != nil {
			return err
		}
	}
	cw.Flush()
	return cw.Error()
}

var origins = []string{"", "factory", "fleet", "enrolled"}

// setTransfer reads the TransferColumns. What the other gateway took is never taken here: the counters begin above it.
func (row *ImportRow) setTransfer(get func(string) string) error {
	var errs []error
	row.Origin = strings.Clone(get("origin"))
	if !slices.Contains(origins, row.Origin) {
		errs = append(errs, fmt.Errorf("origin %q: want factory, fleet or enrolled", row.Origin))
	}
	if get("epoch") == "" && get("salt") == "" && get("counter") == "" && get("boot") == "" {
		return errors.Join(errs...)
	}
	row.Moved = true
	g := &row.Device.Session
	epoch, err1 := strconv.ParseUint(get("epoch"), 10, 32)
	boot, err2 := strconv.ParseUint(get("boot"), 10, 32)
	if err1 != nil || err2 != nil {
		errs = append(errs, fmt.Errorf("epoch %q, boot %q: want 0 to 4294967295", get("epoch"), get("boot")))
	}
	g.Current.Number, g.Allocated, g.Boot = uint32(epoch), uint32(epoch), uint32(boot)
	salt, err := hex.DecodeString(get("salt"))
	if err != nil || epoch == 0 && len(salt) > 0 || epoch > 0 && len(salt) != session.SaltLen {
		errs = append(errs, errors.New("salt: want 32 hexadecimal digits, and none in epoch 0"))
	}
	copy(g.Current.Salt[:], salt)
	if s := get("counter"); s != "" {
		counter, err := strconv.ParseUint(s, 10, 64)
		if err != nil || counter > codec.CounterMax {
			errs = append(errs, fmt.Errorf("counter %q: want 0 to %d", s, uint64(codec.CounterMax)))
		}
		g.Current.Counters = session.Counters{Highest: counter, Floor: counter + 1, Seen: true}
	}
	return errors.Join(errs...)
}
