package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// oldestServer is the first nats-server that is good enough: earlier ones do not sync what an inline compaction writes.
var oldestServer = [3]int{2, 14, 9}

// checkServer refuses a server that would lose what it acknowledged.
func checkServer(nc *nats.Conn) error {
	version := nc.ConnectedServerVersion()
	if version == "" {
		return errors.Join(nats.ErrDisconnected, nc.LastError())
	}
	numbers, _, _ := strings.Cut(version, "-")
	got := [3]int{}
	for i, s := range strings.SplitN(numbers, ".", len(got)) {
		n, err := strconv.Atoi(s)
		if err != nil {
			return fmt.Errorf("%w: version %q cannot be read", ErrServerOld, version)
		}
		got[i] = n
	}
	if slices.Compare(got[:], oldestServer[:]) < 0 {
		return fmt.Errorf("%w: %s at %s, want %d.%d.%d or newer", ErrServerOld, version, nc.ConnectedUrlRedacted(),
			oldestServer[0], oldestServer[1], oldestServer[2])
	}
	return nil
}

// streamConfig is what the stream is made with.
func streamConfig(o JetStreamOptions) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: StreamName(o.Gateway), Subjects: []string{"godwit.v1." + o.Gateway + ".>"}, Description: "events of gateway " + o.Gateway,
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardOld, Storage: jetstream.FileStorage, MaxAge: o.MaxAge,
		MaxMsgsPerSubject: -1, Duplicates: 2 * time.Minute, Replicas: max(1, o.Replicas),
		AllowDirect: true, AllowAtomicPublish: true, DenyDelete: true, DenyPurge: true,
	}
}

// Info implements Stream. A stream that was made by somebody else gets the settings that the gateway relies on, if that takes nothing away
// from it; else it is refused with ErrNotOurs.
func (s *JetStream) Info(ctx context.Context) (Info, error) {
	if err := checkServer(s.nc); err != nil {
		return Info{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	st, err := s.js.Stream(ctx, s.name)
	if err != nil {
		s.elsewhere(err)
		return Info{}, classify(err)
	}
	info := st.CachedInfo()
	if err := led(info.Cluster); err != nil {
		s.elsewhere(err)
		return Info{}, err
	}
	if config, change := s.adjusted(info.Config); change {
		if err := s.fits(info.Config); err != nil {
			return Info{}, err
		}
		if _, err := s.js.UpdateStream(ctx, config); err != nil {
			return Info{}, fmt.Errorf("%w: change its settings: %w", ErrNotOurs, err)
		}
	}
	return Info{
		Created: info.Created, First: info.State.FirstSeq, Last: info.State.LastSeq, Messages: info.State.Msgs, MaxAge: s.config.MaxAge,
		Limited: info.Config.MaxMsgs > 0 || info.Config.MaxBytes > 0 || info.Config.MaxMsgsPerSubject > 0, Server: s.nc.ConnectedServerId(),
	}, nil
}

// adjusted is a stream's configuration as it should be, and whether that is a change.
func (s *JetStream) adjusted(c jetstream.StreamConfig) (jetstream.StreamConfig, bool) {
	change := c.MaxAge != s.config.MaxAge || !c.AllowDirect || !c.AllowAtomicPublish || !c.DenyDelete || !c.DenyPurge || s.fits(c) != nil
	c.MaxAge, c.AllowDirect, c.AllowAtomicPublish, c.DenyDelete, c.DenyPurge = s.config.MaxAge, true, true, true, true
	return c, change
}

// fits reports why a stream cannot be used, whatever else is changed.
func (s *JetStream) fits(c jetstream.StreamConfig) error {
	switch {
	case !slices.Contains(c.Subjects, s.config.Subjects[0]):
		return fmt.Errorf("%w: it does not take %s", ErrNotOurs, s.config.Subjects[0])
	case c.Retention != jetstream.LimitsPolicy:
		return fmt.Errorf("%w: its messages go when they are read", ErrNotOurs)
	case c.Storage != jetstream.FileStorage:
		return fmt.Errorf("%w: it is in memory", ErrNotOurs)
	case c.Sealed || c.Mirror != nil || c.NoAck:
		return fmt.Errorf("%w: it is sealed, a mirror, or does not acknowledge", ErrNotOurs)
	case c.Discard != jetstream.DiscardOld:
		return fmt.Errorf("%w: it refuses messages when it is full", ErrNotOurs)
	}
	return nil
}

// heardWithin is how long ago the leader of a stream must have heard of a copy for it to count. They speak each second, and after four seconds of
// silence another leader may have been chosen.
const heardWithin = 3 * time.Second

// errCutOff is for what a server says that does not hear from most of a stream's copies: it is what was so when it last did, and that server may
// have been replaced as the leader without knowing it.
var errCutOff = errors.New("the server that answers does not lead the stream, or does not hear from the other servers")

// led reports why an answer about a stream is not that of its leader.
func led(c *jetstream.ClusterInfo) error {
	if c == nil {
		return nil // a server by itself
	}
	heard := 1
	for _, r := range c.Replicas {
		if r.Current && !r.Offline && r.Active < heardWithin {
			heard++
		}
	}
	if copies := len(c.Replicas) + 1; c.Leader == "" || 2*heard <= copies {
		return fmt.Errorf("%w: it knows of %d of %d", errCutOff, heard, copies)
	}
	return nil
}

// elsewhere leaves a server that does not answer for the stream, if another one is known. One that is cut off from its cluster keeps its clients.
func (s *JetStream) elsewhere(err error) {
	if errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, context.Canceled) || len(s.nc.Servers()) < 2 {
		return
	}
	_ = s.nc.ForceReconnect() // it fails on a connection that was closed for good
}

// Create implements Stream.
func (s *JetStream) Create(ctx context.Context, first uint64) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	c := s.config
	c.FirstSeq = first
	_, err := s.js.CreateStream(ctx, c)
	return classify(err)
}

// classify puts the server's errors into our words.
func classify(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return fmt.Errorf("%w: %w", ErrNoStream, err)
	default:
		return err
	}
}

// Watch implements Stream.
func (s *JetStream) Watch(ctx context.Context, changed func()) {
	status := s.nc.StatusChanged(nats.RECONNECTING, nats.CONNECTED, nats.CLOSED)
	defer s.nc.RemoveStatusListener(status)
	for {
		select {
		case <-ctx.Done():
			return
		case _, ok := <-status:
			if !ok {
				return
			}
			changed()
		}
	}
}
