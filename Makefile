# make demo: the whole loop on the embedded policy.   make test: every check.   Both set themselves up.
PYTHON ?= python3
TORCH ?= torch==2.13.0
BIN := .venv/bin
READY := .venv/ready
# At this size one thread is faster than two, and the figures do not depend on the number of cores.
export OMP_NUM_THREADS ?= 1
export HF_HUB_DISABLE_TELEMETRY := 1
# Where it is set, every process that a run or a test starts would compile the packages again.
unexport PYTHONDONTWRITEBYTECODE

demo: $(READY)
	$(BIN)/raif run recipes/demo.yaml --out runs/demo

test: lint
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

setup: $(READY)

# torch comes first and alone: a looser request would bring gigabytes of accelerator libraries.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $(READY)

clean:
	rm -rf .venv runs

.PHONY: demo test lint setup clean
