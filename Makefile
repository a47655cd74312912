# Needs make and a Python 3.11 or 3.12 with venv; everything else goes into .venv.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.complete
# The environment remembers the Python that it was made with.
PYTHON ?= $(shell cat $(STAMP) 2>/dev/null || echo python3)
WORKERS ?= 2
UV ?= uv

PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
VERSION := -c 'import sys; print("%d.%d" % sys.version_info[:2])'

.PHONY: help venv check-python test test-all campaign lint format demo lock clean

help:
	@echo 'make venv    make .venv from requirements.lock (PYTHON=python3.12: with another Python)'
	@echo 'make test    run the tests (ARGS="-k anchors": some of them; WORKERS=2: processes)'
	@echo 'make test-all  run the tests that need an environment of their own, or minutes, and are not in make test'
	@echo 'make campaign  damage files of every kind, and kill programs at random; minutes to hours (TRIES=500 KILLS=100)'
	@echo 'make lint    check style, format and types'
	@echo 'make format  put the code in format'
	@echo 'make demo    track a generated clip; writes out/demo.mp4 and out/response_maps.png'
	@echo 'make lock    renew the lock files with uv (LOCK_ARGS=--upgrade: newest versions)'
	@echo 'make clean   remove .venv and caches; runs/ and out/ stay'

venv: $(STAMP)

# Three steps, so that every file fetched is checked against a hash: with build isolation pip would
# fetch whatever setuptools is newest to build promise, which has no wheel.
$(STAMP): requirements-build.lock requirements.lock | check-python
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --require-hashes -r requirements-build.lock
	$(PIP) install --quiet --require-hashes --no-build-isolation -r requirements.lock
	PYTHONWARNINGS=ignore $(PIP) install --quiet --no-deps --no-build-isolation --no-index --editable .
	@pwd >$(VENV)/.folder
	@echo '$(PYTHON)' >$@

check-python:
	@fail() { echo "error: $$1" >&2; exit 1; }; \
	wanted=$$($(PYTHON) $(VERSION)) || fail 'cannot run $(PYTHON); name a Python 3.11 or 3.12, as in: make venv PYTHON=python3.12'; \
	case $$wanted in \
	    3.11 | 3.12) ;; \
	    *) fail "$(PYTHON) is Python $$wanted; 3.11 or 3.12 is needed, as in: make venv PYTHON=python3.12" ;; \
	esac; \
	if [ -e $(STAMP) ]; then \
	    made=$$($(BIN)/python $(VERSION)) || fail 'the Python that made $(VENV) is gone; run: make clean'; \
	    [ $$made = $$wanted ] || fail "$(VENV) holds Python $$made, $(PYTHON) is $$wanted; run: make clean"; \
	    [ "$$(cat $(VENV)/.folder)" = "$$(pwd)" ] || fail "$(VENV) was made in another folder; run: make clean"; \
	fi

test: venv
	$(BIN)/python -m pytest -q -m 'not all' --numprocesses=$(WORKERS) --dist=loadfile $(ARGS)

test-all: venv
	$(BIN)/python -m pytest -q -m all --numprocesses=$(WORKERS) --dist=loadfile $(ARGS)

TRIES ?= 500
KILLS ?= 100
campaign: venv
	$(BIN)/python tests/campaign --tries $(TRIES) --kills $(KILLS) $(ARGS)

lint: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: venv
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

demo: venv
	$(BIN)/sctrpn demo

LOCK := $(UV) pip compile --quiet --generate-hashes --universal --fork-strategy=fewest --python-version=3.11 \
    --custom-compile-command='make lock'
lock:
	$(LOCK) $(LOCK_ARGS) --group build --output-file requirements-build.lock
	$(LOCK) $(LOCK_ARGS) --extra test --output-file requirements.lock pyproject.toml
	$(LOCK) $(LOCK_ARGS) --constraint requirements.lock --group toolkits --output-file requirements-toolkits.lock

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
