package api

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Role says what a token may do. Each may do what those before it may.
type Role uint8

// Roles.
const (
	Viewer Role = iota + 1
	Operator
	Approver
	Admin
)

var roleNames = []string{"", "viewer", "operator", "approver", "admin"}

// String is the role's name.
func (r Role) String() string {
	if int(r) < len(roleNames) {
		return roleNames[r]
	}
	return "invalid"
}

// ParseRole reads a role's name.
func ParseRole(s string) (Role, error) {
	if i := slices.Index(roleNames, s); i > 0 {
		return Role(i), nil //nolint:gosec // an index of the list
	}
	return 0, fmt.Errorf("%q is not a role: want viewer, operator, approver or admin", s)
}

// Errors of the token table.
var (
	ErrUnknownToken = errors.New("there is no such token")
	ErrTokenName    = errors.New("not possible as the name of a token")

	errWrongToken   = errors.New("the token is not known")
	errExpiredToken = errors.New("the token has expired")
)

// A Token is what is kept of one: never the token itself.
type Token struct {
	Name    string    `json:"name"`
	Role    string    `json:"role"`
	Hash    string    `json:"hash"` // SHA-256 of the token, in hex; it is random, so a slow hash would add nothing
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"` // zero: never
}

// Tokens is the table of who may come in, kept in a file of mode 0600. Safe for concurrent use.
type Tokens struct {
	mu     sync.RWMutex
	path   string
	byHash map[string]Token
}

const (
	tokenPrefix = "godwit_"
	firstToken  = "first" // the one in the token file
	tokensMax   = 1000
)

var tokenName = regexp.MustCompile(`^[A-Za-z0-9._@-]{1,64}$`)

// OpenTokens reads the table at path. The administrator's token stands in file; if there is no such file, it is made with a new token.
func OpenTokens(path, file string, now time.Time) (*Tokens, error) {
	t := &Tokens{path: path, byHash: make(map[string]Token)}
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the tokens: %w", err)
	}
	var list []Token
	if len(b) > 0 {
		if err := json.Unmarshal(b, &list); err != nil {
			return nil, fmt.Errorf("read the tokens: %s: %w", path, err)
		}
	}
	for _, k := range list {
		t.byHash[k.Hash] = k
	}
	secret, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		secret = []byte(newToken() + "\n")
		err = writeFile(file, secret)
	}
	if err != nil {
		return nil, fmt.Errorf("administrator's token: %w", err)
	}
	first := strings.TrimSpace(string(secret))
	if len(first) < 16 {
		return nil, fmt.Errorf("administrator's token: %s holds %d characters, want at least 16: remove the file to have a new one made", file, len(first))
	}
	if k, ok := t.byHash[hash(first)]; ok && k.Name == firstToken {
		return t, nil
	}
	t.drop(firstToken)
	t.byHash[hash(first)] = Token{Name: firstToken, Role: Admin.String(), Hash: hash(first), Created: now.UTC()}
	return t, t.save()
}

func newToken() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(b[:])
}

func hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// writeFile writes a file that is there whole or not at all.
func writeFile(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// save writes the table; mu is held, or nobody else knows t yet.
func (t *Tokens) save() error {
	b, err := json.MarshalIndent(t.list(), "", "  ")
	if err == nil {
		err = writeFile(t.path, append(b, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write the tokens: %w", err)
	}
	return nil
}

func (t *Tokens) list() []Token {
	list := make([]Token, 0, len(t.byHash))
	for _, k := range t.byHash {
		list = append(list, k)
	}
	slices.SortFunc(list, func(a, b Token) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// List returns all tokens by name.
func (t *Tokens) List() []Token {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.list()
}

// check finds the token that a request came with.
func (t *Tokens) check(secret string, now time.Time) (Token, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	k, ok := t.byHash[hash(secret)]
	switch {
	case !ok:
		return Token{}, errWrongToken
	case !k.Expires.IsZero() && !now.Before(k.Expires):
		return Token{}, errExpiredToken
	}
	return k, nil
}

// Create makes a token that is good for ttl; zero: until it is revoked. The secret is returned once and not kept.
func (t *Tokens) Create(name string, role Role, ttl time.Duration, now time.Time) (secret string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !tokenName.MatchString(name) {
		return "", fmt.Errorf("%q: %w: want 1 to 64 of A-Z a-z 0-9 . _ @ -", name, ErrTokenName)
	}
	if len(t.byHash) >= tokensMax || slices.ContainsFunc(t.list(), func(k Token) bool { return k.Name == name }) {
		return "", fmt.Errorf("%q: %w: it is taken, or there are %d", name, ErrTokenName, tokensMax)
	}
	secret = newToken()
	k := Token{Name: name, Role: role.String(), Hash: hash(secret), Created: now.UTC()}
	if ttl > 0 {
		k.Expires = now.Add(ttl).UTC()
	}
	t.byHash[k.Hash] = k
	if err := t.save(); err != nil {
		delete(t.byHash, hash(secret))
		return "", err
	}
	return secret, nil
}

// Revoke makes a token worthless at once.
func (t *Tokens) Revoke(name string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if name == firstToken {
		return fmt.Errorf("%q: %w: it comes from the token file; remove that and start again", name, ErrTokenName)
	}
	k, ok := t.drop(name)
	if !ok {
		return fmt.Errorf("%q: %w", name, ErrUnknownToken)
	}
	if err := t.save(); err != nil {
		t.byHash[k.Hash] = k
		return err
	}
	return nil
}

func (t *Tokens) drop(name string) (Token, bool) {
	for h, k := range t.byHash {
		if k.Name == name {
			delete(t.byHash, h)
			return k, true
		}
	}
	return Token{}, false
}
