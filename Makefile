# make demo    set-up, then train and evaluate on the embedded data set (quickstart.png)
# make test    set-up, then the test suite
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: setup demo test lint cover scatter build clean

setup: $(STAMP)

$(STAMP): setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,plot,ogb]'
	touch $@

demo: setup
	$(BIN)/python examples/quickstart.py

test: setup
	$(BIN)/python -m pytest

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

cover: setup
	$(BIN)/python -m pytest --cov --cov-report=term-missing

# torch-scatter ships as source only: it is compiled against the torch in .venv (some minutes).
scatter: setup
	printf '[build_ext]\nparallel = 2\n' > .venv/build_ext.cfg
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'setuptools>=77' wheel
	CFLAGS=-g0 DIST_EXTRA_CONFIG=$(CURDIR)/.venv/build_ext.cfg \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation -c constraints.txt -e '.[scatter]'

build: setup
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache quickstart.png
