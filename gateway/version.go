package main

import (
	"runtime"

	"github.com/godwit-gateway/godwit/gateway/node"
)

type versionCmd struct{}

// Help shows an example.
func (versionCmd) Help() string {
	return `Example:
  godwit version
  godwit version -o json | jq -r .version`
}

// Run prints the build.
func (versionCmd) Run(e *env) error {
	v := map[string]string{"version": node.Version(), "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH}
	return e.print(v, "", func(row func(...any)) { row("godwit", v["version"], v["go"], v["platform"]) })
}
