# Each target is a script in tests/tools. This file only names them.

SHELL := /bin/bash
.DEFAULT_GOAL := help
# The scripts look for programs there, so the machine's own setting must not
# count.
export CARGO_TARGET_DIR := $(CURDIR)/target
# A first build is shorter without incremental compilation. Where somebody also
# builds by hand, both share one build.
export CARGO_INCREMENTAL ?= $(if $(wildcard $(CARGO_TARGET_DIR)/debug/incremental/*),1,0)
.PHONY: help run test soak bench screenshots k8s-check tools

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## run both services, NATS and a sandbox Discord (the real one with DISCORD_TOKEN)
	@tests/tools/run.sh

test: ## run every check
	@tests/tools/test.sh

soak: ## run the tests of faults, disasters and many pods with full figures (most of an hour)
	@tests/tools/soak.sh

bench: ## measure the table of docs/MEASUREMENTS.md, with baselines from the same run
	@tests/tools/bench.sh

screenshots: ## make the README's pictures from the sandbox's page
	@tests/tools/screenshots.sh

k8s-check: ## render the manifests of k8s/ and check them (needs the built services)
	@tests/tools/k8s-check.sh

tools: ## install what is missing for building and testing
	@tests/tools/setup.sh
