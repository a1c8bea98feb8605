# `make study` and `make test` do all the set-up from a fresh clone. PYTHON picks the interpreter.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: study test check format install clean

study: $(INSTALLED)  ## the main job on the embedded handwritten digits
	$(BIN)/smallvision study digits

test: $(INSTALLED)  ## all default tests: offline, minutes
	$(BIN)/pytest

check: $(INSTALLED)  ## format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

install: $(INSTALLED)

$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) build dist

.PHONY: results results-quick
results: $(INSTALLED)  ## the figures in README.md; an hour, and CIFAR-10 is needed
	$(BIN)/smallvision study cifar10 --preset laptop --out studies/cifar10-laptop --resume
	$(BIN)/python -m benchmarks.keep studies/cifar10-laptop results/cifar10-laptop

results-quick: $(INSTALLED)  ## how long `quick` takes; ten minutes, and CIFAR-10 is needed
	for data in digits cifar10; do \
	  $(BIN)/smallvision study $$data --out studies/$$data-quick --resume && \
	  $(BIN)/python -m benchmarks.keep studies/$$data-quick results/quick/$$data || exit 1; \
	done

.PHONY: box
box: $(INSTALLED)  ## the model that comes with the package; after `make results`, a quarter of an hour
	$(BIN)/smallvision distill studies/cifar10-laptop/runs/snapshot-ensemble benchmarks/recipes/box.toml --out studies/box --resume
	$(BIN)/smallvision evaluate studies/box cifar10
	$(BIN)/python -m benchmarks.keep_box studies/box

.PHONY: battery
battery: $(INSTALLED)  ## kills, damage, hostile files: docs/RELIABILITY.md; under an hour
	$(BIN)/python -m tests.battery

.PHONY: bench bench-check
bench: $(INSTALLED)  ## speed but for the race, in results/bench/MACHINE; minutes, CIFAR-10 is needed
	@test -n "$(MACHINE)" || { echo "say whose speed: make bench MACHINE=NAME"; exit 2; }
	$(BIN)/python -m benchmarks pipeline cifar10 --out results/bench/$(MACHINE)
	$(BIN)/python -m benchmarks step vgg10-aug wrn-aug speednet benchmarks/recipes/wrn-16-8.toml --plain --out results/bench/$(MACHINE)
	$(BIN)/python -m benchmarks report results/bench/$(MACHINE) --out bench/report.html

bench-check: $(INSTALLED)  ## has anything become slower? compares ratios with records of such a processor
	$(BIN)/python -m benchmarks pipeline cifar10 --rounds 3 --out bench/check
	$(BIN)/python -m benchmarks step --rounds 3 --out bench/check
	$(BIN)/python -m benchmarks.check bench/check results/bench
