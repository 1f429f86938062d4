# The one list of what is done with this repository; people and .ci/run call it. A bare `make` says what there is.
#
# Everything lives in .venv. It is made when it is missing, and installed into again when pyproject.toml has changed.

VENV := .venv
BIN  := $(VENV)/bin
PIP  := $(BIN)/python -m pip --disable-pip-version-check -qq
# By all processors, as pip does not; what some package has that is no Python of this version is no matter.
COMPILE := $(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true

.DEFAULT_GOAL := help
.PHONY: help run test check nemesis bench docs messages screenshots clean

help:
	@echo 'make run     install into .venv, and start the daemon here, in the foreground (Ctrl-C stops it)'
	@echo 'make test    install what tests need, and check everything: format, lint, types, floors, docs, costs, tests'
	@echo 'make nemesis  kill, stop and starve a real daemon, and look for a lie (MINUTES=30 SEED=7 DATABASE=postgres)'
	@echo 'make bench   measure, and print each figure beside its target (ONLY="name ..." for some, BENCH_JSON=file)'
	@echo 'make docs    write docs/reference/ anew from the code'
	@echo 'make messages  put what the pages say into the Korean catalog, and compile it'
	@echo 'make screenshots  take pictures of every page, light and dark, English and Korean, wide and narrow'
	@echo 'make clean   remove .venv and caches; .state/, the history, stays'

run: $(VENV)/.installed
	@exec $(BIN)/schedulerd --config config/schedulerd.toml start

test: check

# Many tests wait for most of their time, so there are more of them at once than processors.
WORKERS := $(shell expr $$(nproc) \* 2 + 1)

# pytest compiles tests in its own way: once, beside mypy, and not at the same time in each of its workers.
COMPILE_TESTS := env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest --collect-only -qq -n 0 >/dev/null 2>&1

# The cheap ones first; pytest last, so that its closing lines are the last ones.
check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	@echo '$(BIN)/mypy'
	@$(COMPILE_TESTS) & $(BIN)/mypy; found=$$?; wait; exit $$found
	$(BIN)/lint-imports
	$(BIN)/python -m docs.generate --check
	$(BIN)/python -m benchmarks --small --check
	$(BIN)/python -m pytest -n $(WORKERS) --dist load --maxschedchunk 1 $(PYTEST)

MINUTES  := 5
DATABASE := sqlite

nemesis: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.faults --minutes $(MINUTES) --database $(DATABASE) $(if $(SEED),--seed $(SEED))

bench: $(VENV)/.installed-dev
	@$(BIN)/python -m benchmarks $(ONLY)

docs: $(VENV)/.installed
	$(BIN)/python -m docs.generate

messages: $(VENV)/.installed-dev
	$(BIN)/python -m docs.messages

SCREENSHOTS := build/screenshots

screenshots: $(VENV)/.installed-dev
	$(BIN)/python -m tests.web.browser.screenshots $(SCREENSHOTS) $(ONLY)

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage .coverage.* dist build
	find schedulerd tests docs benchmarks flows -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	@echo 'Installing schedulerd into $(VENV) (about a minute the first time) ...'
	@$(PIP) install --no-compile --editable .
	@$(COMPILE)
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/bin/python
	@echo 'Installing schedulerd and what its tests need into $(VENV) (a minute or two the first time) ...'
	@$(PIP) install --no-compile --editable '.[dev]'
	@$(COMPILE)
	@touch $@ $(VENV)/.installed

# Debian ships `venv` without the part that fills it, so a Python that has it is looked for, not only a new one.
$(VENV)/bin/python:
	@found=; \
	for python in python3.13 python3.12 python3.11 python3; do \
	    command -v $$python >/dev/null || continue; \
	    $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	    found=$${found:-$$python}; \
	    $$python -c 'import ensurepip, venv' 2>/dev/null || continue; \
	    exec $$python -m venv $(VENV); \
	done; \
	if [ -n "$$found" ]; then \
	    version=$$($$found -c 'import sys; print("python%d.%d" % sys.version_info[:2])'); \
	    echo "$$version cannot make a virtual environment: its venv module is not installed." >&2; \
	    echo "  On Debian and Ubuntu, as root: apt-get install $$version-venv" >&2; \
	else \
	    echo "schedulerd needs Python 3.11 or newer; no python3 of that age was found in PATH." >&2; \
	    echo "  On Debian 12 or newer, as root: apt-get install python3 python3-venv" >&2; \
	fi; \
	exit 1
