# `make` lists the targets. Each stands for one command; ARGS is passed on to it:
#   make lab-up ARGS="--name second --set lab_profile=floor"
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SUDO   := $(shell test "$$(id -u)" = 0 || echo sudo)

.DEFAULT_GOAL := help
.PHONY: help lab-up lab-down lab-status failover test lint types unit fuzz roles lab-test bench-up bench-grid clean

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---- the lab -------------------------------------------------------------------

lab-up: $(VENV)/.lab  ## Bring the lab up, from nothing or from where it is
	@$(BIN)/lab up $(ARGS)

lab-down: $(VENV)/.lab  ## Remove the lab
	@$(BIN)/lab down $(ARGS)

lab-status: $(VENV)/.lab  ## Show nodes, pods and frame rates
	@$(BIN)/lab status $(ARGS)

failover: $(VENV)/.lab  ## Break the running lab and measure its recovery
	@$(BIN)/pytest -m failover $(ARGS)

bench-up: $(VENV)/.lab  ## Time lab up cold, warm and on a running lab; print the idle load
	@$(BIN)/python -m benchmarks.up $(ARGS)

bench-grid: $(VENV)/.bench  ## Measure codec, simulator and PDC, pypmu beside them
	@$(BIN)/python -m benchmarks.grid $(ARGS)

# ---- the tests -----------------------------------------------------------------

test: lint types unit roles lab-test  ## Everything: lint, types, units, roles, a real lab

lint: $(VENV)/.dev  ## Lint and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev  ## Types
	$(BIN)/mypy

unit: $(VENV)/.dev  ## Unit tests, in parallel
	$(BIN)/python -m lab.host.packages ssh tshark mosquitto openssl
	$(BIN)/pytest -n auto tests/unit

fuzz: $(VENV)/.dev  ## Give damaged frames to the C37.118 decoders, for a minute
	$(BIN)/python -m fuzz $(ARGS)

roles: $(VENV)/.dev  ## Role checks: ansible-lint, arguments equal defaults
	cd playbooks && ../$(BIN)/ansible-lint --offline -q
	$(BIN)/pytest tests/roles

lab-test: $(VENV)/.dev  ## A real lab: up, failover cases, report, down
	$(BIN)/pytest -m lab tests/lab
	$(BIN)/pytest tests/manifests

# ---- the tools -----------------------------------------------------------------

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: $(PYTHON) is older than 3.11. Name a newer one: make PYTHON=python3.11 lab-up" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  { echo "Installing the missing system package python3-venv"; \
	    $(SUDO) apt-get -q update && $(SUDO) apt-get -qy install python3-venv; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.lab: $(VENV)/bin/python pyproject.toml
	@echo "Installing the kit's Python packages into $(VENV)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.lab pyproject.toml
	@echo "Installing the tools of the tests into $(VENV)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

$(VENV)/.bench: $(VENV)/.lab pyproject.toml
	@echo "Installing the benchmark's peer into $(VENV)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch $@

clean:  ## Remove what the tools left in this directory
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .ansible
