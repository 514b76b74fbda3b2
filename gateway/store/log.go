package store

import (
	"fmt"
	"log/slog"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Attribute keys of the log.
const (
	keyError  = "error"
	keyDetail = "detail"
)

func attrErr(err error) slog.Attr { return slog.String(keyError, err.Error()) }

// pebbleLogger brings Pebble's own messages into the log. They are for those who look for a fault.
type pebbleLogger struct{ s *Store }

func (l *pebbleLogger) Infof(format string, args ...any) {
	l.s.log.Debug("pebble", slog.String(keyDetail, fmt.Sprintf(format, args...)))
}

func (l *pebbleLogger) Errorf(format string, args ...any) {
	l.s.log.Warn("pebble", slog.String(keyDetail, fmt.Sprintf(format, args...)))
}

// Fatalf is called when the log or the manifest cannot be written. What is on disk is then unknown, and the process must end.
func (l *pebbleLogger) Fatalf(format string, args ...any) { l.s.fail(fmt.Sprintf(format, args...)) }

// fail ends the process.
func (s *Store) fail(msg string) {
	s.failed.Store(true)
	s.log.Error("store cannot be written: the process ends", slog.String(keyDetail, msg))
	s.fatal(msg)
}

// listener counts and logs what operators want to know of Pebble.
func (s *Store) listener() *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) {
			if !vfs.IsNoSpaceError(err) {
				s.log.Error("store background work", attrErr(err))
				return
			}
			if s.space.told.due(s.now(), fullEvery) {
				s.log.Error("store background work: the disk is full", attrErr(err))
			}
		},
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			s.corrupt.Store(true)
			s.log.Error("store is damaged: nothing is accepted", slog.String("path", info.Path), attrErr(info.Details))
		},
		WriteStallBegin: func(info pebble.WriteStallBeginInfo) {
			s.stalls.Add(1)
			s.log.Warn("store holds writes back", slog.String("reason", info.Reason))
		},
		WriteStallEnd: func() {
			s.log.Info("store takes writes again")
		},
	}
}
