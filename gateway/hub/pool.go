package hub

import "time"

// A PoolState is an allowance that devices share, and how far it is used.
type PoolState struct {
	Name    string    `json:"name"`
	Unit    string    `json:"unit" enum:"bytes,count"` // of the amounts; what is counted is not planned with
	Amount  int64     `json:"amount"`
	Used    int64     `json:"used"`
	Left    int64     `json:"left"`
	Ends    time.Time `json:"ends,omitzero"` // when what is left is lost; zero: never
	Members int64     `json:"members"`       // lines that add to it, where each does
	Reserve float64   `json:"reserve"`       // share of what is left that is not planned with
	Hard    bool      `json:"hard"`          // no plan buys anything beyond it
	Planned int64     `json:"planned"`       // that contacts take in a mean month, as planned
	Beyond  int64     `json:"beyond"`        // of these: not included
}

// pools are the shared allowances of all links. Called with mu held.
func (h *Hub) pools() []PoolState {
	list := []PoolState{}
	for _, p := range h.core.Pools(h.clock.Now()) {
		s := PoolState{
			Name: p.Name, Unit: "count", Amount: p.Amount, Used: p.Used, Left: p.Amount - p.Used, Ends: p.Ends, Members: p.Members, Reserve: p.Kept, Hard: p.Hard,
			Planned: int64(p.Bytes), Beyond: int64(p.Overage),
		}
		if p.Sized {
			s.Unit = "bytes"
		}
		list = append(list, s)
	}
	return list
}
