package api

import (
	"context"
	"net/http"
	"path/filepath"

	"github.com/danielgtaylor/huma/v2"
)

// A Checkpoint is a copy of the store for a backup, on the gateway's own disk.
type Checkpoint struct {
	Dir string `json:"dir" doc:"on the gateway's host, laid out as the folder of a store; until it is deleted, the next one is made, or the gateway starts anew"`
}

// Checkpoints make the copies of the store that backups are taken from.
type Checkpoints interface {
	Make() (dir string, err error)
	Release() error
}

func (a *api) registerCheckpoints(h huma.API) {
	op := operation(http.MethodPost, "/store/checkpoint", "make-checkpoint", "Copy the store for a backup, while work goes on", Admin)
	op.DefaultStatus = http.StatusCreated
	huma.Register(h, op, func(ctx context.Context, _ *struct{}) (*one[Checkpoint], error) {
		dir, err := a.Checkpoints.Make()
		if err != nil {
			return nil, problem(http.StatusInternalServerError, "checkpoint", err.Error())
		}
		if dir, err = filepath.Abs(dir); err != nil {
			return nil, problem(http.StatusInternalServerError, "checkpoint", err.Error())
		}
		a.note(ctx, "checkpoint made", dir)
		return &one[Checkpoint]{Checkpoint{dir}}, nil
	})
	op = operation(http.MethodDelete, "/store/checkpoint", "delete-checkpoint", "Remove the copy of the store", Admin)
	huma.Register(h, op, func(ctx context.Context, _ *struct{}) (*struct{}, error) {
		if err := a.Checkpoints.Release(); err != nil {
			return nil, problem(http.StatusInternalServerError, "checkpoint", err.Error())
		}
		a.note(ctx, "checkpoint deleted", "")
		return nil, nil
	})
}
