# Everything sets itself up: a virtual environment in .venv, and Debian packages where we are root.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= $(shell nproc)
APT_PACKAGES := g++ cmake ninja-build libgtest-dev

.PHONY: help setup demo test test-cpp test-sanitizers test-python test-interop test-integration bench bench-check valgrind lint format clean system-packages

help:  ## Say what there is to make
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 20

system-packages:
	@missing=$$(for package in $(APT_PACKAGES); do dpkg -s $$package >/dev/null 2>&1 || echo $$package; done); \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing" $$missing; apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing >/dev/null; \
	  else \
	    echo "missing:" $$missing "(install them, or run as root)" >&2; exit 1; \
	  fi; \
	fi

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip

# What the package and its tools need; the package itself is installed apart, whenever a source file is newer.
$(VENV)/.dependencies: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --upgrade "scikit-build-core>=1.0" "pybind11>=3.0" ninja
	$(BIN)/python tools/requirements.py app test lint | $(BIN)/python -m pip install -q --upgrade -r /dev/stdin
	@touch $@

SOURCES := pyproject.toml CMakeLists.txt $(shell find cpp python -type f -not -name '*.pyc')

$(VENV)/.installed: $(VENV)/.dependencies $(SOURCES)
	$(BIN)/python -m pip install -q --no-deps --no-build-isolation --force-reinstall .
	@touch $@

setup: $(VENV)/.installed  ## Make .venv with the package and its tools

demo: $(VENV)/.installed  ## Simulate a market and draw its liquidation heatmap
	@mkdir -p out
	$(BIN)/liqcore demo -o out/liqcore-demo.png
	@echo "Look at $(CURDIR)/out/liqcore-demo.png"

test: test-cpp test-sanitizers test-python test-interop test-integration  ## Run every test
	@echo "All tests passed. The demo's picture: make demo"

test-cpp: system-packages
	cmake --preset dev -G Ninja >/dev/null && cmake --build --preset dev -j $(JOBS) --target all all_verify_interface_header_sets
	ctest --preset dev -j $(JOBS)

test-sanitizers: system-packages  ## C++ tests under ASan and UBSan, then TSan
	for preset in asan tsan; do \
	  cmake --preset $$preset -G Ninja >/dev/null && cmake --build --preset $$preset -j $(JOBS) && ctest --preset $$preset -j $(JOBS) || exit 1; \
	done

test-python: $(VENV)/.installed
	$(BIN)/python -m pytest -q

# An environment of its own: the one of test-python shows that nothing needs these packages.
INTEROP := .venv-interop
test-interop: $(VENV)/.installed  ## Tables of pyarrow, polars, pandas and duckdb, in and out
	@test -x $(INTEROP)/bin/python || $(PYTHON) -m venv $(INTEROP)
	$(BIN)/python tools/requirements.py test interop | $(INTEROP)/bin/python -m pip install -q -r /dev/stdin
	$(BIN)/python -m pip wheel -q --no-deps --no-build-isolation -w build/wheel-interop .
	$(INTEROP)/bin/python -m pip install -q --force-reinstall --no-deps build/wheel-interop/liqcore-*.whl
	$(INTEROP)/bin/python -m pytest -q tests/python/test_interop.py tests/python/test_arrow.py tests/python/test_sources_parquet.py

INTEGRATION := .venv-integration
test-integration: $(VENV)/.installed  ## Inside hftbacktest and nautilus_trader, and from numba
	@test -x $(INTEGRATION)/bin/python || $(PYTHON) -m venv $(INTEGRATION)
	$(BIN)/python tools/requirements.py test integration | $(INTEGRATION)/bin/python -m pip install -q -r /dev/stdin
	$(BIN)/python -m pip wheel -q --no-deps --no-build-isolation -w build/wheel-integration .
	$(INTEGRATION)/bin/python -m pip install -q --force-reinstall --no-deps build/wheel-integration/liqcore-*.whl
	$(INTEGRATION)/bin/python -m pytest -q tests/integration

bench: system-packages valgrind $(VENV)/.installed  ## Benchmarks against their peers; answers are compared first
	$(BIN)/python tools/requirements.py bench | $(BIN)/python -m pip install -q -r /dev/stdin
	cmake --preset release -G Ninja -DPython_EXECUTABLE=$(abspath $(BIN))/python \
	  -Dpybind11_DIR=$$($(BIN)/python -m pybind11 --cmakedir) >/dev/null
	cmake --build --preset release -j $(JOBS) --target liqcore_bench_native liqcore_bench_instructions
	$(BIN)/python bench/run.py $(PARTS)

bench-check:  ## Fail if the last benchmarks are worse than their goals by more than two
	$(BIN)/python bench/run.py check

valgrind:
	@command -v valgrind >/dev/null || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq valgrind >/dev/null; \
	else \
	  echo "valgrind is missing: instructions will not be counted" >&2; \
	fi

lint: $(VENV)/.installed  ## ruff, mypy, stubtest, clang-format
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy && $(BIN)/mypy bench
	cd / && $(CURDIR)/$(BIN)/stubtest liqcore._core --mypy-config-file $(CURDIR)/pyproject.toml
	$(BIN)/clang-format --dry-run --Werror $$(git ls-files 'cpp/*.hpp' 'cpp/*.cpp' 'tests/cpp/*.cpp' 'bench/cpp/*.hpp' 'bench/cpp/*.cpp' 'examples/*.cpp')

format: $(VENV)/.installed  ## Rewrite the sources in the project's style
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .
	$(BIN)/clang-format -i $$(git ls-files 'cpp/*.hpp' 'cpp/*.cpp' 'tests/cpp/*.cpp' 'bench/cpp/*.hpp' 'bench/cpp/*.cpp' 'examples/*.cpp')

clean:  ## Remove everything made
	rm -rf build out dist $(VENV) $(INTEROP) $(INTEGRATION) .pytest_cache .mypy_cache .ruff_cache .hypothesis
