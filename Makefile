# The one entry point for people and CI. `make help` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
export PATH := $(HOME)/.cargo/bin:$(PATH):/usr/sbin:/sbin

# The code generator builds flatc from source for minutes and needs cmake: only `make check-codegen`
# touches it.
WORKSPACE := --workspace --exclude silverback-codegen --locked
GATEWAY := target/release/silverback
# Arguments for the programs behind `make perf` and `make bench`.
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup setup-build setup-test setup-perf setup-bench quickstart quickstart-check build \
	test prepare-test run-test check check-codegen deny advisories \
	bench perf

help: ## lists the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

setup: setup-build setup-test setup-perf setup-bench ## installs all that the targets below need (Debian; asks nothing)

setup-build:
	@command -v cargo >/dev/null || { echo "setup: Rust is missing; install it from https://rustup.rs" >&2; exit 1; }
	@.ci/install cc:build-essential

setup-test: setup-build
	@.ci/install python3:python3

setup-perf: setup-build
	@.ci/install wrk:wrk nginx:nginx-light strace:strace ip:iproute2

setup-bench: setup-build
	@.ci/install valgrind:valgrind

build: setup-build ## builds the gateway, optimised
	@echo "building the gateway: some minutes the first time, seconds later"
	cargo build --release --locked --package silverback-server

quickstart: build ## builds and runs the gateway with a demo upstream; Ctrl-C ends it
	@exec $(GATEWAY) quickstart

quickstart-check: build ## the same, sends the demo requests itself and ends
	@exec $(GATEWAY) quickstart --check

test: prepare-test run-test ## all tests; the last line counts them

# The whole-process tests start this binary.
prepare-test: setup-test
	cargo build --locked --package silverback-server

run-test:
	@.ci/test

check: setup-build ## format, lints, documentation, repository rules, dependency policy, generated code
	cargo fmt --all --check
	cargo clippy $(WORKSPACE) --all-targets -- --deny warnings
	RUSTDOCFLAGS="--deny warnings" cargo doc $(WORKSPACE) --no-deps
	cargo test --locked --package silverback-tests --test tidy
	@$(MAKE) deny
	@$(MAKE) check-codegen

deny:
	@if cargo deny --version >/dev/null 2>&1; then \
		echo "cargo deny check bans licenses sources"; \
		cargo deny --locked check --hide-inclusion-graph bans licenses sources; \
	else \
		echo "skipped: dependency policy (deny.toml); install with: cargo install --locked cargo-deny"; \
	fi

advisories: ## known vulnerabilities of the dependencies; fetches the RustSec database
	cargo deny --locked check advisories

# Regenerating takes minutes the first time.
check-codegen:
	@if command -v cmake >/dev/null; then \
		cargo --locked codegen -- --check; \
	else \
		echo "skipped: whether schema/src/generated is up to date; needs: apt-get install cmake"; \
	fi

bench: setup-bench ## criterion and instruction-count benches
	cargo bench --locked --package silverback-benches $(ARGS)

perf: build setup-perf ## requests per CPU-second beside nginx; ARGS="--help" lists what it can do
	cargo build --release --locked --package silverback-perf
	target/release/silverback-perf $(ARGS)
