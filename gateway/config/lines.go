package config

import (
	"regexp"
	"strconv"
	"strings"
)

// lines finds the line of a key, for errors: the parser says where a syntax error is, but not where a key that it read was. It looks at
// headers and assignments only.
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
	prefix, quotes := "", ""       // of a text of several lines that is open
	for n, line := range strings.Split(text, "\n") {
		if quotes == "" {
			if m := headerLine.FindStringSubmatch(line); m != nil {
				prefix = placeOf(plainKey(m[2]), counts)
				if m[1] == "[[" {
					l.note(prefix, n+1) // the list itself
					counts[prefix]++
					prefix += "[" + strconv.Itoa(counts[prefix]-1) + "]"
				}
				l.note(prefix, n+1)
			} else if m := keyLine.FindStringSubmatch(line); m != nil {
				l.note(join(prefix, plainKey(m[1])), n+1)
			}
		}
		quotes = openQuotes(line, quotes)
	}
	return l
}

// placeOf is a header's key with the places of the tables around it: a header below an array of tables means the last of them.
func placeOf(key string, counts map[string]int) string {
	place := ""
	for part := range strings.SplitSeq(key, ".") {
		if n := counts[place]; n > 0 {
			place += "[" + strconv.Itoa(n-1) + "]"
		}
		place = join(place, part)
	}
	return place
}

// openQuotes are the triple quotes that are open after a line, "" if none are.
func openQuotes(line, quotes string) string {
	for {
		if quotes != "" {
			_, rest, closed := strings.Cut(line, quotes)
			if !closed {
				return quotes
			}
			line, quotes = rest, ""
			continue
		}
		i := strings.IndexAny(line, `"'#`)
		if i < 0 || line[i] == '#' {
			return ""
		}
		if triple := strings.Repeat(line[i:i+1], 3); strings.HasPrefix(line[i:], triple) {
			line, quotes = line[i+3:], triple
			continue
		}
		_, rest, closed := strings.Cut(line[i+1:], line[i:i+1])
		if !closed {
			return ""
		}
		line = rest
	}
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
