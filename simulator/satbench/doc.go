// Package satbench measures how fast a whole gateway takes messages from satellite networks.
//
//	clients --TCP, one message on each connection--> gateway: verified, synced with its event, confirmed
//	                                            \--> bare server: read, confirmed
//
//	web service --webhooks, so many a second--> gateway: signature and frame verified, synced with its event, 200
//
// Both servers of TCP get the same messages from the same clients, one after the other in each round, so that what else the machine does strikes both.
package satbench
