// Package report gathers what happens in a world and tells it: as a page with pictures, as JSON, and as a few lines of text.
//
// A [Recorder] watches a world and hands what it sees to parts. A [Part] keeps what it needs in bounded memory, sums over times and histograms with
// a constant relative error, and makes a [Section] of it: facts, and figures that are a table and a picture of it. Every number of a picture
// stands in its table, and the JSON holds the tables, so all three say the same. Further parts are added by [Recorder.Add].
//
// # JSON
//
// The object has the schema's number, which changes when a key changes its meaning or goes, what was played and how it ended, and sections:
//
//	{"schema": 1, "scenario": "…", "title": "…", "story": "…", "look": "…", "seed": 1, "repeat": "godwit-sim run …", "build": "…", "currency": "USD",
//	 "begin": "2026-01-01T00:00:00Z", "end": "…", "verdict": "held" | "broken" | "ended early", "error": "…", "result": {…}, "sections": [
//	  {"key": "delays", "title": "…", "facts": [{"key": "sms_p95", "name": "…", "unit": "seconds", "value": 41.2}], "figures": [
//	   {"key": "distribution", "title": "…", "head": {"key": "link", "title": "…"}, "columns": [{"key": "p50", "title": "…", "unit": "seconds"}],
//	    "rows": [{"name": "sms", "values": [12.1]}, {"at": 1767225600, "values": [null]}]}]}]}
//
// A row has a name, or the place "at" on the axis that head tells of. Units are count, share (0 to 1), bytes, seconds, unix seconds and the
// currency; a figure that is not there is null. Histograms err by up to one part in a hundred.
package report
