# Every target works on a clean clone: uv comes into .tools/, everything else into .venv/.
UV_VERSION := 0.13.8
UV := .tools/bin/uv
RUN := $(UV) run --frozen --no-sync
export UV_PYTHON_DOWNLOADS := never
export UV_PYTHON_PREFERENCE := system
PYTHON := $(shell command -v python3.13 || command -v python3)
SOURCES := $(wildcard libs/*/src services/*/src)

.DEFAULT_GOAL := help
.PHONY: help setup run test lint types proto bench chaos conformance nightly web screenshots check clean

help: ## show this
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

$(UV):
	@$(PYTHON) -m venv .tools
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.venv/.synced: $(UV) uv.lock pyproject.toml $(wildcard libs/*/pyproject.toml services/*/pyproject.toml)
	@$(UV) sync --quiet --frozen --all-packages --python $(PYTHON)
	@touch $@

setup: .venv/.synced ## install everything into .venv/

run: setup ## replay the crash of 2008 on desk hybrid
	@.venv/bin/interlock up --desk hybrid --exit

ALONE := tests/chaos tests/contract tests/e2e

# What starts whole desks, or floods a server, has the machine for itself.
test: setup ## run the tests
	$(RUN) pytest -n 2 --dist loadfile $(ALONE:%=--ignore=%)
	$(RUN) pytest $(ALONE)

lint: setup ## check style and imports
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) lint-imports

types: setup ## check types
	$(RUN) mypy $(SOURCES)
	$(RUN) pyright

proto: setup ## write the generated files
	$(RUN) python proto/generate.py
	$(RUN) python docs/generate.py

bench: setup ## measure, and hold against the targets
	$(RUN) python -m tests.bench

chaos: setup ## break the desk in every way, and count
	$(RUN) python -m tests.chaos

nightly: setup ## try 10,000 histories of a desk
	$(RUN) pytest --hypothesis-profile nightly --timeout 3600 tests/conformance/test_any_history.py

conformance: setup ## attack the gate, and print what stopped each attack
	$(RUN) python -m tests.conformance

web: setup ## build the console's page
	$(RUN) python services/console/web/build.py

screenshots: setup ## take pictures of the console's pages
	$(RUN) python services/console/web/dev/screenshots.py --readme screenshots

check: lint types test ## what CI runs

clean: ## remove what this Makefile made, but no desk's state
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
