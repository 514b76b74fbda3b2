// Package year plays one mixed fleet in a world, through the gateway's own hub, under the policies that package trial compares by arithmetic: prices, one
// interval for all, a table by link, bands of the battery. What each costs is what the networks bill; how old what is known of the devices is follows from
// what the hub stored.
//
// The fleet has four links with the prices and losses of package trial, ten levels of importance that spread as its weights do, and batteries under
// panels in three devices of five. Answers of the cellular link are free; a downlink over another one costs as much as an uplink. Devices repeat what is
// not acknowledged, which the bound of package scheduler allows for and the arithmetic of package trial does not. The first part of the time, in which a
// plan is made and told, does not count.
package year
