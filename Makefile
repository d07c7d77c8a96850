# Everything sets itself up: a virtual environment in .venv, and Debian packages where we are root.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= $(shell nproc)
APT_PACKAGES := g++ cmake ninja-build libgtest-dev libbenchmark-dev

.PHONY: help setup demo test test-cpp test-sanitizers test-python bench lint format clean system-packages

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

test: test-cpp test-sanitizers test-python  ## Run every test
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

bench: system-packages $(VENV)/.installed  ## Benchmarks against their peers; answers are compared first
	$(BIN)/python tools/requirements.py bench | $(BIN)/python -m pip install -q -r /dev/stdin
	cmake --preset release -G Ninja >/dev/null && cmake --build --preset release -j $(JOBS) --target liqcore_bench
	$(BIN)/python -m pytest bench -q --benchmark-only --benchmark-disable-gc
	$(BIN)/python bench/write_trades.py out/bench/trades.bin
	build/release/bench/cpp/liqcore_bench --trades=out/bench/trades.bin \
	  --benchmark_out=out/bench/cpp.json --benchmark_out_format=json

lint: $(VENV)/.installed  ## ruff, mypy, stubtest, clang-format
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy && $(BIN)/mypy bench
	cd / && $(CURDIR)/$(BIN)/stubtest liqcore._core --mypy-config-file $(CURDIR)/pyproject.toml
	$(BIN)/clang-format --dry-run --Werror $$(git ls-files 'cpp/*.hpp' 'cpp/*.cpp' 'tests/cpp/*.cpp' 'bench/cpp/*.cpp' 'examples/*.cpp')

format: $(VENV)/.installed  ## Rewrite the sources in the project's style
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .
	$(BIN)/clang-format -i $$(git ls-files 'cpp/*.hpp' 'cpp/*.cpp' 'tests/cpp/*.cpp' 'bench/cpp/*.cpp' 'examples/*.cpp')

clean:  ## Remove everything made
	rm -rf build out dist $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
