package transports

// What networks count of a message beside its payload, or in place of it.
const (
	smsBilled       = 140 // the user data of a short message (3GPP TS 23.040 §9.2.3.16), however little of it is used
	datagramHeaders = 28  // IPv4 (RFC 791) and UDP (RFC 768): 20 and 8; with IPv6 it would be 20 more
	idpHeader       = 2   // SIN and MIN
)

// Billed returns the bytes that a network of the bearer counts for so many messages with so many bytes of payload in all. On SMS each part of
// a concatenated message is a message; on UDP each datagram is one, with its headers; on IDP each has SIN and MIN. It is what goes over the network, before a
// tariff rounds it.
func (b Bearer) Billed(messages, payload uint64) uint64 {
	switch b {
	case SMS:
		return messages * smsBilled
	case UDP:
		return messages*datagramHeaders + payload
	case IDP:
		return messages*idpHeader + payload
	default:
		return payload
	}
}
