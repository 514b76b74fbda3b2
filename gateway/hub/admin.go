package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/gateway/fleet"
)

// ErrQuery is wrapped by errors for a query that makes no sense.
var ErrQuery = errors.New("query")

// A DeviceQuery selects devices, in order of their numbers.
type DeviceQuery struct {
	State    fleet.State // 0: any
	Product  string      // "": any
	Customer string
	Prefix   string // of the name
	Behind   string // a version: only devices that run an older one, or never told; "": any
	Silent   bool   // only devices that are not heard as they should be: silent, out of reach or dead
	After    string // cursor: what an earlier call returned as next
	Limit    int    // 1 to 1000; 0: 100
}

// pageMax is the largest page of any list.
const pageMax = 1000

func pageLimit(n int) int {
	if n <= 0 {
		return 100
	}
	return min(n, pageMax)
}

// afterNumber reads the cursor of a list by number: the last number of the page before, -1 if there is none.
func afterNumber(cursor string) (int64, error) {
	if cursor == "" {
		return -1, nil
	}
	n, err := strconv.ParseUint(cursor, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%w: cursor %q", ErrQuery, cursor)
	}
	return int64(n), nil
}

// Devices returns a page of devices and the cursor of the next page, "" at the end.
func (h *Hub) Devices(q DeviceQuery) ([]fleet.Device, string, error) {
	after, err := afterNumber(q.After)
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(q.Limit)
	numbers := h.numbers()
	start, _ := slices.BinarySearchFunc(numbers, after, func(n uint32, t int64) int { return cmp.Compare(int64(n), t+1) })
	h.mu.RLock()
	defer h.mu.RUnlock()
	now := h.clock.Now()
	var out []fleet.Device
	for _, number := range numbers[start:] {
		i, _ := h.fleet.ByNumber(number)
		head := h.fleet.Head(i)
		if q.State != 0 && head.State != q.State || q.Product != "" && head.Product != q.Product ||
			q.Customer != "" && head.Customer != q.Customer || q.Behind != "" && !h.behind(i, q.Behind) || q.Silent && !h.isSilent(i, now) {
			continue
		}
		d := h.fleet.Device(i)
		if !strings.HasPrefix(d.Name, q.Prefix) {
			continue
		}
		if len(out) == limit {
			return out, strconv.FormatUint(uint64(out[limit-1].Number), 10), nil
		}
		out = append(out, d)
	}
	return out, "", nil
}

// numbers are those of all devices, in order. It takes mu for writing: they may have to be put in order.
func (h *Hub) numbers() []uint32 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.fleet.Numbers()
}

// Counts returns the number of devices by state.
func (h *Hub) Counts() map[fleet.State]int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	counts := make(map[fleet.State]int)
	for _, s := range []fleet.State{fleet.Active, fleet.Pending, fleet.Rejected, fleet.Retired} {
		counts[s] = h.fleet.Count(s)
	}
	return counts
}

// Device finds a device by name, or by number if no device has that name. The error wraps fleet.ErrUnknownDevice.
func (h *Hub) Device(ref string) (fleet.Device, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	i, err := h.find(ref)
	if err != nil {
		return fleet.Device{}, err
	}
	return h.fleet.Device(i), nil
}

// find is Device's look-up; mu is held.
func (h *Hub) find(ref string) (fleet.Index, error) {
	if i, ok := h.fleet.ByName(ref); ok {
		return i, nil
	}
	if n, err := strconv.ParseUint(ref, 10, 32); err == nil {
		if i, ok := h.fleet.ByNumber(uint32(n)); ok {
			return i, nil
		}
	}
	return 0, fmt.Errorf("device %q: %w", ref, fleet.ErrUnknownDevice)
}

// Approve lets a pending device in, or one that was rejected or retired, and processes the frames that were kept for it.
func (h *Hub) Approve(ctx context.Context, ref string, a fleet.Approval) (fleet.Device, error) {
	return h.change(ctx, ref, "device.approve", approvalRemark(a), func(c *commit, i fleet.Index) error {
		if a.Product != "" && h.products[a.Product] == nil {
			return fmt.Errorf("%w: product %q is not configured: want one of %s", ErrQuery, a.Product, strings.Join(h.productNames(), ", "))
		}
		if err := h.fleet.Approve(i, a); err != nil {
			return err
		}
		if a.Product != "" {
			h.fleet.SetTemplate(i, 0, fleet.TemplateHash(h.products[a.Product].Template.Hash()))
		}
		for _, addr := range h.fleet.Device(i).Addresses {
			h.fleet.AcceptAddress(i, addr.Bearer, addr.ID)
		}
		h.know(i)
		h.stateEvent(c, i, "approved")
		return h.release(c, i)
	})
}

