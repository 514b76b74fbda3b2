// Package size measures how many bytes statuses take: packed, in other formats, and under the entropy bound of package entropy.
//
// Each trace is what one device measured. A template is trained on its first 40 %; the rest is measured: every status as a delta against the one before
// it, then in batches of 10 and 24 against the last status of the batch before. All frames are sealed, opened, decoded and compared. Scales and
// ranges are properties of sensors: those of known traces are written down here, those of unknown files are chosen from the whole file.
//
// Sources lack what every device reports about itself: battery (where there is none), signal, uptime, and a rare block at each update or reboot are
// added by a seeded generator, to all formats and to the bound.
//
// The bound is in broken bits. A frame has whole bytes, about 0.3 more for a single status: of traces with little to say the ratio of single statuses
// is therefore above that of batches, whatever the encoding. What the ratio is made of stands beside it, each held against the bound:
//
//	MODEL  the template's price of the same statuses, in broken bits: what a better model could save
//	WHOLE  the bound itself, each status written in whole bytes by a coder that loses nothing: what no better model could save
//	FLOOR  a byte for each status that was not just what the bound held for likeliest: a status of no bytes can say one thing only, so no format of whole
//	       bytes takes less, unless it guesses better than the bound
//
// Formats without memory say in each status what a receiver must know: time, all fields that were measured, and the version. Compression is measured on
// a sample of the statuses, for it takes long.
//
// Imports: github.com/fxamacker/cbor/v2 writes the CBOR formats, google.golang.org/protobuf (encoding/protowire) the protobuf messages, and
// github.com/klauspost/compress compresses with zstd and builds its dictionary. They serve the comparison only.
package size
