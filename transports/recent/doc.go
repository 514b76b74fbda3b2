// Package recent remembers what came last, within a bound: which messages were settled, so that one that its network brings again is known.
package recent
