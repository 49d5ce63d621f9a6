# Three commands on a machine that has Python 3.11 and make: `make demo`, `make check` (what needs no
# model, under a minute) and `make test` (everything).
PYTHON ?= $(firstword $(foreach name,python3.11 python3,$(shell command -v $(name))))
BIN := .venv/bin
READY := .venv/.ready
# A process for each core, but for no more than eight: each loads PyTorch. The two halves of the tests
# run in their order, so that what a folder shares is made once; who is done takes over from the other.
PYTEST := $(BIN)/python -m pytest --numprocesses logical --maxprocesses 8 --dist worksteal

.PHONY: demo test check lint docs reference clean

demo: $(READY)
	@$(BIN)/mmragbench run suites/scenes.yaml

test: $(READY)
	@$(PYTEST)

check: lint
	@$(PYTEST) -m 'not slow'

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python .ci/sources.py && cd build/sources && ../../$(BIN)/lint-imports --config ../../pyproject.toml

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
