package hub

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/store"
)

// An ImportResult says what an import did, or would do.
type ImportResult struct {
	Rows   int
	Errors []fleet.RowError
	Done   bool // the devices are stored
}

// Import takes devices in, all or none: with any error, or as a dry run, nothing is stored.
func (h *Hub) Import(ctx context.Context, rows []fleet.ImportRow, dryRun bool) (ImportResult, error) {
	res := ImportResult{Rows: len(rows)}
	err := h.do(ctx, func(c *commit) error {
		wrapped := h.importable(rows, &res)
		if dryRun || len(res.Errors) > 0 {
			return nil
		}
		for k := range rows {
			if err := h.importRow(c, &rows[k], wrapped[k]); err != nil {
				return fmt.Errorf("%w: import line %d: %w", ErrFatal, rows[k].Line, err)
			}
		}
		res.Done = true
		h.authorised(c, ActorOf(ctx), "device.import", fmt.Sprintf("%d devices", len(rows)), "")
		return nil
	})
	return res, err
}

// importable finds all that stands against the rows before the first is written, and wraps their keys.
func (h *Hub) importable(rows []fleet.ImportRow, res *ImportResult) (wrapped [][]byte) {
	wrapped = make([][]byte, len(rows))
	numbers, names := make(map[uint32]int, len(rows)), make(map[string]int, len(rows))
	for k := range rows {
		row := &rows[k]
		d := &row.Device
		if row.Malformed {
			if err := h.importableMalformed(row); err != nil {
				res.Errors = append(res.Errors, fleet.RowError{Line: row.Line, Err: err})
			}
			continue
		}
		errs := []error{h.importableRow(row)}
		if other, ok := numbers[d.Number]; ok {
			errs = append(errs, fmt.Errorf("number %d stands in line %d too", d.Number, other))
		}
		if other, ok := names[d.Name]; ok {
			errs = append(errs, fmt.Errorf("name %q stands in line %d too", d.Name, other))
		}
		numbers[d.Number], names[d.Name] = row.Line, row.Line
		if row.Key != nil {
			var err error
			if wrapped[k], err = h.wrapKey(row); err != nil {
				errs = append(errs, err)
			}
		}
		if err := errors.Join(errs...); err != nil {
			res.Errors = append(res.Errors, fleet.RowError{Line: row.Line, Err: err})
		}
	}
	return wrapped
}

// wrapKey wraps a row's own key with where it comes from.
func (h *Hub) wrapKey(row *fleet.ImportRow) ([]byte, error) {
	origin := store.OriginFactory
	if row.Origin != "" {
		var err error
		if origin, err = store.ParseOrigin(row.Origin); err != nil {
			return nil, err
		}
	}
	wrapped, err := h.kek.Wrap(row.Device.Number, keyVersion, origin, row.Key)
	if err != nil {
		return nil, fmt.Errorf("wrap the key: %w", err)
	}
	return wrapped, nil
}

func (h *Hub) importableRow(row *fleet.ImportRow) error {
	d := &row.Device
	errs := []error{d.Validate(), h.importableKey(row)}
	if d.Number == 0 {
		errs = append(errs, errors.New("number 0: want 1 to 4294967295"))
	}
	return errors.Join(append(errs, h.importableNames(d))...)
}

// importableMalformed finds what stands against a row beyond what could not be read of it.
func (h *Hub) importableMalformed(row *fleet.ImportRow) error {
	d := &row.Device
	var errs []error
	if d.Number > 0 && d.KeySource != "" {
		errs = append(errs, h.importableKey(row))
	}
	return errors.Join(append(errs, h.importableNames(d))...)
}

// importableNames finds what stands against a device's number, name and product.
func (h *Hub) importableNames(d *fleet.Device) error {
	var errs []error
	if i, ok := h.fleet.ByNumber(d.Number); !ok || !h.keyless(i, d.Name) {
		if ok {
			errs = append(errs, fmt.Errorf("number %d: %w", d.Number, fleet.ErrNumberTaken))
		}
		if _, ok := h.fleet.ByName(d.Name); ok {
			errs = append(errs, fmt.Errorf("name %q: %w", d.Name, fleet.ErrNameTaken))
		}
	}
	if h.products[d.Product] == nil {
		errs = append(errs, fmt.Errorf("product %q is not configured: want one of %s", d.Product, strings.Join(h.productNames(), ", ")))
	}
	return errors.Join(errs...)
}

// importableKey finds what stands against a row's key. No error repeats a key.
func (h *Hub) importableKey(row *fleet.ImportRow) error {
	id, derived := strings.CutPrefix(row.Device.KeySource, fleet.FleetKeyPrefix)
	switch {
	case derived && row.Key != nil:
		return fmt.Errorf("a key of its own and fleet key %q: want one of them", id)
	case derived:
		k := h.fleetKeyByID(id)
		if k == nil {
			return fmt.Errorf("fleet key %q is not configured", id)
		}
		if !k.Covers(row.Device.Number) {
			return fmt.Errorf("fleet key %q is for the numbers %d to %d", id, k.First, k.Last)
		}
	case row.Key == nil:
		return errors.New("no key")
	case *row.Key == [32]byte{}:
		return errors.New("the key is all zero")
	}
	return nil
}

// keyless reports whether the device has this name and no key at hand, as one has that came back from the stream after the store was lost:
// importing it again gives it its key, and leaves its counters.
func (h *Hub) keyless(i fleet.Index, name string) bool {
	return !h.fleet.Head(i).Keyed && string(h.fleet.AppendName(nil, i)) == name
}

// importRow adds a device that nothing stands against.
func (h *Hub) importRow(c *commit, row *fleet.ImportRow, wrapped []byte) error {
	d := row.Device
	d.Slots[0] = fleet.TemplateHash(h.products[d.Product].Template.Hash())
	i, known := h.fleet.ByNumber(d.Number)
	if !known {
		var err error
		if i, err = h.fleet.Add(d); err != nil {
			return err
		}
	}
	if (row.Moved || h.forgot || h.disowned) && !known {
		// What the other gateway said to the device after the export is not known, nor what this one did that its store forgot.
		g := h.fleet.Session(i)
		h.doubt(&g, h.clock.Now())
		h.fleet.SetSession(i, &g, nil)
	}
	h.know(i)
	c.touch(i)
	c.batch.PutName(d.Name, d.Number)
	for _, a := range d.Addresses {
		c.batch.PutAddress(a.Bearer, a.ID, d.Number)
	}
	if row.Key != nil {
		c.batch.PutKey(d.Number, keyVersion, wrapped)
		h.fleet.SetKey(i, row.Key)
	} else {
		h.loadKey(i)
	}
	e := h.gatewayEvent(c, i, KindRegistered, h.clock.Now())
	e.payload = appendTextMember(e.payload, "state", d.State.String())
	e.payload = appendTextMember(e.payload, "how", "import")
	h.emit(c, nil, e)
	return nil
}
