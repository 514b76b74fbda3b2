package isatdata_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/transports/isatdata"
)

func TestValidMobileID(t *testing.T) {
	for id, want := range map[string]bool{
		"01234567SKYABCD": true, "00000000MFR0000": true, "": false, "01234567SKYABC": false, "01234567SKYABCDE": false, "0123456ASKYABCD": false,
		"01234567SK1ABCD": false, "01234567skyabcd": false, "01234567SKYABCG": false, "01234567SKYabcd": false,
	} {
		if isatdata.ValidMobileID(id) != want {
			t.Errorf("%q: %t, want %t", id, !want, want)
		}
	}
}

func TestHeader(t *testing.T) {
	for _, tt := range []struct {
		sin, kind int
		want      isatdata.Header
		bad       bool
	}{
		{0, 0, isatdata.Header{SIN: 128, MIN: 1}, false},
		{128, 0, isatdata.Header{SIN: 128}, false},
		{16, 255, isatdata.Header{SIN: 16, MIN: 255}, false},
		{sin: 15, bad: true},
		{sin: 256, bad: true},
		{sin: 0, kind: 7, bad: true},
		{sin: 128, kind: 256, bad: true},
		{sin: 128, kind: -1, bad: true},
	} {
		h, err := isatdata.NewHeader(tt.sin, tt.kind)
		if h != tt.want || (err != nil) != tt.bad || tt.bad && !errors.Is(err, isatdata.ErrSIN) {
			t.Errorf("sin %d, min %d: %+v (%v)", tt.sin, tt.kind, h, err)
		}
	}
	h := isatdata.Header{SIN: 200, MIN: 9}
	m := h.Append([]byte("x"), []byte("payload"))
	if string(m) != "x\xC8\x09payload" {
		t.Errorf("message %q", m)
	}
	for message, want := range map[string]string{"\xC8\x09payload": "payload", "\xC8\x09": "", "\xC8\x08payload": "-", "\x09\xC8payload": "-", "\xC8": "-", "": "-"} {
		payload, ours := h.Cut([]byte(message))
		if ours != (want != "-") || ours && string(payload) != want {
			t.Errorf("%q: %q (%t)", message, payload, ours)
		}
	}
}

// The codes of periods are not in the order of the periods.
func TestWake(t *testing.T) {
	for code, want := range map[int]time.Duration{0: 5 * time.Second, 1: 30 * time.Second, 3: 3 * time.Minute, 6: time.Hour, 7: 2 * time.Minute, 10: 20 * time.Minute} {
		if c, ok := isatdata.WakeCode(want); !ok || c != code {
			t.Errorf("%s: code %d (%t)", want, c, ok)
		}
	}
	if _, ok := isatdata.WakeCode(4 * time.Minute); ok {
		t.Error("4 minutes have a code")
	}
	if p := isatdata.WakePeriods(); !slices.IsSorted(p) || len(p) != 11 {
		t.Errorf("periods %v", p)
	}
}

func TestCodes(t *testing.T) {
	for code, want := range map[int]string{isatdata.TerminalQueueFull: "transmit queue is full", 77: "error 77"} {
		if got := isatdata.TerminalError(code); got != want {
			t.Errorf("terminal's %d: %q", code, got)
		}
	}
	for code, want := range map[int]string{isatdata.GatewayAuth: "access ID or password is wrong", 77: "error 77"} {
		if got := isatdata.GatewayError(code); got != want {
			t.Errorf("gateway's %d: %q", code, got)
		}
	}
	for _, code := range []int{16, 18, 19, 20, 21817, 128} {
		if !isatdata.GatewayRetry(code) {
			t.Errorf("%d is not tried again", code)
		}
	}
	for _, code := range []int{0, 17, 513, 21785, 21797} {
		if isatdata.GatewayRetry(code) {
			t.Errorf("%d is tried again", code)
		}
	}
}
