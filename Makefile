# One word for each intention. Each can be interrupted and typed again.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# TORCH=cpu: an environment of its own, with a build of PyTorch that has no CUDA libraries.
TORCH ?= cuda
CPU := $(if $(filter cpu,$(TORCH)),-cpu)
VENV ?= .venv$(CPU)
LOCK := requirements$(CPU).txt
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
PIP := $(PY) -m pip --disable-pip-version-check --no-input

.PHONY: help env book test lint unit pages nbval weather soak lab student wheel zip doctor lock clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: $(READY) ## make the environment in .venv (TORCH=cpu: the light one, in .venv-cpu)

book: $(READY) ## run every chapter that changed and build _build/html/index.html
	@$(PY) tools/book.py build $(if $(STRICT),--strict)

test: $(READY) ## build the book, then run every check of code, chapters and pages
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory book STRICT=1
	@$(MAKE) --no-print-directory pages
	@$(MAKE) --no-print-directory nbval

lint: $(READY) ## check style and types
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

# A process for each core, but no more than four: each takes 1.7 GB.
PARALLEL := -n logical --maxprocesses 4 --dist worksteal

# The tests of the GPU come last and by themselves: the others must not see one.
unit: $(READY) ## run the tests that need no built book, side by side
	@$(PY) -m pytest -m "not pages and not cuda" $(PARALLEL)
	@if command -v nvidia-smi >/dev/null; then $(PY) -m pytest -m cuda tests; fi

pages: $(READY) ## open every built page in a browser and check it
	@$(PY) -m pytest -m pages $(PARALLEL)

nbval: $(READY) ## run every chapter again, as a notebook
	@$(PY) tools/book.py nbval

weather: $(READY) ## run every chapter under other seeds, instructions, threads, torch and data
	@$(PY) tools/weather.py run
	@$(PY) tools/weather.py report

soak: $(READY) ## kill runs, flip bits, feed bad data, fill disks; print what held (not in CI)
	@$(PY) tools/soak.py

lab: $(READY) ## open JupyterLab on copies of the chapters to read (SOURCES=1: on the sources)
	@$(PY) tools/lab.py $(if $(SOURCES),--sources)

student: $(READY) ## write student/*.ipynb: the chapters without solutions, in plain Markdown
	@$(PY) tools/student.py

zip: book ## write dist/vaecourse-book.zip: unpack it and open index.html, with or without a network
	@$(PY) tools/zip_book.py

wheel: $(READY) ## write dist/*.whl and its source; numbers in the chapters come from the last build
	@rm -rf build
	@$(PIP) install --quiet build==1.6.1
	@$(PY) -m build --no-isolation --outdir dist .

doctor: $(READY) ## say what this machine has, and what will not work on it
	@$(PY) -m vaecourse doctor

lock: ## write requirements-cpu.txt anew from requirements.txt
	@sed -E -e 's/^torch==.*/torch==2.13.0/' -e '/^(torchvision|triton|cuda-[a-z]+|nvidia-[a-z0-9-]+)==/d' \
	  requirements.txt > requirements-cpu.txt

clean: ## remove what was built; keep .venv and downloaded data
	@rm -rf _build book/_static/vendor book/_static/drawn build dist .pytest_cache .mypy_cache .ruff_cache
	@find . -path './.venv*' -prune -o -name __pycache__ -type d -exec rm -rf {} +

# The stamp is written last. Where it is missing, an install was cut short: start over.
# Where it is older than the pins, bring the environment up to them.
$(READY): $(LOCK) pyproject.toml
	@if [ ! -e $@ ]; then \
	  for python in $(PYTHON) python3.11 python3.12 python3.13 python3.14 python3 python; do \
	    if $$python -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then break; fi; \
	    python=; \
	  done; \
	  [ -n "$$python" ] || { echo "make: need Python 3.11 or later; install it, or name it: make PYTHON=/path/to/python"; exit 1; }; \
	  echo "make: new environment in $(VENV) ($$($$python --version)); this takes minutes, once"; \
	  $$python -m venv --clear $(VENV); \
	fi
	@rm -f $@
	@if [ "$(TORCH)" = cpu ] && $(PIP) install --dry-run --ignore-installed --quiet --report - $$(grep '^torch==' $(LOCK)) \
	    | grep -q '"name": "nvidia'; then \
	  echo 'make: the package index of this machine has this torch with CUDA libraries only. PyTorch keeps CPU builds'; \
	  echo 'make: in an index of its own: put its address, which pytorch.org/get-started shows, in PIP_EXTRA_INDEX_URL'; \
	  exit 1; \
	fi
	@$(PIP) install --quiet -r $(LOCK)
	@$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@
