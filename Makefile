# What there is to do here. Needs Python >= 3.11, git and make; Go too, for the linters of the manifests and the tests' control plane.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help python venv lint format test test-pages test-chart test-gitops test-image test-alerts monitoring picture test-crash test-quiet flaky soak demo bench lock image sbom audit clean

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

lint: $(READY) ## check format, style, types, the arrows between the rooms, the Dockerfile and the manifests
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/hadolint Dockerfile
	$(VENV)/bin/python -m tests.lint

format: $(READY) ## format the code and correct what can be corrected
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

test: $(READY) ## run all tests but those of the pages; some of them: make test ARGS="tests/config -x"
	@$(VENV)/bin/python -c "from tests.controlplane.binaries import obtain; obtain()" # shows its build, which pytest would hide
	@$(VENV)/bin/python -c "from tests.gitops.gitopscheck import KIT; KIT.obtain()"
	$(VENV)/bin/pytest $(or $(ARGS),--ignore=tests/lifecycle --ignore=tests/argocd -n 2 --dist loadfile --no-loadscope-reorder)

test-pages: $(READY) ## type what the pages on installing, upgrading, moving and scaling say, with whole installs (about 5 min)
	@$(VENV)/bin/python -c "from tests.controlplane.binaries import obtain; obtain()"
	$(VENV)/bin/pytest tests/lifecycle

test-chart: $(READY) ## try the Helm chart with the real Helm, which is built once (4 min on 2 cores)
	@$(VENV)/bin/python -c "from tests.chart.with_helm import KIT; KIT.obtain()"
	$(VENV)/bin/pytest tests/chart/with_helm.py

test-gitops: $(READY) ## sync tasks from Git with a whole Argo CD, and with Flux (8 min; their build, once: 12 min on 2 cores)
	@$(VENV)/bin/python -c "from tests.controlplane.binaries import obtain; obtain()"
	@$(VENV)/bin/python -m tests.argocd >/dev/null
	$(VENV)/bin/pytest $(or $(ARGS),tests/argocd)

test-image: $(READY) ## build the image twice, without a daemon, and run the operator out of it (5 min; needs root and Debian)
	@$(VENV)/bin/python -c "from tests.controlplane.binaries import obtain; obtain()"
	$(VENV)/bin/pytest tests/image/check_built.py

test-alerts: $(READY) ## see how long it takes from a vendor to an alert, with the settings of the samples (about 2 min)
	@$(VENV)/bin/python -c "from tests.controlplane.binaries import obtain; obtain()"
	$(VENV)/bin/pytest -s tests/monitoring/in_time.py

monitoring: $(READY) ## write what manifests/monitoring/ has made of something else: the PrometheusRule, the dashboard
	$(VENV)/bin/python -m tests.monitoring

picture: $(READY) ## play an evening on which things go wrong, and draw what the dashboard shows of it (about 6 min)
	$(VENV)/bin/python -m tests.monitoring picture

test-crash: $(READY) ## kill the operator around every single effect of what it does, a process for each
	@$(VENV)/bin/python -c "from tests.controlplane.binaries import obtain; obtain()"
	CRASH_EVERY_POINT=1 $(VENV)/bin/pytest tests/faults/test_crash.py

test-quiet: $(READY) ## let 1,000 tasks change 20 times each, and count what a watch is told of (about 12 min)
	@$(VENV)/bin/python -c "from tests.controlplane.binaries import obtain; obtain()"
	@$(VENV)/bin/python -c "from tests.gitops.gitopscheck import KIT; KIT.obtain()"
	$(VENV)/bin/pytest -s tests/gitops/a_thousand.py

flaky: $(READY) ## run the fault tests TIMES=20 times in a row, until one fails; some: ARGS="tests/faults/test_crash.py"
	@for run in $$(seq $(or $(TIMES),20)); do \
	  echo "flaky: run $$run of $(or $(TIMES),20)"; $(VENV)/bin/pytest -q $(or $(ARGS),tests/faults -n 2 --dist loadfile --no-loadscope-reorder) || exit 1; \
	done

soak: $(READY) ## break everything at random for MINUTES=10, mend it, and judge what is left; SEED=7 repeats one
	@$(VENV)/bin/python -c "from tests.controlplane.binaries import obtain; obtain()"
	$(VENV)/bin/python -m tests.soak $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

demo: $(READY) ## show the operator at work, with simulated vendors; KEEP=1: until Ctrl-C
	KEEP="$(KEEP)" $(VENV)/bin/python -m tests.demo

bench: $(READY) ## measure it beside plain kopf; N=10000: with so many tasks; ONLY=restart, POLLS=300000: see tests/bench
	$(VENV)/bin/python -m tests.bench $(if $(N),--tasks $(N)) $(if $(POLLS),--polls $(POLLS)) $(if $(README),--readme) $(ONLY)

