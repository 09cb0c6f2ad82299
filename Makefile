# What there is to do here. Needs Python >= 3.11, git and make; Go too, for the linters of the manifests and the tests' control plane.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help python venv lint format test test-chart demo bench lock clean

VENV := .venv
READY := $(VENV)/.ready
PYTHONS := python3.13 python3.12 python3.11 python3
IS_USABLE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))

help: ## show this
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

python: # print the Python that the virtual environment is made with
	@for python in $(PYTHONS); do \
	  if $$python -c '$(IS_USABLE)' 2>/dev/null; then echo $$python; exit 0; fi; \
	done; \
	echo "There is no Python >= 3.11 with venv here (tried: $(PYTHONS))." \
	  "Install one; on Debian 12 or later: apt install python3 python3-venv" >&2; \
	exit 1

venv: $(READY) ## make or update the virtual environment, from requirements-dev.lock

# An environment that works is kept and updated. pip gets what it builds with from the lock, too.
$(READY): requirements-dev.lock pyproject.toml
	@if ! $(VENV)/bin/python -c '$(IS_USABLE)' 2>/dev/null; then \
	  python=$$($(MAKE) --no-print-directory -s python); \
	  echo "venv: making $(VENV) with $$($$python --version)"; \
	  $$python -m venv --clear $(VENV); \
	fi
	@echo "venv: installing what requirements-dev.lock names"
	@$(VENV)/bin/pip install --disable-pip-version-check --require-hashes -r requirements-dev.lock \
	  | sed -nuE 's/^Collecting ([^ ]+).*/venv:   \1/p'
	@echo "venv: installing this checkout, editable"
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@

lint: $(READY) ## check format, style, types, the arrows between the rooms, and the manifests
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/python -m tests.lint

format: $(READY) ## format the code and correct what can be corrected
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

test: $(READY) ## run all tests; some of them: make test ARGS="tests/config -x"
	@$(VENV)/bin/python -c "from tests.controlplane.binaries import obtain; obtain()" # shows its build, which pytest would hide
	$(VENV)/bin/pytest $(ARGS)

test-chart: $(READY) ## try the Helm chart with the real Helm, which is built once (4 min on 2 cores)
	@$(VENV)/bin/python -c "from tests.chart.with_helm import KIT; KIT.obtain()"
	$(VENV)/bin/pytest tests/chart/with_helm.py

demo: $(READY) ## show the operator at work, with simulated vendors; KEEP=1: until Ctrl-C
	KEEP="$(KEEP)" $(VENV)/bin/python -m tests.demo

bench: $(READY) ## measure it beside plain kopf; N=10000: with so many tasks; ONLY=restart, POLLS=300000: see tests/bench
	$(VENV)/bin/python -m tests.bench $(if $(N),--tasks $(N)) $(if $(POLLS),--polls $(POLLS)) $(ONLY)

COMPILE = UV_CUSTOM_COMPILE_COMMAND="make lock" $(VENV)/bin/uv pip compile --quiet --no-config --universal \
	--python-version 3.11 --generate-hashes $(if $(UPGRADE),--upgrade)
BUILD_REQUIRES = $(VENV)/bin/python -c \
	'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")'

lock: $(READY) ## lock what pyproject.toml asks for; UPGRADE=1: at the newest versions
	$(BUILD_REQUIRES) | $(COMPILE) pyproject.toml --extra dev - -o requirements-dev.lock
	$(COMPILE) pyproject.toml -c requirements-dev.lock -o requirements.lock
	$(BUILD_REQUIRES) | $(COMPILE) - -c requirements-dev.lock -o requirements-build.lock

clean: ## remove caches and what was built; the virtual environment stays
	rm -rf build dist operator/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find operator tests -name __pycache__ -type d -prune -exec rm -rf {} +
