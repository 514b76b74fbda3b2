package store

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Where a key-encryption key may come from, besides a file: what stands before the name.
const (
	fromService = "credential:" // a credential of the service manager: systemd's LoadCredential or LoadCredentialEncrypted
	fromEnv     = "env:"        // a variable of the environment
)

// KEKIsFile reports whether a source of a key-encryption key is a file: only that is made if it is missing.
func KEKIsFile(source string) bool {
	return !strings.HasPrefix(source, fromService) && !strings.HasPrefix(source, fromEnv)
}

// LoadKEK reads a KEK from its source: a file, "credential:NAME" (a file of that name in $CREDENTIALS_DIRECTORY), or "env:NAME" (a variable of
// the environment). A file and a credential hold 32 bytes or 64 hexadecimal digits, a variable the digits. If there is no such file and create
// says so, it is made with a fresh key. Create only with a store that holds no keys yet: with another one a missing file is a loss that must
// not be papered over.
func LoadKEK(source string, create bool) (*KEK, error) {
	key, err := ReadKEK(source, create)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	kek, err := NewKEK(key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	return kek, nil
}

// ReadKEK reads the bytes of a KEK as LoadKEK does. The caller clears them.
func ReadKEK(source string, create bool) ([]byte, error) {
	if name, ok := strings.CutPrefix(source, fromEnv); ok {
		value, ok := os.LookupEnv(name)
		if !ok {
			return nil, fmt.Errorf("%w: the environment has no variable %s", ErrKEK, name)
		}
		key, err := hex.DecodeString(strings.TrimSpace(value))
		if err != nil {
			return nil, fmt.Errorf("%w: variable %s: want 64 hexadecimal digits", ErrKEK, name)
		}
		return key, nil
	}
	path := source
	if name, ok := strings.CutPrefix(source, fromService); ok {
		dir := os.Getenv("CREDENTIALS_DIRECTORY")
		if dir == "" || name == "" || strings.ContainsRune(name, filepath.Separator) {
			return nil, fmt.Errorf("%w: no credential %q: the unit needs LoadCredential= or LoadCredentialEncrypted= of that name", ErrKEK, name)
		}
		path = filepath.Join(dir, name)
	} else if err := ownerOnly(path, create); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(path) //nolint:gosec // the name has no separator, the folder is the service manager's
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKEK, err)
	}
	if len(b) >= 2*kekSize {
		if key, err := hex.DecodeString(strings.TrimSpace(string(b))); err == nil {
			clear(b)
			return key, nil
		}
	}
	return b, nil
}

// ownerOnly refuses a file that others may read, and makes one that is missing if create says so. Who may read a credential is the service
// manager's affair.
func ownerOnly(path string, create bool) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && create:
		return createKEK(path)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrKEK, err)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("%w: others may read %s (mode %#o)", ErrKEK, path, info.Mode().Perm())
	}
	return nil
}
