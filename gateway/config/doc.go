// Package config reads the gateway's configuration: one TOML file, then GODWIT_… variables of the environment, then --set options.
//
// Every mistake is reported at once, each with its line and a hint; a key that is not known is a mistake. Secrets are never written into
// the file: it names the files that hold them. Adding a second modem is adding a second table.
//
//	cfg, err := config.Load(config.Source{Path: "godwit.toml", Environ: os.Environ(), Set: []string{"api.listen=unix:/run/godwit/api"}})
//
// Products, the field lists of what devices report, are TOML files too. Two are built in for a first try; [gateway] products_dir names a
// folder with others. Tariffs are tables of the configuration; an example for each kind of link is built in.
//
// # Libraries
//
// BurntSushi/toml parses; it is small, complete and has no dependencies. go-viper/mapstructure binds what was parsed to the types here,
// since it reports all errors and unknown keys at once, where the parsers stop at the first; it has no dependencies either.
package config
