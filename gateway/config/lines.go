package config

import (
	"regexp"
	"strconv"
	"strings"
)

// lines finds the line of a key, for errors: the parser says where a syntax error is, but not where a key that it read was. It looks at
// headers and assignments only, which is exact for files without multi-line strings that look like them.
type lines struct {
	byPath map[string]int // "link.udp0.listen", "fleet_key[1].numbers"
}

var (
	headerLine = regexp.MustCompile(`^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?`)
	keyLine    = regexp.MustCompile(`^\s*([A-Za-z0-9_.\-"' ]+?)\s*=`)
)

func scanLines(text string) *lines {
	l := &lines{byPath: make(map[string]int)}
	counts := make(map[string]int) // of arrays of tables
	prefix := ""
	for n, line := range strings.Split(text, "\n") {
		if m := headerLine.FindStringSubmatch(line); m != nil {
			prefix = plainKey(m[2])
			if m[1] == "[[" {
				i := counts[prefix]
				counts[prefix]++
				prefix += "[" + strconv.Itoa(i) + "]"
			}
			l.note(prefix, n+1)
		} else if m := keyLine.FindStringSubmatch(line); m != nil {
			l.note(join(prefix, plainKey(m[1])), n+1)
		}
	}
	return l
}

func (l *lines) note(path string, line int) {
	if _, ok := l.byPath[path]; !ok {
		l.byPath[path] = line
	}
}

// of is the line of a key, or of the closest table around it; 0 if it is not in the file at all.
func (l *lines) of(path string) int {
	for path != "" {
		if n, ok := l.byPath[path]; ok {
			return n
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return 0
}

// plainKey is a TOML key without quotes and spaces around its parts.
func plainKey(key string) string {
	parts := strings.Split(key, ".")
	for i, p := range parts {
		parts[i] = strings.Trim(p, ` "'`)
	}
	return strings.Join(parts, ".")
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
