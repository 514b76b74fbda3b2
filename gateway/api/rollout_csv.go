package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/godwit-gateway/godwit/gateway/rollout"
)

// table is an answer as CSV (RFC 4180), its first line the names of the columns.
type table struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

// registerTable registers an operation that answers with CSV.
func registerTable[I any](h huma.API, path, id, summary string, rows func(*I) ([]string, [][]string, error)) {
	op := operation(http.MethodGet, path, id, summary, Viewer)
	op.Responses = map[string]*huma.Response{"200": {Description: "a table", Content: map[string]*huma.MediaType{"text/csv": {}}}}
	huma.Register(h, op, func(_ context.Context, in *I) (*table, error) {
		head, list, err := rows(in)
		if err != nil {
			return nil, failed(err)
		}
		var text bytes.Buffer
		w := csv.NewWriter(&text)
		if err := w.WriteAll(append([][]string{head}, list...)); err != nil {
			return nil, failed(fmt.Errorf("write the table: %w", err))
		}
		return &table{"text/csv; charset=utf-8", text.Bytes()}, nil
	})
}

func stampOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func (a *api) registerRolloutTables(h huma.API) {
	registerTable(h, "/rollouts/{rollout}/funnel.csv", "rollout-funnel-csv", "The funnel, as CSV", func(in *RolloutRef) (head []string, rows [][]string, err error) {
		list, err := a.Hub.RolloutFunnel(rollout.ID(in.Rollout))
		for _, s := range viewFunnel(list) {
			var codes []string
			for code, n := range s.Codes {
				codes = append(codes, fmt.Sprintf("%d:%d", code, n))
			}
			slices.Sort(codes)
			rows = append(rows, []string{
				s.Step, strconv.Itoa(s.Reached), strconv.Itoa(s.Here), strconv.Itoa(s.Silent), strconv.FormatInt(s.Median, 10), strings.Join(codes, " "),
			})
		}
		return []string{"step", "reached", "here", "silent", "median_seconds", "codes"}, rows, err
	})
	registerTable(h, "/rollouts/{rollout}/adoption.csv", "rollout-adoption-csv", "Adoption, as CSV", func(in *adoptionInput) (head []string, rows [][]string, err error) {
		list, err := a.adoption(in)
		for _, p := range list {
			row := []string{stampOf(p.Time)}
			for _, n := range []int{p.Attempted, p.Confirmed, p.Progress, p.Ended, p.Unknown, p.HeldOut} {
				row = append(row, strconv.Itoa(n))
			}
			rows = append(rows, row)
		}
		return []string{"time", "attempted", "confirmed", "progress", "ended", "unknown", "held_out"}, rows, err
	})
	registerTable(h, "/rollouts/{rollout}/behind.csv", "rollout-behind-csv", "Who is behind, as CSV", func(in *RolloutRef) (head []string, rows [][]string, err error) {
		list, err := a.Hub.RolloutBehind(rollout.ID(in.Rollout))
		for _, b := range list {
			row := []string{b.Customer}
			for _, n := range []int{b.Devices, b.Confirmed, b.Behind, b.Silent, b.Refused, b.Declined, b.Failed} {
				row = append(row, strconv.Itoa(n))
			}
			rows = append(rows, row)
		}
		return []string{"customer", "devices", "confirmed", "behind", "silent", "refused", "declined", "failed"}, rows, err
	})
	registerTable(h, "/rollouts/{rollout}/devices.csv", "rollout-devices-csv", "Devices of a rollout, as CSV; all of them, whatever the limit",
		func(in *devicesOfInput) (head []string, rows [][]string, err error) {
			for more := true; more; more = in.Cursor != "" {
				in.Limit = 1000
				list, next, err := a.devicesOf(in)
				if err != nil {
					return nil, nil, err
				}
				for i := range list {
					d := viewUpdate(&list[i])
					rows = append(rows, []string{
						strconv.FormatUint(uint64(d.Number), 10), d.Name, d.Customer, strconv.Itoa(d.Wave), d.Standing, strconv.Itoa(int(d.Code)), d.Reason,
						stampOf(d.Offered), stampOf(d.Ran), stampOf(d.Confirmed), stampOf(d.Last), strconv.Itoa(d.Missed), strconv.FormatFloat(d.Suspect, 'f', 4, 64),
						d.Cause.Cause, strconv.FormatFloat(d.Probability, 'f', 4, 64),
					})
				}
				in.Cursor = next
			}
			return []string{
				"number", "name", "customer", "wave", "standing", "code", "reason", "offered", "ran", "confirmed", "last_seen", "missed", "suspect", "cause", "cause_probability",
			}, rows, nil
		})
}
