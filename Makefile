# Two commands do everything on a fresh machine:  make demo   and   make test
# The same as plain commands, for Windows and macOS, stands in README.md.

VENV   ?= .venv
# The first Python on the path that works and is new enough; name another: make PYTHON=...
PYTHON ?= $(shell for each in python3 python3.13 python3.12 python3.11 python; do \
  "$$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$each" && break; done)
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
SCREEN := tools/with_screen.sh
# The other Qt binding lies in a folder of its own: the environment keeps one.
PYSIDE6 := $(abspath $(VENV)/pyside6)
TESTS   ?= src/napari_crlm_spa/_tests/plugin

.PHONY: demo test test-pyside6 check fix docs bench bench-own bench-around bench-peers screenshots parity clean

demo: $(VENV)/.demo  ## analyze the drawn sample slide into demo-output/
	$(BIN)/crlm-spa demo --out demo-output

test: $(VENV)/.test  ## all tests, with a virtual screen where there is none
	OMP_NUM_THREADS=1 $(SCREEN) $(BIN)/python -m pytest --numprocesses 2 $(PYTEST_ARGS)

test-pyside6: $(VENV)/.pyside6  ## the plugin's tests with the other Qt binding, or TESTS="file file"
	QT_API=pyside6 PYTHONPATH=$(PYSIDE6) OMP_NUM_THREADS=1 $(SCREEN) $(BIN)/python -m pytest \
	  --override-ini qt_api=pyside6 --numprocesses 2 --dist loadfile $(PYTEST_ARGS) $(TESTS)

check: $(VENV)/.check  ## format, lint, types and import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: $(VENV)/.check  ## format and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.docs  ## the documentation as a web site in site/
	$(BIN)/mkdocs build --strict

# Of all three: on SLIDE=slide.svs, else on the drawn sample slide.
BENCH_SLIDE = $(or $(SLIDE),demo-output/sample-liver-metastasis.tif)

bench: bench-own bench-around bench-peers  ## speed and memory, alone and beside the peers: tables in docs/performance.md

bench-own: $(VENV)/.bench-slide  ## analyze with the default model, as a whole process
	$(BIN)/python benchmarks/analyze_slide.py $(BENCH_SLIDE)

bench-around: $(VENV)/.bench-slide  ## what is spent around the network
	$(BIN)/python benchmarks/around_the_network.py $(BENCH_SLIDE)

bench-peers: $(VENV)/.bench-slide  ## beside TIAToolbox and others, 10 GB in build/bench/; flags in PEERS="--repeats 1"
	$(BIN)/python benchmarks/peers $(BENCH_SLIDE) --docs docs/performance.md $(PEERS)

screenshots: $(VENV)/.test  ## every picture of docs/images/, taken of drawn slides; ONLY=correct for one walk
	$(SCREEN) $(BIN)/python -m tools.screenshots docs/images $(if $(ONLY),--only $(ONLY))

parity: $(VENV)/.test  ## docs/methods/parity.md: every number that the tests compare with R
	OMP_NUM_THREADS=1 $(BIN)/python tools/parity_table.py

clean:
	rm -rf $(VENV) demo-output site build

$(BIN)/python:
	@test -n "$(PYTHON)" || { \
	  echo "Python 3.11 or newer is needed and was not found. Name one: make PYTHON=/path/to/python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable .
	@touch $@

# An order of work, not a file: the sample slide is drawn where no slide was named.
.PHONY: $(VENV)/.bench-slide
$(VENV)/.bench-slide: $(VENV)/.demo
	$(if $(SLIDE),,$(BIN)/crlm-spa demo --out demo-output)

$(VENV)/.test: $(VENV)/.demo
	$(PIP) --editable '.[all]'
	$(BIN)/python tools/dependency_group.py test | $(PIP) --requirement /dev/stdin
	@touch $@

$(VENV)/.pyside6: $(VENV)/.test
	rm -rf $(PYSIDE6)
	$(BIN)/python tools/dependency_group.py pyside6 | $(PIP) --target $(PYSIDE6) --requirement /dev/stdin
	@touch $@

$(VENV)/.check: $(VENV)/.demo
	$(BIN)/python tools/dependency_group.py check | $(PIP) --requirement /dev/stdin
	@touch $@

$(VENV)/.docs: $(VENV)/.demo
	$(BIN)/python tools/dependency_group.py docs | $(PIP) --requirement /dev/stdin
	@touch $@
