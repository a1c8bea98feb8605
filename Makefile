# `make study` and `make test` do all the set-up from a fresh clone. PYTHON picks the interpreter.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: study test check docs format install clean

study: $(INSTALLED)  ## the main job on the embedded handwritten digits
	$(BIN)/smallvision study digits --folds 1

test: $(INSTALLED)  ## all default tests: offline, minutes, each of two workers on a core of its own
	$(BIN)/pytest --numprocesses 2 --dist worksteal

check: $(INSTALLED)  ## format, lint, types, import rules, generated pages
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate_records.py --check
	$(BIN)/python docs/generate_reference.py --check

docs: $(INSTALLED) notebook  ## generated pages, and the site in build/docs: warnings, links and examples are checked
	$(BIN)/python docs/generate_records.py
	$(BIN)/python docs/generate_reference.py
	rm -rf build/docs
	$(BIN)/sphinx-build --fail-on-warning --keep-going --quiet --builder html docs build/docs
	$(BIN)/smallvision report results/cifar10-laptop --out build/docs/report-cifar10.html
	cp build/notebook/cifar10.html build/docs/notebook-cifar10.html
	$(BIN)/python docs/check_site.py build/docs
	$(BIN)/pytest --quiet tests/house/test_examples.py tests/house/test_documents.py

.PHONY: notebook
notebook: build/notebook/cifar10.html  ## executes notebooks/cifar10.ipynb, a short run; minutes, CIFAR-10 or else digits

build/notebook/cifar10.html: $(INSTALLED) notebooks/cifar10.ipynb
	rm -rf build/notebook
	$(BIN)/python tools/run_notebook.py notebooks/cifar10.ipynb build/notebook

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

install: $(INSTALLED)

# Every package but torch has to have a hash that requirements.lock knows. torch is taken by version
# alone: its builds for CPUs and for CUDA come from different places with different hashes.
TORCH := torch==2.13.0
$(INSTALLED): pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet '$(TORCH)'
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python -m pip check
	touch $@

.PHONY: lock dist dist-check coverage
lock: $(INSTALLED)  ## requirements.lock anew: the newest versions, from the public index alone
	env -u PIP_EXTRA_INDEX_URL -u PIP_FIND_LINKS PIP_CONFIG_FILE=/dev/null CUSTOM_COMPILE_COMMAND='make lock' \
	  $(BIN)/pip-compile --quiet --upgrade --output-file requirements.lock pyproject.toml
	$(BIN)/python tools/list_runtime.py --server > container/requirements.txt

dist: $(INSTALLED)  ## sdist, wheel, and a CycloneDX list of what the package runs on, in dist/
	rm -rf dist
	SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct)} $(BIN)/python -m build --no-isolation
	$(BIN)/python tools/list_runtime.py '$(TORCH)' | $(BIN)/cyclonedx-py requirements --pyproject pyproject.toml \
	  --mc-type library --output-reproducible --output-format JSON --output-file dist/smallvision.cdx.json -

dist-check: dist  ## what both hold, and what an installed wheel does in a new environment; minutes
	$(BIN)/python tools/check_dist.py dist $(DIST_CHECK)

coverage: $(INSTALLED)  ## lines and branches that the default tests run, processes they start included
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest --numprocesses 2 --dist worksteal
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered --skip-empty
	$(BIN)/coverage html --quiet --directory build/coverage

clean:
	rm -rf $(VENV) build dist

BENCHMARKS := $(BIN)/python -m benchmarks

.PHONY: results results-quick
results: $(INSTALLED)  ## the study in README.md; an hour, and CIFAR-10 is needed
	$(BIN)/smallvision study cifar10 --preset laptop --out studies/cifar10-laptop --resume
	$(BENCHMARKS) keep studies/cifar10-laptop results/cifar10-laptop
	$(BENCHMARKS) pages

results-quick: $(INSTALLED)  ## how long `quick` takes; ten minutes, and CIFAR-10 is needed
	for data in digits cifar10; do \
	  $(BIN)/smallvision study $$data --folds 1 --out studies/$$data-quick --resume && \
	  $(BENCHMARKS) keep studies/$$data-quick results/quick/$$data || exit 1; \
	done

.PHONY: pretrained
pretrained: $(INSTALLED)  ## the model that comes with the package; after `make results`, a quarter of an hour
	$(BIN)/smallvision distill studies/cifar10-laptop/runs/snapshot-ensemble benchmarks/recipes/pretrained.toml --out studies/pretrained --resume
	$(BIN)/smallvision evaluate studies/pretrained cifar10
	$(BENCHMARKS) keep-pretrained studies/pretrained
	$(BENCHMARKS) pages

.PHONY: subsets
LABEL ?= now
subsets: $(INSTALLED)  ## few images beside an SVC and a plain network; six hours, twenty at most, and CIFAR-10 is needed
	$(BENCHMARKS) subsets --label $(LABEL) --out results/subsets
	$(BENCHMARKS) pages

.PHONY: gold
gold: $(INSTALLED)  ## tests/gold/folders anew, after the format on disk was changed on purpose
	$(BIN)/python -m tests.gold.make_folders
	$(BIN)/python -m tests.gold.page

.PHONY: battery
battery: $(INSTALLED)  ## kills, damage, hostile files: docs/RELIABILITY.md; under an hour
	$(BIN)/python -m tests.battery

.PHONY: mutation
mutation: $(INSTALLED)  ## takes out each guard in turn; does the battery notice? results/mutation.json
	$(BIN)/python -m tests.battery.mutation

# Measurements need an otherwise idle machine. MACHINE names the folder of its records.
.PHONY: bench race bench-check machine
bench: machine $(INSTALLED)  ## speed of steps and of the input path; minutes, CIFAR-10 is needed
	$(BENCHMARKS) pipeline cifar10 --out results/bench/$(MACHINE)
	$(BENCHMARKS) step vgg10-aug wrn-aug speednet benchmarks/recipes/wrn-16-8.toml --plain --out results/bench/$(MACHINE)
	$(BENCHMARKS) serving --n 3000 --rounds 3 --out results/bench/$(MACHINE)
	$(BENCHMARKS) report results/bench/$(MACHINE) --out bench/report.html

race: machine $(INSTALLED)  ## the time to 94 % beside a peer; an hour or two, and CIFAR-10 is needed
	@test -n "$(PEER)" || { echo "name the peer: make race MACHINE=NAME PEER=path/to/airbench94_muon.py"; exit 2; }
	$(BENCHMARKS) race $(PEER) --out results/bench/$(MACHINE)
	$(BENCHMARKS) pages

machine:
	@test -n "$(MACHINE)" || { echo "name the machine, such as MACHINE=epyc"; exit 2; }

bench-check: $(INSTALLED)  ## has anything become slower? compares ratios with records of a like machine
	$(BENCHMARKS) pipeline cifar10 --rounds 3 --out bench/check
	$(BENCHMARKS) step --rounds 3 --out bench/check
	$(BENCHMARKS) check bench/check
