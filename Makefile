# Paribus: everything that one types. Needs Python 3.11 or later and make; all else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto --maxprocesses 4 --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow check bench clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(READY): pyproject.toml constraints.txt
	@test -d .venv || $(PYTHON) -m venv .venv
	@echo "Installing into .venv: some minutes, and 6 GB with PyTorch's CUDA build (the README has a smaller way)."
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(READY)  ## run one controlled study on data that needs no download, to a verdict
	$(BIN)/paribus run svhn.softmax --store demo/store.sqlite --report demo/svhn.softmax.html

test: $(READY)  ## the fast tests, one a core
	$(PYTEST)

test-slow: $(READY)  ## the tests that take longer
	$(PYTEST) -m slow

check: $(READY)  ## style, types and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)  ## trials an hour beside a loop as tutorials write it, in one run
	$(BIN)/python bench/throughput.py

clean:  ## remove what these targets made
	rm -rf .venv demo build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
