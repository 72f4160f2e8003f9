# Everything a newcomer needs: `make demo` and `make test`. Both set up what is missing first.
SHELL := /bin/bash
PYTHON ?= python3
export UV_COMPILE_BYTECODE = 1
# Certificates of the system, as pip and git use: behind a company proxy uv's own list is not enough.
export UV_SYSTEM_CERTS ?= 1
export OPENBLAS_NUM_THREADS = 1
export OMP_NUM_THREADS = 1
unexport PYTHONDONTWRITEBYTECODE
unexport VIRTUAL_ENV

UV := $(or $(shell command -v uv 2>/dev/null),.uv/bin/uv)
RUN := .venv/bin

.PHONY: demo fast test smoke-github campaigns fuzz test-arm64 check setup clean

demo: setup
	$(RUN)/mlbot demo

# tests/README.md says what is in which, and how long it takes.
fast: setup check
	$(RUN)/pytest -n 2 --fast --minutes

test: setup check
	$(RUN)/pytest -n 2 --dist loadgroup --minutes

# docs/github-assumptions.md against a real repository: GITHUB_TOKEN=... make smoke-github REPO=owner/name
smoke-github: setup
	@$(RUN)/python -m tests.smoke_github $(or $(REPO),$(error REPO=owner/name is missing)) $(WRITE)

# Hours. Each goes by itself, too.
CAMPAIGN_FOLDER ?= out/campaigns
campaigns: setup
	mkdir -p $(CAMPAIGN_FOLDER)
	$(RUN)/python -m tests.reliability --schedules 1000 --steps 50 --seed 1 --resume
	$(RUN)/python -m tests.reliability --real --schedules 50 --seed 1 --resume
	$(RUN)/python -m tests.alone --resume
	$(RUN)/python -m tests.evidence --repeats 1000 --state $(CAMPAIGN_FOLDER)/evidence.jsonl
	MLBOT_EXAMPLES=300 $(RUN)/pytest tests/specs_as_sklearn -q
	$(RUN)/python -m tests.specs_as_sklearn.walk
	$(RUN)/python -m tests.adversary.defences
	$(RUN)/python tests/benchmarks/selection.py
	$(RUN)/python tests/benchmarks/monitor_power.py
	$(RUN)/python tests/benchmarks/monitor_scale.py $(CAMPAIGN_FOLDER)/scale
	$(RUN)/python -m tests.benchmarks.history --large 10000
	$(RUN)/python tests/benchmarks/reading.py
	$(RUN)/python tests/benchmarks/rivals.py $(CAMPAIGN_FOLDER)/rivals

# Ten minutes a door of what comes from outside, two hours in all; what went wrong is kept in out/fuzz.
FUZZ_MINUTES ?= 10
fuzz: setup
	$(RUN)/python -m tests.fuzz --minutes $(FUZZ_MINUTES)

# The training core on an emulated aarch64, compared with this machine. Needs Debian or Ubuntu; minutes, not seconds.
test-arm64: setup
	PYTHON=$(CURDIR)/$(RUN)/python UV="$(abspath $(UV))" tests/arm64/run.sh

check: setup
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy
	$(RUN)/actionlint
	$(RUN)/zizmor --offline --quiet --persona=pedantic .github
	$(RUN)/hadolint Containerfile

setup: .venv/.ready

.venv/.ready: pyproject.toml uv.lock | $(UV)
	$(UV) sync --frozen --quiet
	@touch $@

.uv/bin/uv:
	$(PYTHON) -m venv .uv
	.uv/bin/pip install --quiet --disable-pip-version-check uv

clean:
	rm -rf .venv .uv .pytest_cache .mypy_cache .ruff_cache .hypothesis
