package core

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// planVersion is the first byte of what is written of a plan.
const planVersion = 1

// appendPlan appends the price of money, with which the next plan starts, and the pace of spending. Prices of pools are found anew.
func (k *Core) appendPlan(b []byte) []byte {
	b = append(b, planVersion)
	for _, v := range []uint64{
		math.Float64bits(k.plan.S), math.Float64bits(k.pace.Ahead), math.Float64bits(k.pace.Downlink), uint64(k.pace.At), //nolint:gosec // the same bits
		uint64(k.spent.up), uint64(k.spent.down), uint64(k.planned.Unix()), //nolint:gosec // the same bits
	} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return b
}

// parsePlan takes over how far spending was. What cannot be read is as if there had been none: a plan is made anew anyway.
func (k *Core) parsePlan(b []byte) {
	if len(b) != 1+7*8 || b[0] != planVersion {
		return
	}
	u := func(i int) uint64 { return binary.BigEndian.Uint64(b[1+8*i:]) }
	s, ahead, downlink := math.Float64frombits(u(0)), math.Float64frombits(u(1)), math.Float64frombits(u(2))
	if !finite(s) || !finite(ahead) || !finite(downlink) || s < 0 || downlink < 0 {
		return
	}
	k.plan.S = s
	k.pace.Ahead, k.pace.Downlink, k.pace.At = ahead, downlink, scheduler.Secs(u(3)) //nolint:gosec // the same bits
	k.spent.up, k.spent.down = scheduler.Micros(u(4)), scheduler.Micros(u(5))        //nolint:gosec // as above
	k.tried = time.Time{}                                                            // what the fleet costs now is found at once
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

// loadPools brings back the meters of pools that tariffs have.
func (k *Core) loadPools(from Source) error {
	if k.config.Tariffs == nil {
		return nil
	}
	for _, name := range k.config.Tariffs.Names() {
		for _, t := range k.config.Tariffs.Versions(name) {
			pool := t.PoolName()
			if pool == "" || k.pools[pool] != nil {
				continue
			}
			b, ok, err := from.Meta(metaPool + pool)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			meter := new(tariff.Meter)
			if err := meter.UnmarshalBinary(b); err != nil {
				return err
			}
			k.pools[pool] = meter
		}
	}
	return nil
}
