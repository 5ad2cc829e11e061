# Two targets do all the set-up that they need: demo and test.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# One process a core.
PYTEST := $(BIN)/python -m pytest -n auto

.PHONY: help demo test test-slow test-generic test-avx2 bench docs lint format pictures screenshots clean

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

demo: $(VENV)/.plots ## classify a photograph with real weights
	$(BIN)/npmobilenet demo

test: $(VENV)/.dev ## the test-suite, with TensorFlow beside
	$(PYTEST)

test-slow: $(VENV)/.dev ## the long tests: full parity grid, thousands of damaged files, all images
	$(PYTEST) --dist worksteal -m slow

test-generic: $(VENV)/.dev ## the test-suite with the vectors that every CPU has
	NUMBA_CPU_NAME=generic NUMBA_CPU_FEATURES= $(PYTEST)

test-avx2: $(VENV)/.dev ## the test-suite with AVX2 only, on an x86-64 that has more
	NUMBA_CPU_NAME=generic NUMBA_CPU_FEATURES=+avx2,+fma $(PYTEST)

bench: $(VENV)/.bench ## tables and figures of the speed beside other libraries (half an hour)
	$(BIN)/python -m bench.compare
	$(BIN)/python -m bench.cold_start
	$(BIN)/python -m bench.knn
	$(BIN)/python -m bench.head
	$(BIN)/python -m bench.http

docs: $(VENV)/.docs ## the site with the tutorial, whose notebooks are run: build/docs/index.html
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m sphinx -W --keep-going -q docs build/docs

lint: $(VENV)/.dev ## style, types and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev ## let ruff rewrite what it can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

pictures: $(VENV)/.plots ## draw the pictures of the README again
	$(BIN)/python docs/pictures.py

screenshots: $(VENV)/.dev ## take the pictures of the page again; needs Chromium or Chrome
	NPMOBILENET_SCREENSHOTS=docs $(BIN)/python -m pytest tests/app/page -m slow \
		-k "photograph_gets or two_classes or feature_maps"

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# A stamp for each set of extras: installed again when pyproject.toml changes.
$(VENV)/.%: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@
