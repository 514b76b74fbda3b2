package size

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Figures is what a run measured. The JSON names are those of the last line of `make bench-size`.
type Figures struct {
	Traces        map[string]*Figure `json:"traces"`
	OpenPerSecond float64            `json:"open_decode_per_second_1m"` // of the largest fleet
	Allocs        float64            `json:"allocs"`                    // per frame
	Speeds        []Speed            `json:"speeds"`
	Transfer      map[string]float64 `json:"transfer"`              // extra cost of another lake buoy's template, as a share
	PassedOver    map[string]string  `json:"passed_over,omitempty"` // files of Options.Traces that nothing can be measured with, and why

	order []string
}

// Figure is what one trace takes. Means are bytes of payload per status.
type Figure struct {
	PayloadMean      float64 `json:"payload_mean"`
	EntropyMean      float64 `json:"entropy_mean"`
	Ratio            float64 `json:"ratio"`      // of the two
	JSONRatio        float64 `json:"json_ratio"` // of the payload to JSON
	HeartbeatP95Tag4 int     `json:"heartbeat_p95_tag4"`
	HeartbeatP95Tag8 int     `json:"heartbeat_p95_tag8"`

	// What the ratio is made of: bits that the template's model needs, bytes that are whole though bits are not, and the rest.
	ModelMean  float64 `json:"model_mean"`         // the payload in broken bits, as the template prices them
	ModelRatio float64 `json:"model_ratio"`        // of these to the bound
	WholeMean  float64 `json:"entropy_whole"`      // the bound, if each status takes whole bytes
	WholeRatio float64 `json:"whole_ratio"`        // of these to the bound
	FloorMean  float64 `json:"entropy_byte_floor"` // a byte for each status that the bound's model did not guess: no format of whole bytes takes less
	FloorRatio float64 `json:"byte_floor_ratio"`

	PayloadP95   int     `json:"payload_p95"`
	FrameMean4   float64 `json:"frame_mean_tag4"`
	FrameP95Tag4 int     `json:"frame_p95_tag4"`
	FrameMean8   float64 `json:"frame_mean_tag8"`
	FrameP95Tag8 int     `json:"frame_p95_tag8"`

	Batch10Mean  float64 `json:"batch10_mean"`
	Batch10Ratio float64 `json:"batch10_ratio"`
	Batch24Mean  float64 `json:"batch24_mean"`
	Batch24Ratio float64 `json:"batch24_ratio"`
	Day          Day     `json:"frame_of_24_readings_and_heartbeat"`

	Means   map[string]float64 `json:"formats"` // other formats
	Means10 map[string]float64 `json:"formats_batch10"`
	Means24 map[string]float64 `json:"formats_batch24"`
}

// WriteTable writes the figures for people.
func (f *Figures) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(t, format+"\n", args...) } // Flush returns the error
	line("TRACE\tMEAN\tP95\tFRAME 4\tFRAME 8\tOF 10\tOF 24\tBOUND\tRATIO\tMODEL\tWHOLE\tFLOOR\tOF 10\tOF 24\tJSON\tSENML\tCBOR\tPROTOBUF\tPACKED\tZSTD\tDAY MAX\tHEARTBEAT 4/8")
	for _, name := range f.order {
		r := f.Traces[name]
		line("%s\t%.2f\t%d\t%.1f\t%.1f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.0f\t%.0f\t%.1f\t%.1f\t%.1f\t%.1f\t%d\t%d/%d", name,
			r.PayloadMean, r.PayloadP95, r.FrameMean4, r.FrameMean8, r.Batch10Mean, r.Batch24Mean, r.EntropyMean, r.Ratio, r.ModelRatio, r.WholeRatio, r.FloorRatio, r.Batch10Ratio, r.Batch24Ratio,
			r.Means["json"], r.Means["senml_cbor"], r.Means["cbor"], r.Means["protobuf"], r.Means["packed_absolute"], r.Means["zstd_cbor"],
			r.Day.Max, r.HeartbeatP95Tag4, r.HeartbeatP95Tag8)
	}
	line("")
	for _, s := range f.Speeds {
		line("%d devices\t%.0f/s opened and decoded, %.3f allocations a frame; %.0f/s one by one", s.Devices, s.PerSecond,
			s.Allocs, s.OneByOne)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	return nil
}
