// Package core is the machine that the hub drives: it knows of each device when it was heard and over which link, what it was told and what it
// acknowledged, what it has cost, and decides what it is to be told next. It joins scheduler (prices and intervals), tariff (what a transmission
// costs), ledger (what was spent) and presence (what silence means), and adds nothing to their mathematics.
//
//	what came:   Heard, Receipt, Updated, Battery    -> presence, delivery probabilities, ledger
//	what goes:   Decide -> Offer; Allow -> Charge    -> intervals, ledger
//	now and then: Poll                               -> who is silent, who returned, budgets, a new plan
//
// Devices are named by a place, a small dense number that the caller gives; times are those of the gateway. The machine starts nothing and reads no
// clock. What changed since the last call of Drain is written by it as rows, so that it becomes durable in the batch of the frame that
// changed it; Load and LoadMeta bring it back.
package core
