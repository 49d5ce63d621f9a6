# Two commands on a machine that has Python 3.11 and make: `make demo` and `make test`.
PYTHON ?= $(firstword $(foreach name,python3.11 python3,$(shell command -v $(name))))
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test lint docs reference clean

demo: $(READY)
	@$(BIN)/mmragbench run suites/scenes.yaml

test: $(READY)
	@$(BIN)/python -m pytest

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

docs: $(READY)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo build/site/index.html

# The pages of docs/reference, from the code.
reference: $(READY)
	@$(BIN)/python docs/reference.py

# Installed again only when what it depends on has changed.
$(READY): pyproject.toml constraints.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "mmragbench needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 2; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv .venv
	@echo "Setting up .venv (some minutes, once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $(READY)

clean:
	rm -rf .venv build runs
