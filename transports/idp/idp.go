package idp

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/isatdata"
	"github.com/godwit-gateway/godwit/transports/mark"
)

// A Transport polls one account of a message gateway, and submits to its terminals. Safe for concurrent use.
type Transport struct {
	name   string
	cfg    Config // without zeros
	header isatdata.Header
	log    *slog.Logger
	now    func() time.Time

	gateway *gateway
	state   state
	counts  counters
	up      atomic.Bool   // the last poll was answered
	refused atomic.Bool   // the gateway refuses the account
	sent    chan struct{} // holds a token when a message to a terminal may have gone under way
	unseen  []uint64      // messages to terminals whose statuses are asked for by their ids; of follow alone
	over    bool          // whether the second of the mark was over when that began; of follow alone
	submits chan struct{} // holds a token while a message is submitted, or statuses are looked at: a status must not come before its message is known
}

// New returns a transport that does nothing yet.
func New(name string, cfg Config, log *slog.Logger) (*Transport, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("idp link %s: %w", name, err)
	}
	cfg = cfg.withDefaults()
	header, err := isatdata.NewHeader(cfg.SIN, cfg.MIN)
	if err != nil {
		return nil, fmt.Errorf("idp link %s: %w", name, err)
	}
	t := &Transport{
		name: name, cfg: cfg, header: header, log: log, now: time.Now, sent: make(chan struct{}, 1), submits: make(chan struct{}, 1),
		state: state{file: cfg.File, put: mark.Write},
	}
	t.gateway = newGateway(cfg, func() time.Time { return t.now() })
	return t, nil
}

// Name implements transports.Transport.
func (t *Transport) Name() string { return t.name }

// Bearer implements transports.Transport.
func (t *Transport) Bearer() transports.Bearer { return transports.IDP }

// Limits implements transports.Transport. They are of frames; a message has SIN and MIN besides. One that is not read as a frame is handed over whole.
func (t *Transport) Limits() transports.Limits {
	down := isatdata.ForwardMax
	if t.cfg.LowPower {
		down = isatdata.ForwardLowPowerMax
	}
	return transports.Limits{UplinkMax: isatdata.ReturnMax - isatdata.HeaderLen, DownlinkMax: down - isatdata.HeaderLen}
}

// Up implements transports.Line: the gateway answers, and takes the account.
func (t *Transport) Up() bool { return t.up.Load() }