// approvalRemark says as what a device was let in.
func approvalRemark(a fleet.Approval) string {
	var parts []string
	if a.Product != "" {
		parts = append(parts, "product "+a.Product)
	}
	if a.Customer != "" {
		parts = append(parts, "customer "+a.Customer)
	}
	return strings.Join(parts, ", ")
}

// Reject refuses a device: its frames are counted and dropped from now on.
func (h *Hub) Reject(ctx context.Context, ref, reason string) (fleet.Device, error) {
	return h.dismiss(ctx, ref, "device.reject", reason, h.fleet.Reject)
}

// Retire takes a device out of service: nothing is expected of it or sent to it any more, and its frames are counted and dropped as those of one that was
// rejected.
func (h *Hub) Retire(ctx context.Context, ref, reason string) (fleet.Device, error) {
	return h.dismiss(ctx, ref, "device.retire", reason, h.fleet.Retire)
}

func (h *Hub) dismiss(ctx context.Context, ref, action, reason string, how func(fleet.Index, time.Time) error) (fleet.Device, error) {
	return h.change(ctx, ref, action, reason, func(c *commit, i fleet.Index) error {
		if err := how(i, h.clock.Now()); err != nil {
			return err
		}
		h.know(i)
		h.stateEvent(c, i, h.fleet.Head(i).State.String()+": "+reason)
		return nil
	})
}

// AcceptAddress lets downlinks that cost money go to an address that the device was heard from.
func (h *Hub) AcceptAddress(ctx context.Context, ref, bearer, id string) (fleet.Device, error) {
	return h.change(ctx, ref, "device.address", bearer+":"+id, func(c *commit, i fleet.Index) error {
		if !h.fleet.AcceptAddress(i, bearer, id) {
			return fmt.Errorf("%w: the device was never heard from %s:%s", ErrQuery, bearer, id)
		}
		c.wake = true // downlinks may wait for a way there
		return nil
	})
}

// GiveAddress makes an address one of the device's, and lets downlinks that cost money go there. A device that leaves out its connection id is
// unknown at an address that nobody gave it: after the loss of the whole store, and with a new SIM.
func (h *Hub) GiveAddress(ctx context.Context, ref, bearer, id string) (fleet.Device, error) {
	return h.change(ctx, ref, "device.address.give", bearer+":"+id, func(c *commit, i fleet.Index) error {
		if err := fleet.CheckAddress(bearer, id); err != nil {
			return fmt.Errorf("%w: %w", ErrQuery, err)
		}
		if !h.fleet.GiveAddress(i, bearer, id, h.clock.Now()) {
			return fmt.Errorf("%w: no room for %s:%s: the device has %d accepted addresses, or %d devices have this one", ErrQuery, bearer, id,
				fleet.AddressesMax, fleet.CandidatesMax)
		}
		c.batch.PutAddress(bearer, id, h.fleet.Head(i).Number)
		c.wake = true
		return nil
	})
}

// change does something to a device, and writes down who wanted it.
func (h *Hub) change(ctx context.Context, ref, action, remark string, f func(*commit, fleet.Index) error) (fleet.Device, error) {
	var d fleet.Device
	err := h.do(ctx, func(c *commit) error {
		i, err := h.find(ref)
		if err != nil {
			return err
		}
		if err := f(c, i); err != nil {
			return err
		}
		c.touch(i)
		d = h.fleet.Device(i)
		h.authorised(c, ActorOf(ctx), action, d.Name, remark)
		return nil
	})
	return d, err
}

func (h *Hub) stateEvent(c *commit, i fleet.Index, how string) {
	e := h.gatewayEvent(c, i, KindRegistered, h.clock.Now())
	e.payload = appendTextMember(e.payload, "state", h.fleet.Head(i).State.String())
	e.payload = appendTextMember(e.payload, "how", how)
	h.emit(c, nil, e)
}

func (h *Hub) productNames() []string {
	return slices.Sorted(maps.Keys(h.products))
}
