# Needs Python 3.11+ and make. `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin

# Least coverage of models/ and agents/ in per cent, lines and branches.
COVERAGE_MINIMUM ?= 100
# What `make test` runs, and further options, such as PYTEST_FLAGS="-k board -x".
TESTS ?= tests
PYTEST_FLAGS ?=

# Only the lines that show that something happens.
PIP_PROGRESS := sed -u -n -E -e 's/^ *(Collecting|Downloading|Building wheel for) ([^ ]*).*/    \1 \2/p' -e 's/^Installing collected packages.*/    Installing …/p'

.PHONY: help
help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | while IFS=$$'\t' read -r t d; do printf '  make %-8s %s\n' "$$t" "$$d"; done

.PHONY: demo
demo: $(VENV)/.installed  ## everything on this machine with simulated traffic, until Ctrl-C
	@exec $(BIN)/deskpulse demo

.PHONY: venv
venv: $(VENV)/.installed-for-development  ## the environment in .venv, with all tools

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found; name it with PYTHON=…"; exit 1; }
	@echo "· making the environment in $(VENV) ($$($(PYTHON) --version))"
	@$(PYTHON) -m venv $(VENV) || { echo "On Debian and Ubuntu: apt-get install python3-venv"; rm -rf $(VENV); exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo "· installing deskpulse and what it needs"
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off -e . | $(PIP_PROGRESS)
	@touch $@

$(VENV)/.installed-for-development: $(VENV)/.installed
	@echo "· installing the tools for tests and checks"
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --group dev | $(PIP_PROGRESS)
	@touch $@

.PHONY: test
test: venv  ## all tests but the oracle and the faults, after installing what they need; coverage of models and agents
	@.ci/packages
	$(BIN)/python -m pytest -m "not oracle and not faults" --cov --cov-report=term --cov-fail-under=$(COVERAGE_MINIMUM) $(PYTEST_FLAGS) $(TESTS)

COMPILED := .cache/compiled
.PHONY: compiled
compiled: $(COMPILED)/.made  ## the hot path compiled by mypyc, in .cache/compiled (needs a C compiler; about 2 minutes)

$(COMPILED)/.made: setup.py pyproject.toml $(shell find models agents stream_app -name '*.py') | venv
	@echo "· compiling the hot path"
	@rm -rf $(COMPILED) build && mkdir -p $(COMPILED)
	@DESKPULSE_COMPILE=1 $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --target $(COMPILED) .
	@for name in tests bench data docs grafana prometheus changelog.d .ci Makefile README.md LICENSE Dockerfile .dockerignore docker-compose.yml setup.py pyproject.toml deskpulse.toml; do ln -sfn ../../$$name $(COMPILED)/$$name; done
	@touch $@

# What replaces parts of the code while it runs needs plain Python, which is the reference.
.PHONY: test-compiled
test-compiled: compiled  ## the tests of the compiled parts, and the whole simulation, on them
	cd $(COMPILED) && ../../$(BIN)/python -m pytest -m "not replaces and not kafka and not embedded and not browser" \
		$(PYTEST_FLAGS) tests/unit tests/property tests/contract tests/component tests/simulation

.PHONY: oracle
oracle: venv  ## every published KPI against SQL over the same events, on real Kafka
	@.ci/packages
	$(BIN)/python -m pytest -m oracle --timeout=1800 -s $(PYTEST_FLAGS) $(TESTS)

# `make faults FAULTS=--quick`: one case of each kind, and no page. `make faults FAULTS=kill-3`: that one.
FAULTS ?= --page docs/reference/faults.md
.PHONY: faults
faults: venv  ## real faults on real Kafka under load, each compared with the truth; writes docs/reference/faults.md
	@.ci/packages
	$(BIN)/python -m tests.faults $(FAULTS)

.PHONY: bench
bench: compiled  ## the whole job's speed, plain and compiled, with raw aiokafka and orjson in the same run
	$(BIN)/python -m bench --compiled

.PHONY: bench-peers
bench-peers: venv  ## Deskpulse's engine and its peers on one job, in one table (environments in .cache/peers)
	$(BIN)/python -m bench.peers

.PHONY: reference
reference: venv  ## the generated pages of docs/reference and deskpulse.toml, again from the code
	$(BIN)/deskpulse config example > deskpulse.toml
	$(BIN)/deskpulse config reference > docs/reference/configuration.md
	$(BIN)/deskpulse kpis --markdown > docs/reference/kpis.md
	$(BIN)/python -m stream_app.cli.reference > docs/reference/command-line.md
	$(BIN)/python -m stream_app.metrics.reference > docs/reference/metrics.md
	$(BIN)/python -m stream_app.topics_reference docs/reference/topics.md
	$(BIN)/deskpulse dashboards write grafana/dashboards
	$(BIN)/deskpulse dashboards reference > docs/reference/dashboards.md

.PHONY: docs
docs: venv  ## the documentation as a site in .cache/site; a link that leads nowhere fails
	$(BIN)/mkdocs build

.PHONY: lint
lint: venv  ## ruff, mypy --strict, import contracts
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: clean
clean:  ## removes the environment and all caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage htmlcov build dist *.egg-info
