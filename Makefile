# Godwit. `make help` lists the targets. Each does its own set-up and needs Go and git only; what more a machine has is used, and
# what it lacks is said in one line. Programs and tools are built into .bin/, which git ignores.

SHELL := /bin/sh
BIN   := $(CURDIR)/.bin
GO    ?= go

# One setting of cgo for everything but the race detector, so that build, vet, lint, fuzz and end-to-end tests share one build cache.
export CGO_ENABLED := 0

RACE     ?= auto# auto: use the race detector where it can work; required: fail where it cannot; off
FUZZTIME ?= 30s# per target, in `make fuzz`; 20000x counts runs instead of seconds
FUZZ     ?=# part of the names of targets, in `make fuzz`
DEMO     ?=# further flags of the demo, in `make run`
CHECKS   ?= 1000# draws of each property, in `make properties`
SEEDS    ?= 200# random worlds, in `make seeds`
SOAK     ?= 60s# length of a demo, in `make soak`
COUNT    ?= 1# repetitions, in `make bench`
SEED     ?=# of the fleets, in `make bench-schedule` and `make bench-rollout`
DEVICES  ?= 10000# of the fleet, in `make bench-schedule-world`
DAYS     ?= 365# that are played, in `make bench-schedule-world`
KEEP     ?=# file that has what `make bench-schedule-world` has played: it goes on there
RUNS     ?=# rollouts of good updates, in `make bench-rollout`
TRACES   ?=# folder of further CSV files, in `make bench-size`

.DEFAULT_GOAL := help
.PHONY: help run test build lint fuzz properties bench bench-size e2e soak vectors vet race fuzz-short hooks clean c seeds bench-world bench-schedule bench-schedule-world bench-rollout bench-satellite faults scenarios

help: ## list the targets
	@awk -F':.*## ' '/^[a-z][a-z0-9-]*:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## the whole gateway with a simulated fleet on loopback; Ctrl-C stops it (DEMO="--for 30s --devices 50")
	@exec $(BIN)/godwit-sim demo $(DEMO)

test: build vet lint race fuzz-short seeds e2e ## build, vet, lint, race tests, a short fuzz of every target, random worlds, end-to-end tests
	@echo "make test: all passed"

build: ## godwit and godwit-sim into .bin/
	$(GO) build ./...
	$(GO) build -trimpath -o $(BIN)/godwit ./gateway
	$(GO) build -trimpath -o $(BIN)/godwit-sim ./simulator

vet:
	$(GO) vet ./...

lint: $(BIN)/golangci-lint ## golangci-lint with .golangci.yml, built from .tools
	$(BIN)/golangci-lint run ./...

$(BIN)/golangci-lint: .tools/go.mod .tools/go.sum
	cd .tools && $(GO) build -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@touch $@

$(BIN)/benchstat: .tools/go.mod .tools/go.sum
	cd .tools && $(GO) build -o $@ golang.org/x/perf/cmd/benchstat
	@touch $@

race: ## all tests in random order, with the race detector where the machine can
	@.ci/race $(RACE)

fuzz: ## fuzz every target for FUZZTIME; goes on where it was stopped (FUZZ=Parse: those of that name)
	@mkdir -p $(BIN)
	@FUZZ=$(FUZZ) .ci/fuzz $(FUZZTIME) $(BIN)/fuzzed-$(FUZZTIME)$(FUZZ)

properties: ## properties and models with draws that nobody has seen: CHECKS of each (`make test` draws the same 100 each time)
	RAPID_CHECKS=$(CHECKS) $(GO) test -count=1 -timeout=0 $$(grep -rl --include='*_test.go' '"pgregory.net/rapid"' . | xargs -n 1 dirname | sort -u)

fuzz-short:
	@.ci/fuzz 4000x

vectors: ## check the published frame vectors
	$(GO) test -count=1 -run Vector ./codec/...

seeds: build ## random worlds in virtual time: SEEDS of them, and those that failed once
	$(BIN)/godwit-sim seeds --once --only simulator/testdata/seeds.txt
	$(BIN)/godwit-sim seeds --once --count $(SEEDS)

faults: build ## the fault matrix: the tests of each row, long ones too, the last line as JSON (as root more of it)
	$(BIN)/godwit-sim faults

scenarios: build ## every scenario of godwit-sim at its full size, reports in .bin/reports
	@mkdir -p $(BIN)/reports; for name in $$(ls simulator/scenario/scenarios | sed 's/\.toml$$//'); do \
	 $(BIN)/godwit-sim --log error run $$name --html $(BIN)/reports/$$name.html --json $(BIN)/reports/$$name.json >$(BIN)/reports/$$name.txt || exit 1; \
	 echo "$$name: $(BIN)/reports/$$name.html"; done

e2e: build ## processes, sockets and ptys: kill -9 under load, the demo, commands
	$(GO) test -tags=e2e -count=1 -timeout=10m ./gateway/e2e

bench: build ## benchmarks, then the gateway's figures as one line of JSON
	$(GO) test -run='^$$' -bench=. -benchmem -count=$(COUNT) ./codec/... ./gateway/...
	$(BIN)/godwit bench -o json

c: ## size of the device's side in C on a Cortex-M0+: code, stack, RAM
	@.ci/c

bench-size: build ## bytes per status, the last line as JSON (TRACES=DIR adds CSV files: a time, then numbers)
	$(BIN)/godwit bench size -o json --data ../shared/data $(if $(TRACES),--traces $(TRACES))

bench-world: build ## how fast virtual time passes: a year of 10,000 devices, and how much of it is the gateway's own time
	$(BIN)/godwit-sim bench -o json

bench-schedule: build ## a year of schedules against others and a lower bound, presence, times; the last line as JSON (SEED=7)
	$(BIN)/godwit-sim bench schedule $(if $(SEED),--seed $(SEED))

bench-satellite: build ## messages a second through DirectIP into synced events, as a ratio to a bare server, and webhooks against their deadline; the last line as JSON
	$(BIN)/godwit-sim bench satellite

bench-schedule-world: build ## the same fleet in a world through the gateway's hub, under four policies; the last line as JSON (DEVICES=1000 DAYS=30 KEEP=FILE)
	$(BIN)/godwit-sim bench schedule --world --devices $(DEVICES) --days $(DAYS) $(if $(SEED),--seed $(SEED)) $(if $(KEEP),--keep $(KEEP))

bench-rollout: build ## updates that do harm and others amid attrition and outages, verdicts and others' rules; the last line as JSON (SEED=7 RUNS=200)
	$(BIN)/godwit-sim bench rollout $(if $(SEED),--seed $(SEED)) $(if $(RUNS),--runs $(RUNS))

soak: build ## random worlds and demos, with new seeds in each round, until the first that fails
	@seed=1000; while $(BIN)/godwit-sim seeds --from $$seed --count 500 --record simulator/testdata/seeds.txt && \
	 $(BIN)/godwit-sim demo --for $(SOAK) --seed $$seed -o json; do seed=$$((seed + 500)); done; \
	 echo "a round from seed $$seed on failed"; exit 1

hooks: ## run .githooks/pre-commit before each commit
	git config core.hooksPath .githooks

clean: ## remove .bin/
	rm -rf $(BIN)
