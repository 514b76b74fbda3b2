package transports

import "strings"

// ValidIMEI reports whether s has the form of an IMEI: 15 digits. The last one is a checksum, which is not verified.
func ValidIMEI(s string) bool { return len(s) == 15 && strings.Trim(s, "0123456789") == "" }
