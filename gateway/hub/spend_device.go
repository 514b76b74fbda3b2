package hub

import (
	"strconv"

	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// A DeviceSpend is what a device spent over a link in a month.
type DeviceSpend struct {
	Name string `json:"name"`
	ledger.DeviceTotal
}

// A DeviceSpendFilter is what is asked about: the link, and the customer and product that devices are of now, of those that are not "".
type DeviceSpendFilter struct{ Customer, Product, Link string }

func (h *Hub) takesSpend(f *DeviceSpendFilter, t *ledger.DeviceTotal) bool {
	if f.Link != "" && t.Link != f.Link {
		return false
	}
	if f.Customer == "" && f.Product == "" {
		return true
	}
	i, ok := h.fleet.ByNumber(t.Device)
	if !ok {
		return false
	}
	d := h.fleet.Head(i)
	return (f.Customer == "" || d.Customer == f.Customer) && (f.Product == "" || d.Product == f.Product)
}

// DeviceSpends returns a page of what devices spent in a month, by number, and the cursor of the next. A page may hold some more than the limit:
// the links of a device are not torn apart.
func (h *Hub) DeviceSpends(at tariff.Month, only DeviceSpendFilter, cursor string, limit int) (list []DeviceSpend, next string, err error) {
	after, err := afterNumber(cursor)
	if err != nil {
		return nil, "", err
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	if at == 0 {
		at = tariff.MonthOf(h.core.Local(h.clock.Now()))
	}
	for t := range h.core.Ledger().Devices(at) {
		if int64(t.Device) <= after || !h.takesSpend(&only, &t) {
			continue
		}
		if n := len(list); n >= pageLimit(limit) && list[n-1].Device != t.Device {
			return list, strconv.FormatUint(uint64(list[n-1].Device), 10), nil
		}
		list = append(list, DeviceSpend{h.nameOf(t.Device), t})
	}
	return list, "", nil
}
