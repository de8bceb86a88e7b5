# Two commands do everything: `make run` and `make test`. A build of torch for GPUs: `make run TORCH=cuda`, once.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install --disable-pip-version-check -q

# Which build of torch is wanted: that which is there, else the one for CPUs.
TORCH ?= $(or $(patsubst .venv/runs-%,%,$(firstword $(wildcard .venv/runs-*))),cpu)
RUNS := .venv/runs-$(TORCH)
TESTS := .venv/tests
CPU_INDEX := https://download.pytorch.org/whl/cpu
PINNED := $(shell sed -n 's/^\(torch==[^ ]*\).*/\1/p' requirements.txt)

run: $(RUNS)
	$(BIN)/python -m scviz serve

test: $(TESTS)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 $(BIN)/python -m pytest -q -rs -n 2 --dist loadfile  # two processes of one thread each, in numba too, whose threads would become those of torch

install: $(RUNS)

$(RUNS): requirements.txt
	$(PYTHON) -c 'import sys; sys.exit("scviz needs Python 3.11 or newer, this is " + sys.version) if sys.version_info < (3, 11) else None'
	$(if $(filter cpu cuda,$(TORCH)),,$(error TORCH is $(TORCH); it must be cpu or cuda))
	$(PYTHON) -m venv .venv
	test -f $(RUNS) || test -z "$(wildcard .venv/runs-*)" || $(BIN)/pip uninstall -q -y torch  # another build
	rm -f .venv/runs-*
	$(MAKE) -s torch-$(TORCH)
	$(PIP) -r requirements.txt
	touch $(RUNS)

$(TESTS): $(RUNS) requirements-dev.txt
	$(PIP) -r requirements-dev.txt
	touch $(TESTS)

# On Linux, PyPI has the build for CUDA alone; elsewhere its only one runs on CPUs.
torch-cpu:
	test "$$(uname -s)" != Linux || $(PIP) --no-deps --index-url $(CPU_INDEX) --retries 0 --timeout 10 $(PINNED) 2>.venv/torch.log || echo "$(CPU_INDEX) does not answer: torch comes from your package index, which may give the larger build for CUDA."

torch-cuda:
	$(PIP) $(PINNED)

.PHONY: run test install torch-cpu torch-cuda
