package docs

import "embed"

// Files holds ARCHITECTURE.md, OPERATIONS.md, FIGURES.md, CHANGELOG.md and the decisions in adr/.
//
//go:embed *.md adr/*.md
var Files embed.FS
