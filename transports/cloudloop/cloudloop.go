package cloudloop

import (
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/recent"
)

// A Transport reads the messages of one account and sends to its modems. Safe for concurrent use.
type Transport struct {
	name    string
	cfg     Config // without zeros
	log     *slog.Logger
	now     func() time.Time
	pause   time.Duration // before the web service or the sink is asked again
	patient time.Duration // for an answer, beyond the time that the web service was told to wait
	service service
	up      atomic.Bool
	warned  atomic.Int64 // when a sink that took no messages was logged last, Unix seconds
	counts  counters

	imeis     *recent.Map[string, string] // by Cloudloop's id of the modem
	hardwares *recent.Map[string, string] // by IMEI
	settled   *recent.Map[string, struct{}]
}

const (
	pauseDefault = time.Second
	patience     = 30 * time.Second
)

var errNoMark = errors.New("there is no file for the mark")

// New returns a transport that does nothing yet.
func New(name string, cfg Config, log *slog.Logger) (*Transport, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("cloudloop link %s: %w", name, err)
	}
	if cfg.Mark == "" {
		return nil, fmt.Errorf("cloudloop link %s: %w", name, errNoMark)
	}
	cfg = cfg.withDefaults()
	return &Transport{
		name: name, cfg: cfg, log: log, now: time.Now, pause: pauseDefault, patient: patience, service: newService(cfg.API, cfg.Token),
		imeis: recent.New[string, string](modemsMax), hardwares: recent.New[string, string](modemsMax),
		settled: recent.New[string, struct{}](repeatsMax),
	}, nil
}

// Name implements transports.Transport.
func (t *Transport) Name() string { return t.name }

// Bearer implements transports.Transport.
func (t *Transport) Bearer() transports.Bearer { return transports.SBD }

// Limits implements transports.Transport.
func (t *Transport) Limits() transports.Limits {
	return transports.Limits{UplinkMax: UplinkMax, DownlinkMax: DownlinkMax}
}

// Up implements transports.Line: messages are asked for. A poll that failed ends Run.
func (t *Transport) Up() bool { return t.up.Load() }
