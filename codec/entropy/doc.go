// Package entropy estimates how few bits statuses can be said in, as a bound to hold the packed encoding against.
//
// There is no way to know the entropy of a trace. What stands for it here is the length under an adaptive model that is far too large for a device
// or for a gateway of many: for each binary decision, predictions from many contexts (the moves of the field before, those of the field before it
// in the status, the hour, the value itself) are mixed by logistic regression that learns as it goes, as in the PAQ compressors (M. Mahoney,
// "Adaptive weighing of context models for lossless data compression", 2005). It sees every status of a trace, in full, before it
// predicts the next: no frame is lost to it, and it goes on learning where a template stays as it was trained.
//
// The length is that of an ideal arithmetic coder, in broken bits. A frame has whole bytes, which costs about a third of a byte each; a bound in bits
// does not pay that. What the models of a template make of the same decisions is a Price.
package entropy
