# Every target sets up what it needs: a virtual environment with pinned versions.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
KILLS ?= 200
SEED ?= 0

.PHONY: demo test check format bench sweep model curricula real faults chaos clean

demo: $(READY)
	$(BIN)/envolve run experiments/quickstart.yaml

test: check
	$(BIN)/python -m pytest

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)
	$(BIN)/python -m benchmarks

sweep: $(READY)
	$(BIN)/python -m benchmarks.sweep

model: $(READY)
	$(BIN)/python -m benchmarks.model

curricula: $(READY)
	$(BIN)/python -m benchmarks.curricula

real: $(READY)
	$(BIN)/python -m benchmarks.real

faults: $(READY)
	$(BIN)/python -m benchmarks.faults

chaos: $(READY)
	$(BIN)/python -m pytest tests/chaos --kills $(KILLS) --chaos-seed $(SEED)

clean:
	rm -rf $(VENV)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
# torch first and by itself: the pinned version has a CPU build that a plain range would miss.
	$(BIN)/pip install --quiet --constraint constraints.txt torch
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@
