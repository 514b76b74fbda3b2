// Package rollouts puts package verdict to the test: updates that do harm, and updates that do none while other things go wrong, on a fleet of 10,000
// devices, beside the rules that people use instead.
//
// A fleet of package trial lives in virtual time at the intervals that its plan gave it, loses contacts one by one and in outages, and dies now and
// then. An update goes out in waves of 4, 10, 30 and 95 % of the devices in random order; it is delivered at a contact, after which a device reports
// after 10 minutes and 1, 4 and 12 hours until it is heard. A bad update silences a share of the devices of one product, at once or within days.
//
// The same devices, seeds and judge as in production: nothing is tuned to a scenario. What is usual is learned by package presence from two months
// of the same fleet, in which each device had one good update. Everything is drawn from seeds.
package rollouts
