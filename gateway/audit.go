package main

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/godwit-gateway/godwit/gateway/audit"
	"github.com/godwit-gateway/godwit/gateway/backup"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/node"
)

type auditCmd struct {
	List   auditListCmd   `cmd:"" help:"List who allowed what."`
	Verify auditVerifyCmd `cmd:"" help:"Check that no authorisation was changed or left out."`
}

type auditListCmd struct {
	After uint64 `help:"Only entries after this number." default:"0"`
	Limit int    `help:"At most so many; 0 for all." default:"0"`
}

// Help shows an example.
func (auditListCmd) Help() string {
	return `Example:
  godwit audit list
  godwit audit list -o json | jq '.[] | select(.action == "rollout.approve")'`
}

// Run lists.
func (c *auditListCmd) Run(e *env) error {
	all, err := pages[hub.AuditEntry](e, "/audit", url.Values{"cursor": {strconv.FormatUint(c.After, 10)}}, c.Limit)
	if err != nil {
		return err
	}
	return e.print(all, "SEQ AT WHO ROLE ACTION SUBJECT REMARK", func(row func(...any)) {
		for i := range all {
			x := &all[i]
			row(x.Seq, x.At, x.Who, x.Role, x.Action, x.Subject, x.Remark)
		}
	})
}

type auditVerifyCmd struct {
	Offline bool   `help:"Read the store of the configuration, while no gateway runs, instead of asking the gateway." xor:"where"`
	Backup  string `help:"Read a folder with a backup instead." type:"path" placeholder:"DIR" xor:"where"`
	Head    string `help:"An entry that was seen before, by number and hash: the chain must hold it." placeholder:"SEQ:HASH"`
}

// Help shows an example.
func (auditVerifyCmd) Help() string {
	return `Each entry holds the hash of the one before, so that none can be changed or left out between others. That the
end was cut off only shows to who knows a later head: keep the one that this command prints, or an event of kind audit.
Ends with exit code 1 if something is wrong.

Example:
  godwit audit verify
  godwit audit verify --head 12:HASH
  godwit audit verify --offline --config godwit.toml
  godwit audit verify --backup /mnt/backup/2027-03-01`
}

var errAudit = errors.New("the chain of authorisations is not sound")

// Run verifies.
func (c *auditVerifyCmd) Run(e *env) error {
	known, err := headOf(c.Head)
	if err != nil {
		return err
	}
	r, err := c.report(e, known)
	if err != nil {
		return err
	}
	err = e.print(r, "", func(row func(...any)) {
		row("entries", r.Entries)
		row("head", fmt.Sprintf("%d:%s", r.Head.Seq, r.Head.Hash))
		for _, p := range r.Problems {
			row("problem", p)
		}
		if r.Sound {
			row("the chain is sound")
		}
	})
	if err == nil && !r.Sound {
		return errAudit
	}
	return err
}

func (c *auditVerifyCmd) report(e *env, known audit.Head) (r audit.Report, err error) {
	if !c.Offline && c.Backup == "" {
		client, err := e.client()
		if err != nil {
			return r, err
		}
		q := url.Values{}
		if known.Seq > 0 {
			q.Set("seq", strconv.FormatUint(known.Seq, 10))
			q.Set("hash", known.Hash.String())
		}
		err = client.Get(e.ctx, "/audit/verify", q, &r)
		return r, err
	}
	var dir string
	if c.Backup != "" {
		dir = backup.StoreDir(c.Backup)
		if _, err := backup.Verify(e.ctx, c.Backup); err != nil {
			return r, err
		}
	} else {
		cfg, err := e.load()
		if err != nil {
			return r, err
		}
		dir = node.StoreDir(cfg)
	}
	s, err := openStore(dir, true)
	if err != nil {
		return r, err
	}
	r, err = audit.Verify(s.EachAudit, known)
	return r, errors.Join(err, s.Close())
}

// headOf reads number and hash of an entry.
func headOf(text string) (h audit.Head, err error) {
	if text == "" {
		return h, nil
	}
	number, hash, _ := strings.Cut(text, ":")
	h.Seq, err = strconv.ParseUint(number, 10, 63)
	if err == nil && h.Seq == 0 {
		err = errors.New("entries count from 1")
	}
	if err == nil {
		err = h.Hash.UnmarshalText([]byte(hash))
	}
	if err != nil {
		return h, fmt.Errorf("%w: --head %s: want number:hash: %w", errUsage, text, err)
	}
	return h, nil
}
