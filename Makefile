# `make` lists the targets. Each stands for one command; ARGS is passed on to it:
#   make lab-up ARGS="--name second --set lab_profile=floor"
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SUDO   := $(shell test "$$(id -u)" = 0 || echo sudo)

# What a user sets for other work. Programs of the kit get an environment that it composes.
unexport CDPATH LD_LIBRARY_PATH LD_PRELOAD PIP_CONSTRAINT PIP_PREFIX PIP_REQUIRE_VIRTUALENV \
  PIP_TARGET PIP_USER PYTHONHOME PYTHONOPTIMIZE PYTHONPATH PYTHONWARNINGS

.DEFAULT_GOAL := help
.PHONY: help lab-up lab-down lab-status failover bench-alarms bench-changes bench-rows bench-up bench-grid test lint types unit roles wheel docs lab-test \
  fuzz chaos bare clean

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

bench-alarms: $(VENV)/.lab  ## Cut off servers of the running lab by their role; count healthy nodes lost
	@$(BIN)/python -m benchmarks.alarms $(ARGS)

bench-changes: $(VENV)/.lab  ## Change the running lab in each way; count frames and rows lost
	@$(BIN)/python -m benchmarks.changes $(ARGS)

bench-rows: $(VENV)/.lab  ## Kill MySQL of the running lab and cut off its node; count rows lost
	@$(BIN)/python -m benchmarks.rows $(ARGS)

bench-up: $(VENV)/.lab  ## Time lab up cold, warm, on a running lab; or NODES=1,3,5 REPEAT=30 times
	@$(BIN)/python -m benchmarks.$(if $(NODES),deployment --nodes $(NODES) --repeat $(or $(REPEAT),30),up) $(ARGS)

bench-grid: $(VENV)/.bench  ## Measure codec, simulator and PDC, pypmu beside them
	@$(BIN)/python -m benchmarks.grid $(ARGS)

# ---- the tests -----------------------------------------------------------------

test: lint types unit roles wheel  ## Everything, from lint to the documents' commands on a real lab
	@$(MAKE) --no-print-directory chaos ARGS="--minutes 5 --seed 4"
	@$(MAKE) --no-print-directory lab-test

lint: $(VENV)/.dev  ## Lint, format, and the directions of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo --no-cache

types: $(VENV)/.dev  ## Types
	$(BIN)/mypy

unit: $(VENV)/.dev  ## Unit tests, in parallel; rules of the tree and of the documents
	$(BIN)/python -m lab.host.packages ip iptables ssh tshark mosquitto openssl
	$(BIN)/pytest -n auto tests/unit tests/docs

roles: $(VENV)/.dev  ## Role checks: ansible-lint, arguments equal defaults
	cd playbooks && ../$(BIN)/ansible-lint --offline -q
	$(BIN)/pytest tests/roles

wheel: $(VENV)/.dev  ## Build the wheel and use it outside of any checkout
	$(BIN)/pytest tests/wheel

docs: $(VENV)/.dev  ## Run the documents' commands that need no lab, in a clone
	$(BIN)/pytest -m 'docs and not lab' tests/docs

lab-test: $(VENV)/.dev  ## A real lab from a clone: the documents' commands, the cases, down
	$(BIN)/pytest -m 'docs or lab' tests/docs tests/lab
	$(BIN)/pytest tests/manifests

fuzz: $(VENV)/.dev  ## Give damaged frames to the C37.118 decoders, for a minute
	$(BIN)/python -m fuzz $(ARGS)

chaos: $(VENV)/.dev  ## Break a lab and kill the kit at work on it, at random, for an hour
	$(BIN)/python -m chaos $(ARGS)

bare: $(VENV)/.dev  ## All commands as a user with sudo, in a bare Debian and a bare Ubuntu
	$(BIN)/pytest -m bare tests/bare $(ARGS)

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
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[lab]'
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
