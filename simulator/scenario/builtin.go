package scenario

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

//go:embed scenarios/*.toml
var builtIn embed.FS

// Reference is a scenario with every key and a comment on each.
//
//go:embed reference.toml
var Reference string

// ErrUnknown is wrapped by the error for a scenario that is not there.
var ErrUnknown = errors.New("no such scenario")

// Names are those of the scenarios that come with the program.
func Names() []string {
	files, err := fs.Glob(builtIn, "scenarios/*.toml")
	if err != nil {
		panic("scenario: " + err.Error()) // the pattern is ours
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(strings.TrimPrefix(f, "scenarios/"), ".toml")
	}
	return files
}

// Text is the file of a scenario that comes with the program.
func Text(name string) (string, error) {
	text, err := builtIn.ReadFile("scenarios/" + name + ".toml")
	if err != nil {
		return "", fmt.Errorf("%w as %q: built in are %s", ErrUnknown, name, strings.Join(Names(), ", "))
	}
	return string(text), nil
}

// Load reads a scenario: a file, or one that comes with the program by its name.
func Load(name string) (*Scenario, error) {
	if !strings.ContainsAny(name, "./"+string(filepath.Separator)) {
		text, err := Text(name)
		if err != nil {
			return nil, err
		}
		return Parse(name+".toml", text, nil)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: there is no file %s; built in are %s", ErrUnknown, name, strings.Join(Names(), ", "))
		}
		return nil, fmt.Errorf("scenario: %w", err)
	}
	return Parse(name, string(text), os.DirFS(filepath.Dir(name)))
}