COMPILE = UV_CUSTOM_COMPILE_COMMAND="make lock" $(VENV)/bin/uv pip compile --quiet --no-config --universal \
	--python-version 3.11 --generate-hashes $(if $(UPGRADE),--upgrade)
BUILD_REQUIRES = $(VENV)/bin/python -c \
	'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")'

lock: $(READY) ## lock what pyproject.toml asks for; UPGRADE=1: at the newest versions
	$(BUILD_REQUIRES) | $(COMPILE) pyproject.toml --extra dev - -o requirements-dev.lock
	$(COMPILE) pyproject.toml -c requirements-dev.lock -o requirements.lock
	$(BUILD_REQUIRES) | $(COMPILE) - -c requirements-dev.lock -o requirements-build.lock
	$(COMPILE) --group audit -o requirements-audit.lock

VERSION := $(shell sed -n 's/^version = "\(.*\)"$$/\1/p' pyproject.toml)
IMAGE := livetask-operator:$(VERSION)
# What the image is made of. The same inputs have the same layers, whatever else was committed since.
INPUTS := Dockerfile .dockerignore requirements.lock requirements-build.lock pyproject.toml README.md LICENSE operator

image: ## build the image; choose IMAGE=name:tag, ENGINE=docker|podman|buildah, PYTHON_IMAGE=the base, ARGS=more options
	@engine="$(ENGINE)"; \
	for each in docker podman buildah; do \
	  if [ -z "$$engine" ] && $$each info >/dev/null 2>&1; then engine=$$each; fi; \
	done; \
	if [ -z "$$engine" ]; then \
	  echo "image: no docker, podman or buildah works here. Install one, or name one: make image ENGINE=..." >&2; exit 1; \
	fi; \
	epoch=$$(git log -1 --format=%ct -- $(INPUTS) 2>/dev/null || true); epoch=$${epoch:-0}; \
	created=$$(TZ=UTC git log -1 --date=format-local:%FT%TZ --format=%cd -- $(INPUTS) 2>/dev/null || true); \
	revision=$$(git rev-parse HEAD 2>/dev/null || echo unknown); \
	if [ -n "$$(git status --porcelain -- $(INPUTS) 2>/dev/null)" ]; then revision=$$revision-modified; fi; \
	case "$$engine" in \
	  docker*) options="--build-arg SOURCE_DATE_EPOCH=$$epoch" ;; \
	  *) options="--layers --timestamp $$epoch" ;; \
	esac; \
	echo "image: building $(IMAGE) of $$revision with $${engine%% *}"; \
	$$engine build $$options --tag $(IMAGE) --build-arg VERSION=$(VERSION) --build-arg REVISION=$$revision \
	  --build-arg CREATED=$${created:-1970-01-01T00:00:00Z} \
	  $(if $(PYTHON_IMAGE),--build-arg PYTHON_IMAGE=$(PYTHON_IMAGE)) $(ARGS) .

# Tools with many dependencies of their own, which uv keeps apart from the virtual environment, by requirements-audit.lock.
AUDIT_TOOL = $(VENV)/bin/uv run --quiet --no-config --no-project --isolated --python $(VENV)/bin/python \
	--with-requirements requirements-audit.lock

sbom: $(READY) ## list what the image has in it from requirements.lock, as CycloneDX: build/sbom.cdx.json
	@rm -rf build/sbom && mkdir -p build
	@$(VENV)/bin/uv venv --quiet --no-config --python $(VENV)/bin/python build/sbom
	@$(VENV)/bin/uv pip install --quiet --no-config --require-hashes --only-binary :all: \
	  --python build/sbom/bin/python --requirements requirements.lock
	@$(AUDIT_TOOL) cyclonedx-py environment build/sbom/bin/python --pyproject pyproject.toml --output-reproducible \
	  --output-file build/sbom.cdx.json
	@rm -rf build/sbom
	@echo "sbom: build/sbom.cdx.json"

audit: $(READY) ## look up known vulnerabilities of what the locks name; OSV_URL=of a mirror
	@for lock in requirements.lock requirements-build.lock requirements-dev.lock; do \
	  echo "audit: $$lock"; \
	  $(AUDIT_TOOL) pip-audit --requirement $$lock --require-hashes --disable-pip --progress-spinner off \
	    --vulnerability-service osv $(if $(OSV_URL),--osv-url $(OSV_URL)) \
	  || { echo "audit: $$lock has known vulnerabilities, or api.osv.dev could not be asked (see above)" >&2; exit 1; }; \
	done

clean: ## remove caches and what was built; the virtual environment stays
	rm -rf build dist operator/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find operator tests -name __pycache__ -type d -prune -exec rm -rf {} +
