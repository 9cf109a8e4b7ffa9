# The two commands of this project, from a fresh checkout: make demo, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check clean

$(VENV)/light: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -e '.[bundled,demo]'
	@touch $@

$(VENV)/all: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -e '.[bundled,neural,test,dev]'
	@touch $@ $(VENV)/light

demo: $(VENV)/light
	$(BIN)/python -m lp_core.cli.demo

test: $(VENV)/all
	$(BIN)/python -m pytest

check: $(VENV)/all
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) out build dist *.egg-info
