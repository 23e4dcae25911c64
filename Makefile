# make run    serves on http://127.0.0.1:8050 with its own PostgreSQL and a demo organisation
# make demo-real  the same with real records that others published, from VIGILO_ACCEPTANCE_DATA
# make test   everything: lint, types, import rules, unit, database, browser
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run demo-real dev test lint bench bench-quick docs screenshots
run: .venv/runtime
	@exec $(BIN)/flask --app app serve

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

test: .venv/developer
	@./.ci/system-packages chromium pdftotext pgbouncer prometheus redis-server
	$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest

lint: .venv/developer
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/developer
	@./.ci/system-packages chromium
	$(BIN)/python benchmarks/bench.py

bench-quick: .venv/developer
	@./.ci/system-packages chromium
	$(BIN)/python benchmarks/bench.py --quick

docs: .venv/runtime
	$(BIN)/python docs/generate.py

screenshots: .venv/developer
	@./.ci/system-packages chromium pdftoppm
	$(BIN)/python docs/screenshots.py

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; $(PYTHON) is older. Try make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/runtime: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/developer: requirements-dev.txt requirements.txt .venv/runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
