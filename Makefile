# Every target does its own set-up, into .venv; `make` alone lists them. Needs Python >= 3.11 and a package registry.

VENV := .venv
BIN := $(VENV)/bin
SYNCED := $(VENV)/.synced
MIGRATIONS := src/entrepot/record/migrations
# The one place that pins uv is pyproject.toml: `uv sync` then finds itself already right.
UV_VERSION := $(shell sed -n 's/.*"uv==\([0-9.]*\)".*/\1/p' pyproject.toml)

# From the quick to the slow: a failing stage stops the rest. Folders that are not named here run with the engines.
# Those of the production servers (engines) need more than this machine may have, and run by test-engines alone.
# Two runs share a stage, from its front and from its back: folders that use the same engines lie side by side.
QUICK := unit tidy
FRONT := store conformance migrations projections
BACK := faults flows browser
OTHERS := $(filter-out engines $(QUICK) $(FRONT) $(BACK),$(patsubst tests/%/,%,$(wildcard tests/*/)))

# Where Python may not keep what it has compiled, each process would compile the house anew, for a second or two: the processes
# that are started here keep it in .venv, and leave the folders of the source alone.
ifdef PYTHONDONTWRITEBYTECODE
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(CURDIR)/$(VENV)/compiled
endif

BENCHES := orders checkout flash promotions reads projections rebuild degraded search-quality

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-engines engines check format bench docs clean

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
	@echo "  ARGS='...'    is handed on by demo, test, test-engines, engines and bench: make bench ARGS='orders --json'"

setup: $(SYNCED) ## Make .venv with everything in it, by the lock file
	@echo "$(VENV) is ready"

demo: $(SYNCED) ## Start the engines, bring in real data, open the console; until Ctrl-C
	@$(BIN)/entrepot demo $(ARGS)

test: $(SYNCED) ## Run every test on real engines, quick ones first; the first failing stage stops
	@.ci/stage $(QUICK) -- $(ARGS)
	@.ci/stage $(FRONT) $(OTHERS) $(BACK) -- $(ARGS)

test-engines: $(SYNCED) ## Run the same suites on the production servers, fetched once; needs Maven and a JDK, or --against FILE of URLs
	@# What cannot be had here is said first, and again by the tests that need it: they fail, and nothing is left out.
	-@$(BIN)/python -m tests.engines --fetch
	@$(BIN)/python -m pytest tests/engines --timeout=600 --durations=15 $(ARGS)

engines: $(SYNCED) ## Run the production servers for trying by hand; until Ctrl-C
	@$(BIN)/python -m tests.engines $(ARGS)

check: $(SYNCED) ## Check style, types, import rules, migrations and the house rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(wildcard src tests bench docs/*.py)
	$(BIN)/lint-imports --no-cache
	@if [ -d $(MIGRATIONS) ]; then set -x; $(BIN)/squawk $(MIGRATIONS)/*.sql; fi
	@.ci/stage tidy --

format: $(SYNCED) ## Write the code as `make check` wants it
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(SYNCED) ## Measure every claim on this machine and show it beside its target
	@if [ -n "$(ARGS)" ]; then $(BIN)/entrepot bench $(ARGS); else \
	    $(BIN)/entrepot up && for name in $(BENCHES); do $(BIN)/entrepot bench $$name || exit 1; done; fi

docs: $(SYNCED) ## Write the generated pages anew and check that every link leads somewhere
	$(BIN)/python docs/generate.py
	@$(BIN)/pytest tests/tidy/test_documents.py

clean: ## Stop the local engines; remove .venv, caches and the data in .entrepot
	@if [ -x $(BIN)/entrepot ] && [ -d .entrepot ]; then $(BIN)/entrepot down; fi
	rm -rf $(VENV) .entrepot .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist rejects
	find src tests bench docs -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

$(BIN)/python:
	@.ci/venv $(VENV)

$(BIN)/uv: | $(BIN)/python
	@echo "uv $(UV_VERSION) comes by pip into $(VENV)"
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --root-user-action=ignore uv==$(UV_VERSION)

$(SYNCED): pyproject.toml uv.lock | $(BIN)/uv
	@echo "what uv.lock names comes into $(VENV) (the first time about 1 GB, engines included)"
	@UV_PROJECT_ENVIRONMENT=$(VENV) UV_PYTHON_DOWNLOADS=never $(BIN)/uv sync --quiet --locked --all-groups --extra journey
	@touch $(SYNCED)
