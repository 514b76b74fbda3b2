package natsstream

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/godwit-gateway/godwit/gateway/publish"
)

// A Stream is a gateway's stream on a server of its own. Not safe for concurrent use.
type Stream struct {
	*publish.JetStream // of the connection to the server that runs

	gateway string
	dir     string
	copies  int
	server  *publish.Embedded
	conn    *nats.Conn
}

// New starts a server whose files are in a folder that is there and empty.
func New(dir, gateway string) (*Stream, error) {
	s := &Stream{gateway: gateway, dir: dir}
	if err := s.start(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Stream) files() string { return filepath.Join(s.dir, "stream") }

// start starts the server, and connects to it.
func (s *Stream) start() (err error) {
	if s.server, err = publish.NewEmbedded(publish.EmbeddedOptions{Dir: s.files()}); err != nil {
		return err
	}
	if s.conn, err = publish.ConnectEmbedded(s.server, s.gateway); err != nil {
		return err
	}
	s.JetStream, err = publish.NewJetStream(s.conn, publish.JetStreamOptions{Gateway: s.gateway})
	return err
}

// Close ends the server. It may be called again.
func (s *Stream) Close() error {
	if s.conn != nil {
		s.conn.Close()
	}
	if s.server != nil {
		s.server.Stop()
	}
	s.conn, s.server = nil, nil
	return nil
}

// Restart ends the server and starts it on the same files.
func (s *Stream) Restart() error { return errors.Join(s.Close(), s.start()) }

// Delete deletes the stream, as somebody may who is allowed to.
func (s *Stream) Delete(ctx context.Context) error {
	js, err := jetstream.New(s.conn)
	if err != nil {
		return fmt.Errorf("delete the stream: %w", err)
	}
	if err := js.DeleteStream(ctx, publish.StreamName(s.gateway)); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("delete the stream: %w", err)
	}
	return nil
}

// Copy copies the files of the server, and returns what puts the copy in their place.
func (s *Stream) Copy() (restore func() error, err error) {
	s.copies++
	kept := filepath.Join(s.dir, "copy"+strconv.Itoa(s.copies))
	err = errors.Join(s.Close(), os.CopyFS(kept, os.DirFS(s.files())), s.start())
	if err != nil {
		return nil, fmt.Errorf("copy the stream: %w", err)
	}
	return func() error {
		err := errors.Join(s.Close(), os.RemoveAll(s.files()), os.Rename(kept, s.files()), s.start())
		if err != nil {
			return fmt.Errorf("put a copy of the stream in place: %w", err)
		}
		return nil
	}, nil
}
