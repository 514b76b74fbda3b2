package scheduler

// MonthHours is the mean length of a month: a twelfth of 365.25 days.
const MonthHours = 730.5

// A Budget is what the contacts of a fleet may take.
type Budget struct {
	Money     Micros      // in a mean month, downlinks apart: what Pace.Money says
	Unlimited bool        // money is no object: allowances and limits alone decide
	Pools     []Allowance // at most one of a name
}

// An Allowance is a pool of bytes that several devices use up together. Bytes of links whose rate names a pool without an allowance cost their price.
type Allowance struct {
	Pool    string
	Left    int64 // bytes left in the period
	Reserve int64 // of these: bytes kept for what is not planned, see Reserve
	Period  Secs  // what is left of the period
	Hard    bool  // nothing is bought beyond it; otherwise a byte more costs what its link's rate says
}

// A PoolPrice is what a byte of an allowance is worth.
type PoolPrice struct {
	Pool    string
	Price   float64 // weighted stale-hours an hour for a byte an hour; 0: there is enough
	Bytes   float64 // that the plan takes in a mean month
	Overage float64 // of these: bytes that are bought beyond the allowance
}

// A Plan is the outcome of a Solve: the prices at which every device decides for itself. It is a value that can be stored.
type Plan struct {
	S          float64     // square root of the price of a unit of money in weighted stale-hours; 0: money is not scarce
	Pools      []PoolPrice // by name
	LinkPools  []int16     // for each link of the fleet: the place of its pool in Pools, or -1
	Value      Micros      // what a weighted stale-hour is worth; 0: money is not scarce
	Spend      Micros      // in a mean month, before intervals are rounded to the grid; downlinks apart
	Stale      float64     // what the ages of knowledge cost: the sum of weight times mean age in hours, or the penalty of Policy.Tail
	Bound      float64     // what no other intervals can beat for Stale at this spend, over the same links, but for what quiet hours add
	Short      Micros      // a month: by how much the longest intervals exceed the budget; 0: they do not
	Devices    int
	Quiet      int `json:",omitempty"` // of these, those that quiet hours keep from speaking
	Iterations int // passes over the fleet
	Rounds     int // choices of links
}

// Price is what a unit of money buys in weighted stale-hours.
func (p *Plan) Price() float64 { return p.S * p.S }
