package atmodem_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/godwit-gateway/godwit/simulator/peers/atmodem"
)

// TestUnacknowledged: without +CNMA in time the modem hands nothing over any more (27.005 §3.4.4), and the network tries again.
func TestUnacknowledged(t *testing.T) {
	b := atmodem.NewBench(atmodem.Options{Retry: time.Minute})
	b.Type("ATE0+CSMS=1;+CNMI=2,2,0,1,0\r")
	if err := b.Deliver(atmodem.Message{From: sender, Payload: []byte{1}}); err != nil {
		t.Fatal(err)
	}
	if got := b.Type(""); !strings.HasPrefix(got, "\r\n+CMT: ,20\r\n") {
		t.Fatalf("got %q", got)
	}
	b.Pass(11 * time.Second)
	if got := b.Type("AT+CNMI?\r"); !strings.Contains(got, "+CNMI: 2,0,0,0,0") {
		t.Errorf("after the time for +CNMA: %q", got)
	}
	b.Pass(time.Minute)
	if s := b.Stats(); s.Stored != 1 || s.Waiting != 0 {
		t.Errorf("stats %+v", s)
	}
	b.Type("AT+CMGD=1\rAT+CNMI=2,2\r")
	if err := b.Deliver(atmodem.Message{From: sender, Payload: []byte{2}}); err != nil {
		t.Fatal(err)
	}
	b.Type("AT+CNMA=2\r") // refused
	if s := b.Stats(); s.Waiting != 1 || s.Stored != 0 {
		t.Errorf("stats %+v", s)
	}
	if got := b.Pass(2 * time.Minute); !strings.Contains(got, "+CMT: ,20\r\n") {
		t.Errorf("a refused message did not come again: %q", got)
	}
}

func TestExpiry(t *testing.T) {
	var got []string
	b := atmodem.NewBench(atmodem.Options{
		SMSlots: 1, Validity: time.Hour, Retry: time.Minute,
		OnSettled: func(m atmodem.Message, o atmodem.Outcome) { got = append(got, fmt.Sprint(m.ID, " ", o)) },
	})
	for id := range uint64(3) {
		if err := b.Deliver(atmodem.Message{ID: id, From: sender, Payload: []byte{1}}); err != nil {
			t.Fatal(err)
		}
	}
	b.Pass(30 * time.Minute)
	b.Type("AT+CMGD=1\r")
	b.Pass(time.Hour)
	b.Type("AT+CMGD=1\r")
	if diff := cmp.Diff([]string{"0 deleted", "2 expired", "1 deleted"}, got); diff != "" {
		t.Error(diff)
	}
	if s := b.Stats(); s.Expired != 1 || s.Waiting != 0 || s.Full < 60 {
		t.Errorf("stats %+v", s)
	}
}

// TestNetworkFaults: parts that are lost, come twice or in another order.
func TestNetworkFaults(t *testing.T) {
	count := func(f atmodem.Faults) (headers []byte, outcomes map[atmodem.Outcome]int, s atmodem.Stats) {
		outcomes = map[atmodem.Outcome]int{}
		b := atmodem.NewBench(atmodem.Options{Faults: f, OnSettled: func(_ atmodem.Message, o atmodem.Outcome) { outcomes[o]++ }})
		b.Type("ATE0\r")
		if err := b.Deliver(atmodem.Message{From: sender, Payload: make([]byte, 300)}); err != nil {
			t.Fatal(err)
		}
		for _, p := range decode(t, strings.ReplaceAll(b.Type("AT+CMGL=4\r"), "OK", "")) {
			_, seq, _, _ := p.ConcatInfo()
			headers = append(headers, byte(seq))
		}
		b.Type("AT+CMGD=1,4\r")
		return headers, outcomes, b.Stats()
	}
	got, outcomes, _ := count(atmodem.Faults{PartTwice: 1})
	if diff := cmp.Diff([]byte{1, 1, 2, 2, 3, 3}, got); diff != "" || outcomes[atmodem.OutcomeDeleted] != 1 {
		t.Errorf("twice: %v %s", outcomes, diff)
	}
	got, outcomes, _ = count(atmodem.Faults{PartSwap: 1})
	if diff := cmp.Diff([]byte{2, 3, 1}, got); diff != "" || outcomes[atmodem.OutcomeDeleted] != 1 {
		t.Errorf("swapped: %v %s", outcomes, diff)
	}
	got, outcomes, s := count(atmodem.Faults{PartLost: 1})
	if len(got) != 0 || outcomes[atmodem.OutcomeLost] != 1 || s.PartsLost != 3 {
		t.Errorf("lost: %v, %v, %+v", got, outcomes, s)
	}
}

