package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/godwit-gateway/godwit/gateway/fleet"
)

// importRows is how many devices are imported at a time.
const importRows = 10_000

// measureFleet measures the memory of a fleet, and how long a gateway with it takes to start.
func measureFleet(ctx context.Context, dir string, o Options, progress func(string), f *Figures) error {
	return within(dir, func() error {
		progress(fmt.Sprintf("fleet: import of %d devices", o.Fleet))
		if err := importFleet(ctx, dir, o.Fleet); err != nil {
			return err
		}
		progress("fleet: start")
		g, at, err := openGateway(ctx, dir, o.Fleet)
		if err != nil {
			return err
		}
		d := &f.Details
		d.Devices, f.StartSeconds = o.Fleet, at.all.Seconds()
		d.StartStore, d.StartFleet, d.StartStream = at.store, at.fleet-at.store, at.all-at.fleet
		if err := g.close(); err != nil {
			return err
		}
		progress("fleet: memory")
		return measureMemory(dir, o.Fleet, f)
	})
}

// importFleet makes the devices known by import, each with a key derived from the fleet key.
func importFleet(ctx context.Context, dir string, n int) error {
	g, _, err := openGateway(ctx, dir, n)
	if err != nil {
		return err
	}
	g.run(ctx)
	err = g.importDevices(ctx, n)
	return errors.Join(err, g.close())
}

func (g *gateway) importDevices(ctx context.Context, n int) error {
	key := fleet.FleetKey{ID: fleetKeyID, Product: productName, Customer: "acme", Name: "dev-{number}", CTRBits: counterBits, TagLen: 8, Register: fleet.RegisterAuto}
	for done := 0; done < n; {
		rows := make([]fleet.ImportRow, min(importRows, n-done))
		for i := range rows {
			rows[i] = fleet.ImportRow{Line: done + i + 1, Device: key.Device(firstNumber + uint32(done+i))}
		}
		res, err := g.hub.Import(ctx, rows, false)
		if err != nil || !res.Done {
			return fmt.Errorf("import: %w", errors.Join(err, firstError(res.Errors)))
		}
		done += len(rows)
	}
	return nil
}

func firstError(errs []fleet.RowError) error {
	if len(errs) == 0 {
		return nil
	}
	return errs[0]
}

// measureMemory measures the heap that a loaded fleet holds, in and around the hub. What the store and the socket hold, which does not depend on the
// number of devices, is in the baseline: every row was read once before. A device adds some 230 bytes once it is heard from, which is not measured here:
// what schedules and silence remember of it and its account of the month, its reply route and its place in batches; the cache of expanded keys, which
// has the same size for any fleet, comes on top.
func measureMemory(dir string, n int, f *Figures) (err error) {
	g := new(gateway)
	defer func() { err = errors.Join(err, g.close()) }()
	if err := errors.Join(g.openStore(dir), g.openLink()); err != nil {
		return err
	}
	if err := g.store.EachDevice(func(uint32, []byte) error { return nil }); err != nil {
		return err
	}
	before := heap()
	if err := g.openHub(n); err != nil {
		return err
	}
	f.BytesPerDevice = (float64(heap()) - float64(before)) / float64(n)
	return nil
}

// heap is what live objects take.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what finalizers and pools held
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
