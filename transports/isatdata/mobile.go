package isatdata

// MobileIDLen is the length of a mobile ID.
const MobileIDLen = 15

// ValidMobileID reports whether s has the form of a mobile ID: 8 digits, three capital letters that name the maker, and four hexadecimal digits that
// are a checksum, as in 01234567SKYABCD. Which polynomial the checksum has is not public, so it is not verified.
func ValidMobileID(s string) bool {
	if len(s) != MobileIDLen {
		return false
	}
	for i := range len(s) {
		c := s[i]
		digit, letter := '0' <= c && c <= '9', 'A' <= c && c <= 'Z'
		switch {
		case i < 8 && !digit, i >= 8 && i < 11 && !letter, i >= 11 && !digit && (!letter || c > 'F'):
			return false
		}
	}
	return true
}
