// Package scenario reads files that describe a world: a fleet, its links and their prices, what goes wrong and when, and the story that this tells.
//
//	title = "..."            what it is called
//	story = """..."""        what happens and why; look = what the report shows of it
//	[[product]]              a product file, or what stands in one; those that a gateway brings need not be named
//	[[link]]                 a way to the gateway: a ready network, and what is different
//	[schedule]               how often the gateway tells devices to speak, and what that may cost
//	[[group]]                devices that are the same but for what they draw
//	[[release]]              software that devices may be offered, and what it does to them
//	[[rollout]]              how it is brought to them, by operators of the gateway
//	[[incident]]             what is planned to happen
//
// A ready network is one of [radio.Networks]; the tables radio (both directions), up and down of a link or of a group change what they name of it.
// Durations are texts such as "90s", "36h" or "30d", money is decimal texts such as "0.16" in the one currency of the file.
//
// [Reference] explains each key, and is itself a scenario. Reading is strict: a key that is not known is a mistake, and every mistake is told at once
// as file:line: key: what is wrong (what is wanted). A scenario that was read can be played: its first frames fit their links, its groups refer to what
// is there, and its incidents lie within its length.
//
// The scenarios that come with the program are in the folder scenarios; [Load] finds them by their names.
package scenario
