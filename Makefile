# Everything runs in .venv, made from the locked requirements; the rest of the machine needs Python 3.11+ and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help demo up dev env worker test thorough screenshots chaos mutants fuzz gpu notebook lint types imports hooks bench lock licences catalog clean

# What stands behind ## below.
help:
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
		printf '  make %-11s %s\n' "$$name" "$$text"; done

demo: $(STAMP)  ## the whole path on a small drawn data set, or on DATA=folder
	@$(BIN)/python -m deploy.demo $(DATA)

# Redis, API, workers and Flower, each started again when it dies, until Ctrl-C or SIGTERM.
up: $(STAMP)  ## Redis, API, workers and Flower, kept running until Ctrl-C
	@exec $(BIN)/python -m deploy.stack

# For work on the code: each process starts anew when its sources change. What it stores lies apart from `make up`'s.
dev: $(STAMP)  ## the stack, with each process started anew when its code changes
	@TRAINYARD_STORAGE=$${TRAINYARD_STORAGE:-var/dev} exec $(BIN)/python -m deploy.dev

# For containers: passwords and a first key, in .env. Needs nothing but Python.
env:  ## .env for `docker compose up`, with secrets of its own; GPU=1 with a worker on GPU 0
	@$(PYTHON) -m deploy.compose_env $(if $(GPU),--gpu)

# One more training worker for the stack on this machine, or for the one that TRAINYARD_REDIS_URL and
# TRAINYARD_STORAGE name (docs/operating.md).
worker: $(STAMP)  ## one more training worker for it
	@exec $(BIN)/python -m deploy.stack worker

TESTS := PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 3 --dist loadfile \
	--no-loadscope-reorder

# One more at a time than there are cores: many wait for processes. A file stays in one process, with its stack;
# tests/conftest.py has the long ones go first. Hundreds of processes are started, so what they import is compiled
# once, whatever the environment says.
test: $(STAMP)  ## the tests; about twenty minutes on two cores
	$(TESTS) -m "not long and not thorough"

# What costs most to try: more variants of what `make test` tries one or two of. CI runs both.
thorough: $(STAMP)  ## more variants of what `make test` tries; about as long again
	$(TESTS) -m "thorough and not long"

# With a Chromium (on Debian: apt-get install chromium); the README shows them.
screenshots: $(STAMP)  ## pictures of the pages, in docs/pictures
	$(BIN)/python -m tests.pages.screenshots

# Half an hour of kills, freezes and outages: figures go to docs/reliability.md. CHAOS="--minutes 5 --seed 2" is shorter.
chaos: $(STAMP)  ## half an hour of kills, freezes and outages; CHAOS="--minutes 5 --seed 2"
	$(BIN)/python -m tests.chaos $(CHAOS)

# Faults are made in the code that decides, one at a time: do the quick tests of it notice? mutmut, which makes those of
# Python, is installed below var. docs/testing.md has what survives. MUTANTS="--part leases --sample 0" tries all of one.
mutants: $(STAMP)  ## made faults that the tests should notice; MUTANTS="--part leases --sample 0"
	$(BIN)/python -m tests.mutants $(MUTANTS)

# The readers of annotations, names of splits, layouts of sets and specs, with many more made ones than the tests try;
# and what the tests try less of: requests made from the API's description, for ten minutes, and every architecture.
fuzz: $(STAMP)  ## readers, layouts of sets and specs, with thousands of made ones; all architectures
	$(BIN)/python -m pytest tests/ingest/formats tests/ingest/test_split_words.py -m hypothesis \
		--hypothesis-profile=fuzz --timeout=0
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m long --timeout=0
	$(BIN)/python -m tests.ingest.layouts --count 2000
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.training.odd_specs --count 500
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.training.odd_task_specs classification --count 200
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.training.odd_task_specs detection --count 200

# Whether all is right and quick on this machine's GPU: docs/gpu.md says how to read it. GPU="--device cpu --only 0,3".
gpu: $(STAMP)  ## what runs on GPUs, tried on this machine's: about fifteen minutes
	$(BIN)/python -m tests.gpu $(GPU)

notebook: $(STAMP)  ## docs/client.ipynb, run anew against a stack: some minutes; what runs it is installed apart
	$(BIN)/python -m tests.client.run_notebook

lint: $(STAMP)  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)  ## mypy, strict
	$(BIN)/mypy

imports: $(STAMP)  ## which package may import which
	$(BIN)/lint-imports

hooks: $(STAMP)  ## git hooks: lint, types and import rules before each commit
	$(BIN)/pre-commit install

# Not part of the tests: figures go to docs/benchmarks.md. About two hours; each is a command of its own, too.
BENCHMARKS := api events ingest loading ceiling training slots start stop stall accuracy camvid
bench: $(STAMP)  ## all benchmarks; about two hours
	@for part in $(BENCHMARKS); do echo "== $$part"; $(BIN)/python -m bench.$$part || exit 1; done

# Without the check an older Python gets pip's list of versions that it cannot have.
OLD_PYTHON := import sys; sys.version_info < (3, 11) and sys.exit("Trainyard needs Python 3.11 or later; $(PYTHON) \
is %d.%d.%d. Name another one: make PYTHON=python3.11 ..." % sys.version_info[:3])
$(STAMP): requirements.txt pyproject.toml
	@$(PYTHON) -c '$(OLD_PYTHON)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Write the locks anew from requirements/*.in; each role's lock takes its versions from the whole.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url \
	--no-emit-find-links --custom-compile-command "make lock"
lock: $(STAMP)  ## the locks of requirements, written anew
	$(COMPILE) --upgrade requirements/web.in requirements/worker.in requirements/dev.in -o requirements.txt
	$(COMPILE) requirements/web.in -c requirements.txt -o requirements/web.txt
	$(COMPILE) requirements/worker.in -c requirements.txt -o requirements/worker.txt
	cp requirements/worker.txt requirements/worker-cuda12.txt  # whose versions are kept but for the overrides
	$(COMPILE) requirements/worker.in --overrides requirements/cuda12.in -o requirements/worker-cuda12.txt

licences: $(STAMP)  ## docs/licences.md, from what the installed packages say
	$(BIN)/python -m deploy.licences

# Write the names of smp's and timm's encoders anew, and which architectures they cannot train with. Trying
# them all takes about two hours; the second command may be ended, and goes on where it was.
catalog: $(STAMP)  ## names of encoders, and which pairs cannot train; about two hours
	$(BIN)/python -m workers.training.tasks.segmentation.network.encoder_names > trainyard/catalog/encoders.json
	$(BIN)/python -m workers.training.tasks.segmentation.network.encoder_pairs

clean:  ## delete .venv and var
	rm -rf $(VENV) var
