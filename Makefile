# make demo    set-up, then train and evaluate on the built-in data set (quickstart.png)
# make test    set-up, then the test suite
# make fuzz    set-up, then the fuzzers
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: setup demo test test-triton fuzz lint cover scatter build clean

setup: $(STAMP)

$(STAMP): setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,plot,partition,ogb,track]'
	touch $@

demo: setup
	$(BIN)/python examples/quickstart.py

test: setup
	$(BIN)/python -m pytest

# The Triton kernels on CPU tensors, in the interpreter of triton 3.6, which numpy 2.4 breaks.
test-triton: .venv/triton
	PYTHONPATH=.venv/triton TRITON_INTERPRET=1 $(BIN)/python -m pytest tests/pairwise/test_triton.py

.venv/triton: | setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target $@ triton==3.6.0 numpy==2.3.5

# 100,000 random calls of the public functions, 2 million attacks on certificates, 1,000 killed runs (15 minutes).
fuzz: setup
	$(BIN)/python -m tests.fuzz --inputs 100000
	$(BIN)/python -m tests.fuzz.certificates --checks 2000000
	$(BIN)/python -m tests.fuzz.kills --kills 1000

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