// TestNothingIsLost: whatever happens to commands, each message that was delivered can be read until it is deleted, and one seed tells
// one story.
func TestNothingIsLost(t *testing.T) {
	play := func(seed uint64) (string, atmodem.Stats) {
		const p = 0.03
		deleted := map[uint64]bool{}
		b := atmodem.NewBench(atmodem.Options{
			Seed: seed, SMSlots: 5, Faults: atmodem.Faults{
				Reply: atmodem.Span{Most: 50 * time.Millisecond}, URCInReply: p, URCLost: p, Garbage: p, Busy: p, Mute: p, Late: p, Unplug: p, Reboot: p,
				PartTwice: p, PartSwap: p,
			},
			OnSettled: func(m atmodem.Message, o atmodem.Outcome) {
				if o != atmodem.OutcomeDeleted || deleted[m.ID] {
					t.Errorf("seed %d: message %d was %s, before that %v", seed, m.ID, o, deleted[m.ID])
				}
				deleted[m.ID] = true
			},
		})
		const messages = 50
		var story strings.Builder
		for id := range uint64(messages) {
			if err := b.Deliver(atmodem.Message{ID: id, From: sender, Payload: make([]byte, 50+3*id)}); err != nil {
				t.Fatal(err)
			}
		}
		for range 2000 {
			if len(deleted) == messages {
				return story.String(), b.Stats()
			}
			for slot := 1; slot <= 5; slot++ {
				b.Type("\x1b\r")
				story.WriteString(b.Pass(2 * time.Second))
				b.Type(fmt.Sprintf("AT+CNMI=2,1;+CMGR=%d;+CMGD=%d\r", slot, slot))
				story.WriteString(b.Pass(2 * time.Second))
			}
		}
		t.Fatalf("seed %d: %d of %d messages came to their end", seed, len(deleted), messages)
		return "", atmodem.Stats{}
	}
	for seed := range uint64(5) {
		story, stats := play(seed)
		again, statsAgain := play(seed)
		if story != again || stats != statsAgain {
			t.Errorf("seed %d told two stories: %+v and %+v", seed, stats, statsAgain)
		}
		if stats.FaultsDone == 0 || stats.Boots < 2 {
			t.Errorf("seed %d: nothing went wrong: %+v", seed, stats)
		}
	}
}

// TestSendFaults: the network refuses, or takes what the modem says it did not.
func TestSendFaults(t *testing.T) {
	sent := 0
	b := atmodem.NewBench(atmodem.Options{
		OnSubmit: func(atmodem.Submit) { sent++ }, Faults: atmodem.Faults{SendFail: 1, Send: atmodem.Span{Least: time.Second, Most: 2 * time.Second}},
	})
	b.Type("ATE0\r")
	if got := b.Type("AT+CMGS=17\r" + submitPDU + "\x1a"); got != "\r\n> " {
		t.Errorf("at once: %q", got)
	}
	if got := b.Pass(2 * time.Second); got != "\r\n+CMS ERROR: 41\r\n" || sent != 0 {
		t.Errorf("refused: %q, %d sent", got, sent)
	}
	b = atmodem.NewBench(atmodem.Options{OnSubmit: func(atmodem.Submit) { sent++ }, Faults: atmodem.Faults{SendMaybe: 1}})
	b.Type("ATE0\r")
	if got := b.Type("AT+CMGS=17\r" + submitPDU + "\x1a"); got != "\r\n> \r\n+CMS ERROR: 332\r\n" || sent != 1 {
		t.Errorf("maybe: %q, %d sent", got, sent)
	}
}
