package main

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/godwit-gateway/godwit/gateway/api"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/store"
)

type deviceExportCmd struct {
	File    string `arg:"" help:"CSV file to make; it must not be there yet." type:"path"`
	KeyFile string `name:"transfer-key-file" required:"" type:"path" help:"File of the key that wraps the devices' keys, 32 bytes; made if it is missing."`
	Expand  bool   `help:"Also wrap the keys that are derived from fleet keys, for a gateway that does not have the fleet keys."`
}

// Help explains.
func (deviceExportCmd) Help() string {
	return `Writes the active devices as a file for godwit device import at another gateway: names, addresses, where each is in its
conversation, and its key, wrapped by the transfer key (AES-256-GCM). Carry the two files by different ways, and stop the
one gateway before the other imports: a device has one home.

Example:
  godwit device export fleet.csv --transfer-key-file transfer.key
  godwit device import fleet.csv --transfer-key-file transfer.key     # there`
}

// Run exports.
func (c *deviceExportCmd) Run(e *env) error {
	client, err := e.client()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(c.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	key, err := store.ReadKEK(c.KeyFile, true)
	var r api.ExportResult
	if err == nil {
		defer clear(key)
		err = client.Post(e.ctx, "/devices/export", nil, api.ExportRequest{TransferKey: hex.EncodeToString(key), Expand: c.Expand}, &r)
	}
	if err == nil {
		_, err = f.WriteString(r.CSV)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("export: %w", err), os.Remove(c.File))
	}
	r.CSV = ""
	return e.print(r, "", func(row func(...any)) {
		row(fmt.Sprintf("%d devices exported, their keys wrapped by %s", r.Devices, c.KeyFile))
		if r.Keyless > 0 {
			row(fmt.Sprintf("%d left out: their keys are not at hand", r.Keyless))
		}
	})
}

// unsealKeys replaces the wrapped keys of an import file by the keys themselves, in memory, for the way to the gateway. Rows stay in their lines,
// which the gateway's errors name.
func unsealKeys(text []byte, kek *store.KEK) ([]byte, error) {
	r := csv.NewReader(bytes.NewReader(text))
	r.TrimLeadingSpace = true
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	number, key := -1, -1
	var errs []error
	at := 1 // the line that w writes next
	for first := true; ; first = false {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var pe *csv.ParseError
		if errors.As(err, &pe) && !first {
			errs = append(errs, fmt.Errorf("line %d: %w", pe.StartLine, pe.Err))
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read the import: %w", err)
		}
		line, _ := r.FieldPos(0)
		if first {
			if number, key = keyColumns(rec); number < 0 || key < 0 {
				return nil, fmt.Errorf("%w: line 1: want the columns number and key", errImport)
			}
		} else if sealed, ok := strings.CutPrefix(strings.TrimSpace(rec[key]), fleet.SealedKeyPrefix); ok {
			if rec[key], err = unsealKey(kek, strings.TrimSpace(rec[number]), sealed); err != nil {
				errs = append(errs, fmt.Errorf("line %d: %w", line, err))
				continue
			}
		}
		for ; at < line; at++ {
			_ = out.WriteByte('\n') // empty, or of a row that goes over several lines
		}
		if err := w.Write(rec); err != nil {
			return nil, fmt.Errorf("read the import: %w", err)
		}
		w.Flush()
		at += 1 + strings.Count(strings.Join(rec, ""), "\n")
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("%w:\n%w", errImport, errors.Join(errs...))
	}
	return out.Bytes(), w.Error()
}

// keyColumns finds the columns of the number and of the key; −1: there is none.
func keyColumns(header []string) (number, key int) {
	is := func(name string) int {
		return slices.IndexFunc(header, func(h string) bool { return fleet.ImportColumn(h) == name })
	}
	return is("number"), is("key")
}

var errTransferKey = errors.New("wrapped by another transfer key")

func unsealKey(kek *store.KEK, number, sealed string) (string, error) {
	n, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		return "", fmt.Errorf("number %q: want 0 to 4294967295", number)
	}
	wrapped, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return "", errors.New("key: damaged")
	}
	k, err := kek.Unwrap(uint32(n), hub.TransferVersion, wrapped)
	defer clear(k[:])
	if errors.Is(err, store.ErrWrongKEK) {
		return "", fmt.Errorf("key: %w", errTransferKey)
	}
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(k[:]), nil
}
