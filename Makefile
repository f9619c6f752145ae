# Every chore of this repository. `make help` lists them; each sets up what it needs by itself.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up
# Twice the cores: half of the tests wait for something most of the time.
JOBS ?= $(shell $(PYTHON) -c 'import os; print(2 * (os.cpu_count() or 1))')

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup check test test-long mutants golden reliability docs demo bench bench-large profile constraints clean distclean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make .venv with everything for use and development

# Runs again only when what is to be installed has changed.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=/path/to/python3" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@# An editable install compiles nothing, and images of containers often keep Python from doing it later.
	@$(BIN)/python -m compileall -q reconciler
	@touch $@

check: $(STAMP) ## Format, lint, types and layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict
	$(BIN)/lint-imports

test: $(STAMP) ## Every test but the long property and crash runs
	$(BIN)/pytest -n $(JOBS) -m 'not long' $(ARGS)

test-long: $(STAMP) ## The long property and crash runs
	$(BIN)/pytest -n $(JOBS) -m long $(ARGS)

mutants: $(STAMP) ## Break the product on purpose, once for each row of tests/mutants/mutants.toml: a test must notice
	$(BIN)/python tests/mutants $(ARGS)

golden: $(STAMP) ## Rewrite the golden files; read the difference before committing it
	$(BIN)/pytest tests/golden --rewrite-golden $(ARGS)

reliability: $(STAMP) ## Run every fault and rewrite the table of docs/reliability.md; read the difference
	$(BIN)/pytest -n $(JOBS) -m survives --rewrite-reliability $(ARGS)

docs: $(STAMP) ## Build the user guide into build/site; a link that leads nowhere ends it
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

demo: $(STAMP) ## Sandbox and example: plan, apply, plan again, tamper, drift
	$(BIN)/reconciler demo

bench: $(STAMP) ## Every budget beside its peer or floor, as ratios in one run; rewrites benchmarks/README.md
	$(BIN)/python -m benchmarks $(ARGS)

bench-large: $(STAMP) ## The same for 10,000,000 members: minutes, and gigabytes for the peers
	$(BIN)/python -m benchmarks --size large $(ARGS)

profile: $(STAMP) ## Where the time of a plan and of an apply goes: rewrites the tables of docs/performance.md
	$(BIN)/python -m benchmarks.profile

constraints: ## Pin the newest versions that pyproject.toml allows
	rm -rf build/constraints && $(PYTHON) -m venv build/constraints
	build/constraints/bin/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	{ printf '# What CI installs, exactly. Written by `make constraints`.\n'; \
	  build/constraints/bin/python -m pip freeze --exclude-editable; } > constraints.txt
	rm -rf build/constraints

clean: ## Remove caches and build results
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -path ./$(VENV) -prune -o -type d -name __pycache__ -exec rm -rf {} +

distclean: clean ## Remove .venv as well
	rm -rf $(VENV)
