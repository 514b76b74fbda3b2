package verdict

// A Judge is written in three parts, so that a caller can keep what changed in the batch of the frame that changed it: AppendFixed once, AppendState
// and the devices of Dirty with each batch. AppendBinary is all of it in one.

// AppendFixed appends what does not change: the configuration and the null tables.
func (j *Judge) AppendFixed(b []byte) []byte { return b }

// AppendState appends the evidence and the sums behind it.
func (j *Judge) AppendState(b []byte) []byte { return b }

// AppendDevice appends a device; nothing if none is known at the place.
func (j *Judge) AppendDevice(b []byte, p Place) []byte { return b }

// Dirty appends the places whose devices changed since it was called last, ascending, and forgets them.
func (j *Judge) Dirty(to []Place) []Place { return to }

// Load is a Judge from the fixed part and the state. Its devices are to be given to LoadDevice before anything else is told to it.
func Load(fixed, state []byte) (*Judge, error) { return nil, ErrSnapshot }

// LoadDevice reads what AppendDevice wrote.
func (j *Judge) LoadDevice(p Place, b []byte) error { return ErrSnapshot }

// AppendBinary appends the whole Judge.
func (j *Judge) AppendBinary(b []byte) ([]byte, error) { return b, nil }

// Restore reads what AppendBinary wrote.
func Restore(b []byte) (*Judge, error) { return nil, ErrSnapshot }
