package demo

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/godwit-gateway/godwit/simulator/device"
)

// flash is the permanent memory of all devices: a log of their changes, the last line of a device counts. Without it a second run on the
// same state would use counters again, which no real device may. Safe for concurrent use.
type flash struct {
	mu     sync.Mutex
	file   *os.File
	memory map[uint32]device.Memory
}

// lineMax is more than a device's memory takes: most of it are messages in fragments, of 128 KiB together, in base64.
const lineMax = 1 << 20

// flashLine is one line of the log, as JSON.
type flashLine struct {
	Number uint32
	Memory device.Memory
}

// flashName is the file of the log.
const flashName = "devices.log"

// renew has the devices of a folder begin anew if their gateway does: what they remember is of another one, which had taken their counters and told them its own.
// A gateway whose devices forgot everything without its knowing would take none of their frames: that is refused. It reports whether there was something to forget.
func renew(dir, state string) (forgot bool, err error) {
	path := filepath.Join(dir, flashName)
	_, errState := os.Stat(state)
	_, errFlash := os.Stat(path)
	switch gone := errors.Is(errState, fs.ErrNotExist); {
	case gone && errFlash == nil:
		if err := os.Remove(path); err != nil {
			return false, fmt.Errorf("memory of the devices: %w", err)
		}
		return true, nil
	case !gone && errors.Is(errFlash, fs.ErrNotExist):
		return false, fmt.Errorf("%w: the gateway's state is in %s, and the memory of its devices is gone (%s): remove that folder too, or name another one", ErrOptions, state, path)
	}
	return false, nil
}

func openFlash(dir string) (*flash, error) {
	f := &flash{memory: make(map[uint32]device.Memory)}
	path := filepath.Join(dir, flashName)
	if err := f.load(path); err != nil {
		return nil, err
	}
	// The log starts anew with what counts, so that it does not grow for ever and no half line stands before the next one.
	file, err := os.CreateTemp(dir, flashName+"-*")
	if err != nil {
		return nil, fmt.Errorf("memory of the devices: %w", err)
	}
	f.file = file
	for number, m := range f.memory {
		if err := f.write(number, m); err != nil {
			return nil, errors.Join(err, file.Close())
		}
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return nil, errors.Join(fmt.Errorf("memory of the devices: %w", err), file.Close())
	}
	return f, nil
}

func (f *flash) write(number uint32, m device.Memory) error {
	line, err := json.Marshal(flashLine{number, m})
	if err == nil {
		_, err = f.file.Write(append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("memory of device %d: %w", number, err)
	}
	return nil
}

func (f *flash) load(path string) error {
	old, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("memory of the devices: %w", err)
	}
	defer func() { _ = old.Close() }() // only read
	lines := bufio.NewScanner(old)
	lines.Buffer(nil, lineMax)
	for lines.Scan() {
		var line flashLine
		// A line that was cut off by a crash promised nothing yet.
		if json.Unmarshal(lines.Bytes(), &line) == nil {
			f.memory[line.Number] = line.Memory
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("memory of the devices: %w", err)
	}
	return nil
}

// get is what a device finds after boot.
func (f *flash) get(number uint32) device.Memory {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.memory[number]
}

// put writes a device's memory if it has changed. Nothing that it promises may be used before put returned.
func (f *flash) put(number uint32, m device.Memory) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.memory[number] == m {
		return nil
	}
	if err := f.write(number, m); err != nil {
		return err
	}
	f.memory[number] = m
	return nil
}

func (f *flash) close() error { return f.file.Close() }
