# Every target sets itself up: Python 3.11 or newer, pip and make are all that is needed.
#   make demo            the answer page for naltrexone, in out/naltrexone.html
#   make test            the tests
#   make PYTHON=/path/to/python3.13 ...   choose the interpreter (it must be 3.11 or newer)

SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:
.SUFFIXES:
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
SET_UP := pyproject.toml constraints.txt $(PY)

# Calls may add to these: make test ARGS="-k occupancy -x"
ARGS ?=
# One worker per core, at most four.
PYTEST_WORKERS ?= -n auto --maxprocesses 4

.PHONY: help demo test test-slow check format docs bench engine refit pin clean distclean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

demo: $(VENV)/.installed-run  ## run the claims about naltrexone and write the answer page
	@mkdir -p out
	$(BIN)/schild explain naltrexone --html out/naltrexone.html
	@echo "The page is here: $(CURDIR)/out/naltrexone.html"

test: $(VENV)/.installed-test  ## run the tests that are not marked slow (about 3 minutes on two cores)
	$(PY) -m pytest $(PYTEST_WORKERS) $(ARGS)

# pytest leaves with 5 when nothing was selected: no test is marked slow, which is no failure.
test-slow: $(VENV)/.installed-test  ## run the tests marked slow
	@$(PY) -m pytest -m slow $(PYTEST_WORKERS) $(ARGS) || { code=$$?; [ $$code -eq 5 ] && echo "No test is marked slow."; }

check: $(VENV)/.installed-check  ## format, lint, types, layers, spelling (changes nothing)
	@failed=; for step in "ruff format --check ." "ruff check ." mypy lint-imports codespell; do \
	  echo "== $$step"; $(BIN)/$$step || failed="$$failed, $$step"; \
	done; \
	if [ -n "$$failed" ]; then echo "Did not hold: $${failed#, }." >&2; exit 1; fi

format: $(VENV)/.installed-check  ## rewrite the code in the project's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.installed-docs  ## build the documentation and the reference (25 s of CPU); a warning is an error
	$(PY) -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "The documentation is here: $(CURDIR)/docs/_build/html/index.html"

bench: $(VENV)/.installed-test  ## measure speed and accuracy
	$(PY) -m benchmarks $(ARGS)

engine: $(VENV)/.installed-run  ## compile the kernels for the package, and for pages (needs wasm-ld: Debian package lld)
	$(PY) -m schild.web.build

refit: $(VENV)/.installed-run  ## fit the fitted numbers again from their data
	$(PY) -m calibration $(ARGS)
	$(PY) -m calibration.dose_response --quick $(ARGS)

pin: $(VENV)/.installed-test $(VENV)/.installed-check $(VENV)/.installed-docs $(VENV)/.installed-io  ## rewrite constraints.txt from .venv
	{ sed -n '/^#/p' constraints.txt; $(PY) -m pip freeze | grep -E '^[A-Za-z0-9._-]+=='; } > constraints.new
	mv constraints.new constraints.txt

clean:  ## remove what the targets made, except .venv
	rm -rf out build dist docs/_build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find src calibration tests docs benchmarks -type d -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

distclean: clean  ## remove .venv too
	rm -rf $(VENV)

# One stamp per set of extras, inside .venv, so that it goes when .venv goes.
$(VENV)/.installed-run: $(SET_UP)
	$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-%: $(SET_UP)
	$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$*]'
	@touch $@

# A system Python without ensurepip (Debian splits it off) gets its pip from the outer one.
$(PY):
	@set -e; found=; \
	for python in "$(PYTHON)" python3 python3.13 python3.12 python3.11 python3.14; do \
	  if "$$python" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "schild needs Python 3.11 or newer, and $(PYTHON) is not. Give one: make PYTHON=/path/to/python3.12 ..." >&2; exit 2; \
	fi; \
	echo "Setting up $(VENV) with $$("$$found" --version), once."; \
	if "$$found" -c 'import ensurepip' 2>/dev/null; then "$$found" -m venv --clear $(VENV); \
	else "$$found" -m venv --clear --without-pip $(VENV) && "$$found" -m pip --python $(PY) install --quiet pip; fi
