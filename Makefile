# The commands that people and CI run. `make PYTHON=python3.12 demo` chooses the interpreter. Another one beside it, with
# the newest packages that it can have: `make PYTHON=python3.13 VENV=.venv-3.13 CONSTRAINTS= check test`.

PYTHON ?= python3
VENV ?= .venv
CONSTRAINTS ?= constraints.txt
BIN := $(VENV)/bin
INSTALL := $(BIN)/pip install --disable-pip-version-check $(if $(CONSTRAINTS),--constraint $(CONSTRAINTS))

.PHONY: demo test test-all check docs native-check wheels bench bench-check clean

# Learns the bundled fable and continues it from "had a general": writes a model file and a picture to demo/.
demo: $(VENV)/demo-ready
	@echo 'demo: training on the bundled fable (10 to 60 seconds)'
	@mkdir -p demo
	$(BIN)/statewise train examples/belling_the_cat.txt --out demo/fable.statewise --force \
		--tokens word --window 3 --units 256 --layers 2 --epochs 150 --learning-rate 0.01 --held-out 0 --seed 7 \
		--prompt "had a general" --length 32 --temperature 0
	@echo 'demo: done; next: $(BIN)/statewise generate demo/fable.statewise --prompt "had a general"'

# Each file's tests run in one process, which compiles once for all of them. There is a process for each core: more
# threads of BLAS would only wait for each other.
test test-all: export OPENBLAS_NUM_THREADS = 1

test: $(VENV)/dev-ready
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

test-all: $(VENV)/dev-ready
	STATEWISE_FULL_OPTIMIZATION=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile -m ""

check: $(VENV)/dev-ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# Builds the native libraries with all warnings and with sanitizers, and runs their tests.
native-check: $(VENV)/dev-ready
	$(BIN)/python native/check.py

# Writes an archive of the sources to dist/, and from it wheels for Linux on x86-64 and arm64, with glibc 2.28 or later:
# Zig compiles for any processor on one machine.
wheels: .venv-wheels/ready
	rm -rf dist
	.venv-wheels/bin/python -m build --sdist
	for processor in x86_64 aarch64; do \
		CXX="'$(CURDIR)/.venv-wheels/bin/python' -m ziglang c++ -target $$processor-linux-gnu.2.28" \
		STATEWISE_PLATFORM=manylinux_2_28_$$processor \
		.venv-wheels/bin/pip wheel --disable-pip-version-check --no-deps --wheel-dir dist dist/*.tar.gz || exit 1; \
	done

.venv-wheels/ready:
	$(PYTHON) -m venv .venv-wheels
	.venv-wheels/bin/pip install --disable-pip-version-check build==1.6.1 ziglang==0.17.1
	@touch $@

# Writes docs/recipes.md from the recipes, and from docs/recipes.json, what they measured.
docs: $(VENV)/dev-ready
	$(BIN)/python docs/make_recipes.py

# Measures every claim against its peers (docs/benchmarks.md): `make bench CLAIMS="tiny-1 text" PEERS=all ROUNDS=5`.
BENCH := .venv-bench/bin/python -m benchmarks
BENCH_OPTIONS := $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(filter all,$(PEERS)),--tf-python .venv-bench-tf/bin/python)
BENCH_READY := .venv-bench/ready $(if $(filter all,$(PEERS)),.venv-bench-tf/ready)

bench: $(BENCH_READY)
	$(BENCH) run $(BENCH_OPTIONS) $(CLAIMS)

bench-check: $(BENCH_READY)
	$(BENCH) check $(BENCH_OPTIONS) $(CLAIMS)

clean:
	rm -rf .venv .venv-* demo build dist

$(VENV)/created:
	@echo 'making a Python environment in $(VENV)'
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "statewise needs Python 3.11 or newer: make PYTHON=python3.12 demo")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

NATIVE := $(wildcard native/*)

$(VENV)/demo-ready: $(VENV)/created pyproject.toml constraints.txt $(NATIVE)
	@echo 'installing JAX, NumPy, SciPy and Matplotlib into $(VENV): about 170 MB to download, 740 MB on disk, 1 to 4 minutes'
	$(INSTALL) --editable '.[plot]'
	@echo 'installed'
	@touch $@

$(VENV)/dev-ready: $(VENV)/created pyproject.toml constraints.txt $(NATIVE)
	@echo 'installing what the tests need into $(VENV): about 290 MB to download, 1.1 GB on disk, 1 to 6 minutes'
	$(INSTALL) --editable '.[plot,tensorboard,dev]'
	@echo 'installed'
	@touch $@ $(VENV)/demo-ready

.venv-bench/ready: benchmarks/requirements.txt pyproject.toml constraints.txt $(NATIVE)
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --disable-pip-version-check $(PIP_FLAGS) --constraint constraints.txt \
		--requirement benchmarks/requirements.txt --editable .
	@touch $@

.venv-bench-tf/ready: benchmarks/requirements-tensorflow.txt
	$(PYTHON) -m venv .venv-bench-tf
	.venv-bench-tf/bin/pip install --disable-pip-version-check $(PIP_FLAGS) --requirement $<
	@touch $@
