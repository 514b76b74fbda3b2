package store

import (
	"encoding/binary"
	"fmt"
)

// PutDevice writes a device's row. Its encoding belongs to package fleet.
func (b *Batch) PutDevice(number uint32, row []byte) {
	b.key = appendDeviceKey(b.key[:0], number)
	b.set(b.key, row)
}

// PutName makes a name lead to a device.
func (b *Batch) PutName(name string, number uint32) {
	b.key = appendNameKey(b.key[:0], name)
	b.value = append(b.value[:0], rowVersion)
	b.value = binary.BigEndian.AppendUint32(b.value, number)
	b.set(b.key, b.value)
}

// DeleteName forgets a name.
func (b *Batch) DeleteName(name string) {
	b.key = appendNameKey(b.key[:0], name)
	b.delete(b.key)
}

// PutAddress makes an address lead to a device. One address may lead to several.
func (b *Batch) PutAddress(bearer, id string, number uint32) {
	b.key = binary.BigEndian.AppendUint32(appendAddressPrefix(b.key[:0], bearer, id), number)
	b.set(b.key, nil)
}

// DeleteAddress forgets that an address leads to a device.
func (b *Batch) DeleteAddress(bearer, id string, number uint32) {
	b.key = binary.BigEndian.AppendUint32(appendAddressPrefix(b.key[:0], bearer, id), number)
	b.delete(b.key)
}

// PutKey writes a device key as [KEK.Wrap] gave it.
func (b *Batch) PutKey(number, version uint32, wrapped []byte) {
	b.key = appendWrappedKey(b.key[:0], number, version)
	b.set(b.key, wrapped)
}

// EachDevice calls f with every device row, by number. The row is valid until f returns. An error of f ends the walk.
func (s *Store) EachDevice(f func(number uint32, row []byte) error) error {
	return s.each(prefixDevice, func(key, value []byte) error {
		if len(key) != deviceKeySize {
			return fmt.Errorf("%w: device key %x", ErrRow, key)
		}
		return f(binary.BigEndian.Uint32(key[1:]), value)
	})
}

// DeviceRow reads one device's row.
func (s *Store) DeviceRow(number uint32) ([]byte, bool, error) {
	return s.get(appendDeviceKey(nil, number))
}

// NumberByName finds the device of a name.
func (s *Store) NumberByName(name string) (uint32, bool, error) {
	value, ok, err := s.get(appendNameKey(nil, name))
	if !ok || err != nil {
		return 0, false, err
	}
	number, err := decodeName(value)
	return number, err == nil, err
}

func decodeName(value []byte) (uint32, error) {
	r := newRow("name", value)
	number := r.take(4)
	if err := r.end("name"); err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint32(number), nil
}

// numbersMax bounds how many devices one address leads to.
const numbersMax = 8

// NumbersByAddress finds the devices that an address leads to, at most eight, by number.
func (s *Store) NumbersByAddress(bearer, id string) ([]uint32, error) {
	prefix := appendAddressPrefix(nil, bearer, id)
	it, err := s.iter(prefix, after(prefix))
	if err != nil {
		return nil, err
	}
	var numbers []uint32
	for ok := it.First(); ok && len(numbers) < numbersMax; ok = it.Next() {
		if key := it.Key(); len(key) == len(prefix)+addressNumberSize {
			numbers = append(numbers, binary.BigEndian.Uint32(key[len(prefix):]))
		}
	}
	return numbers, closeIter(it)
}

// Key reads a wrapped device key.
func (s *Store) Key(number, version uint32) ([]byte, bool, error) {
	return s.get(appendWrappedKey(nil, number, version))
}
