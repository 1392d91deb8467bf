# Everyday commands; the work is done by cargo and by the scripts in scripts/.
# A target with a `## text` is listed by `make`, one with `### text` only by `make help-all`.
SHELL := /bin/bash
.DEFAULT_GOAL := help

##@ See it work
.PHONY: demo
demo: ## Real Kafka and ClickHouse, 50,000 simulated events, five explained failures (DEMO_ONCE=1: then exit)
	@scripts/demo

##@ Change it
.PHONY: build test test-offline check fmt lint docs
build: ## Debug build of the binary
	cargo build --locked
test: ## Everything: real engines, unit and integration tests, alert rules
	@scripts/test
check: ## What a reviewer's machine checks: format, clippy, licences, spelling, shell scripts
	@scripts/check
fmt: ## Format the Rust sources
	cargo fmt
lint: ## clippy alone, warnings are errors
	cargo clippy --locked --all-targets -- -D warnings
docs: ## API documentation in target/doc
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items
test-offline: ### Unit tests and those that need no engine
	cargo test --locked --lib --bins --test contract --test cli --test dashboards --test docs
.PHONY: proof chaos
proof: ## The model test of exactly once with SEEDS=100000 random lives, and its mutants, which must fail
	PROOF_SEEDS=$(or $(SEEDS),100000) cargo test --locked --features crash-points --lib pipeline::proof
chaos: ## Exactly once under KILLS=200 kills of consumers, ClickHouse and broker (SEED=…)
	@scripts/chaos
.PHONY: test-rules snapshots
test-rules: ### Prometheus rules alone (promtool)
	scripts/check-rules
snapshots: ### Review changed insta snapshots (needs cargo-insta)
	cargo insta review

##@ Engines (Kafka and ClickHouse)
.PHONY: engines-up engines-down engines-status engines-logs engines-fetch engines-clean
engines-up: ## Start both, addresses in .engines/env
	@scripts/engines up
engines-down: ## Stop what was started
	@scripts/engines down
engines-status: ## What runs where
	@scripts/engines status
engines-logs: ### The end of their logs
	@scripts/engines logs
engines-fetch: ### Only download them
	@scripts/engines fetch
engines-clean: engines-down ### Stop them and delete their data; downloads stay
	rm -rf .engines/data .engines/log .engines/run

##@ Measure and ship
.PHONY: bench bench-e2e bench-lookup soak release image
bench: ## Benchmarks of the hot path, release build
	cargo bench --locked --bench hot_path
bench-e2e: ## Kafka to visible rows on real engines, and ClickHouse's Kafka engine beside it (EVENTS=1000000, RECORD=1)
	@scripts/bench-e2e
soak: ## Two consumers, everything killed at random, exact in the end (MINUTES=30, SEED, RATE, RECORD=1)
	@scripts/soak
bench-lookup: ## Look-ups and pages through the API with ROWS=10000000 events stored (RECORD=1, KEEP=1)
	@scripts/bench-lookup
release: ## Optimised binary in target/release
	cargo build --locked --release
image: ### Container image gatetrail:local
	docker build --tag gatetrail:local .

##@ Help
.PHONY: help help-all
# $(1): what stands between the target and its text
define list
	@awk 'BEGIN { FS = ":.*$(1) " } \
	  /^##@ / { group = substr($$0, 5) } \
	  /^[a-z0-9-]+:.*$(1) / { if (group != "") { printf "\n%s\n", group; group = "" } printf "  make %-15s %s\n", $$1, $$2 }' \
	  $(MAKEFILE_LIST)
endef
help:
	@echo "gatetrail: why did a request through an MCP gateway fail to authenticate?"
	$(call list,[^\#]##)
	@echo; echo "More: make help-all"
help-all: ### This list and the rarer targets
	$(call list,[^\#]###?)
