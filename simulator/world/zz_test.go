package world

import (
	"fmt";"log/slog"
	"os"
	"strconv"
	"testing"
)

func TestZ(t *testing.T) {
	seed, _ := strconv.ParseUint(os.Getenv("SEED"), 10, 64)
	w, err := newWorld(t.Context(), Options{Seed: seed, Log: slog.New(slog.NewTextHandler(os.Stdout, nil))})
	if err != nil {
		t.Fatal(err)
	}
	err = w.play()
	fmt.Println(err)
	for _, m := range w.fleet {
		d, err := w.gateway.hub.Device(fmt.Sprintf("dev-%d", m.config.Number))
		fmt.Printf("%d %s interval %s pending %d mem %+v\n   %+v %v\n", m.config.Number, m.link, m.config.Interval, m.dev.Pending(), m.memory, d, err)
		ds, _ := w.gateway.hub.Downlinks(fmt.Sprintf("dev-%d", m.config.Number))
		for _, x := range ds {
			fmt.Printf("       %+v\n", x)
		}
	}
	fmt.Printf("%+v\n", w.gateway.hub.Links())
}
