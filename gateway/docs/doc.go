// Package docs carries the documents that an operator needs beside a running gateway, so that the gateway can serve those of its own version.
package docs
