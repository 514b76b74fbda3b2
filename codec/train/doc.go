// Package train chooses how a product's statuses are packed, from rows that its devices measured: scales and ranges that were left open, then for
// each field and for the time the predictor, the order of classes, the spread of activities and the 47 probabilities of a model (SPEC §3.2).
//
//	rows ─ Resolve ─> fields ─ Statuses ─> statuses ─ Train ─> template, report
//
// What is minimised is what the real encoder would write: it is run over the statuses, its decisions are counted, and a candidate costs what
// its decisions do under the best model for them. Contexts that the rows hardly show lean on those like them, and these on the default model,
// so that a device which behaves unlike the sample still has cheap statuses.
//
// The package is pure and repeatable: the same rows give the same template.
package train
