// Package ledger keeps what was spent. Each transmission, up and down, is an Entry, priced as it happens; the Ledger adds it to the accounts of its
// device and of its group (customer, link, pool, campaign, cause, direction) in the month in which it is billed, and says which accounts changed, so that a store can write
// exactly those rows. A month that was closed never changes: what comes late for it is a correction of the open month.
//
// Budgets warn and, where they are hard, refuse what the gateway would send. What devices send by themselves cannot be refused: it is counted
// apart, so that nobody takes it for the gateway's doing.
//
// The package is pure: entries bring their time, rows are bytes, and the same entries give the same accounts in any order.
package ledger
