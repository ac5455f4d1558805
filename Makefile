# Two commands do all set-up: `make demo` and `make test`. Everything lives in .venv.
PYTHON ?= python3
BIN := .venv/bin
DEMO := .venv/.demo-ready
DEV := .venv/.dev-ready
SITE := .venv/.site-ready
BENCH := .venv/.bench-ready
MUTANTS := .venv/.mutants-ready

.PHONY: demo site test test-all lint audit bench bench-scale bench-instructions docs lab mutants clean

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("crowdalpha needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

$(DEMO): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[demo]'
	@touch $@

$(SITE): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[demo,server]'
	@touch $(DEMO) $@

$(DEV): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $(DEMO) $(SITE) $@

$(BENCH): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	@touch $(DEMO) $(SITE) $(DEV) $@

$(MUTANTS): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[mutants]'
	@touch $(DEMO) $(SITE) $(DEV) $@

demo: $(DEMO)
	$(BIN)/crowdalpha demo

site: $(SITE)
	$(BIN)/crowdalpha demo --serve

test: $(DEV)
	$(BIN)/python -m pytest

test-all: $(DEV)
	$(BIN)/python -m pytest -m ''

# All four say what they found, then it fails if any did.
lint: $(DEV)
	@failed=; \
	for tool in 'ruff check .' 'ruff format --check .' mypy lint-imports; do \
	  echo "$$tool"; $(BIN)/$$tool || failed="$$failed [$$tool]"; \
	done; \
	if [ -n "$$failed" ]; then echo "failed:$$failed"; exit 1; fi

# Asks the public advisories about every installed library; needs the network: docs/security.md.
audit: $(DEV)
	$(BIN)/python -m pip install --quiet pip-audit
	$(BIN)/python -m pip freeze --exclude-editable > .venv/audited.txt
	$(BIN)/pip-audit --strict --no-deps --disable-pip --requirement .venv/audited.txt

bench: $(BENCH)
	$(BIN)/python -m benchmarks

# Needs 11 GB of disk for the largest crowd.
bench-scale: $(DEV)
	$(BIN)/python -m benchmarks.scale

# Needs valgrind; fails where a job takes twice the instructions it used to.
bench-instructions: $(DEV)
	$(BIN)/python -m benchmarks.instructions

docs: $(DEV)
	$(BIN)/python -m docs.make

# Runs every experiment of docs/lab anew, about three minutes on two processors.
lab: $(DEV)
	$(BIN)/python -m docs.make.lab

# A quarter of an hour on two processors: docs/mutants.md.
mutants: $(MUTANTS)
	$(BIN)/python tests/mutants.py

clean:
	rm -rf .venv mutants build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
