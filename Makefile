# Two commands do everything: `make demo` runs complete sessions, `make test` runs the tests.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: help demo test bench dev clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

demo: $(BIN)/.demo  ## run complete sessions, offline
	$(BIN)/livegate demo $(ARGS)

test: $(BIN)/.tox  ## run the tests on every Python found here, then lint, types and imports
	$(BIN)/tox run $(ARGS)

bench: $(BIN)/.tox  ## measure single calls, imports and the start of mockface
	$(BIN)/tox run -e bench $(ARGS)

dev: $(BIN)/.demo  ## everything a developer needs, in $(VENV)
	$(BIN)/pip install --quiet --editable '.[demo,vision]' --group dev

clean:  ## remove everything that was built
	rm -rf $(VENV) .tox build dist

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade 'pip>=25.1'

$(BIN)/.demo: $(BIN)/python pyproject.toml
	$(BIN)/pip install --quiet --editable '.[demo]'
	touch $@

$(BIN)/.tox: $(BIN)/python
	$(BIN)/pip install --quiet 'tox>=4.26'
	touch $@
