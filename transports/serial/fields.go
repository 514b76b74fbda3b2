package serial

import "strings"

// Fields splits the parameters of a reply at commas outside of quotes, and takes the quotes away. There is one at least, which may be empty.
func Fields(s string) []string {
	var out []string
	quoted := false
	start := 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && s[i] == '"' {
			quoted = !quoted
		}
		if i == len(s) || (s[i] == ',' && !quoted) {
			out = append(out, strings.Trim(strings.TrimSpace(s[start:i]), `"`))
			start = i + 1
		}
	}
	return out
}
