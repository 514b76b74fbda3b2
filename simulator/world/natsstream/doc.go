// Package natsstream is a stream of a real nats-server for worlds, one in this process on files of its own, with what may happen to such a server: it
// is started anew, its stream is deleted, its files become an older copy of themselves. The model in gateway/publish/streammodel stands for it where
// worlds must be fast and the same each time; here it is the server itself that is tried.
//
// It starts goroutines, those of the server and of the connection to it; Close ends them and waits.
package natsstream
