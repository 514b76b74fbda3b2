// Package webservice asks web services that want credentials, and lets these get nowhere else: not to where a redirect leads, not over a network in the
// clear, and into no error.
//
//	answer, reached, err := webservice.Ask(client, request, answerMax)
package webservice
