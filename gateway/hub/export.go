package hub

import (
	"encoding/base64"
	"fmt"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/store"
)

// TransferVersion is the key version that a key is wrapped with for a transfer. No key row has it, so neither can be passed off as the other.
const TransferVersion = 1<<32 - 1

// exportChunk is how many devices are read at a time, so that the data path does not wait for all of them.
const exportChunk = 256

// Export gives the active devices as rows for another gateway, their keys wrapped by the transfer key. Devices of a fleet key name it, unless
// expand asks for the keys derived for them. A device without a key at hand is left out, and counted.
func (h *Hub) Export(transfer *store.KEK, expand bool) (rows []fleet.ExportRow, keyless int, err error) {
	numbers := h.numbers()
	for len(numbers) > 0 && err == nil {
		n := min(len(numbers), exportChunk)
		rows, keyless, err = h.exportChunk(rows, numbers[:n], keyless, transfer, expand)
		numbers = numbers[n:]
	}
	return rows, keyless, err
}

func (h *Hub) exportChunk(rows []fleet.ExportRow, numbers []uint32, keyless int, transfer *store.KEK, expand bool) ([]fleet.ExportRow, int, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, number := range numbers {
		i, ok := h.fleet.ByNumber(number)
		if !ok || h.fleet.Head(i).State != fleet.Active {
			continue
		}
		row := fleet.ExportRow{Device: h.fleet.Device(i)}
		if row.Device.KeySource != fleet.KeyOwn && !expand {
			row.Key = row.Device.KeySource
			rows = append(rows, row)
			continue
		}
		key, err := h.deviceKey(i)
		if err != nil {
			keyless++
			continue
		}
		origin, err := h.origin(&row.Device)
		if err != nil {
			return nil, 0, err
		}
		wrapped, err := transfer.Wrap(number, TransferVersion, origin, &key)
		clear(key[:])
		if err != nil {
			return nil, 0, fmt.Errorf("wrap the key of device %d: %w", number, err)
		}
		row.Key, row.Origin = fleet.SealedKeyPrefix+base64.RawURLEncoding.EncodeToString(wrapped), origin.String()
		rows = append(rows, row)
	}
	return rows, keyless, nil
}

// origin is where a device's key comes from.
func (h *Hub) origin(d *fleet.Device) (store.Origin, error) {
	if d.KeySource != fleet.KeyOwn {
		return store.OriginFleet, nil
	}
	wrapped, _, err := h.store.Key(d.Number, keyVersion)
	if err != nil {
		return 0, fmt.Errorf("read the key of device %d: %w", d.Number, err)
	}
	return store.KeyOrigin(wrapped), nil
}
