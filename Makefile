# `make demo` and `make test` need Python >= 3.11 and nothing else; everything goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HEADSTART := $(BIN)/headstart
DEMO := runs/demo
ENV := FetchPickAndPlace-v4
# Evaluated before and after cloning too, so that the curve shows what demonstrations do.
CURVE := --env-steps 6000 --evaluation.every 1000 --evaluation.at-start

# Where it is set, every process that the tests start would compile the library again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-slow check docs performance site clean

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "headstart needs Python 3.11 or newer, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(VENV)/installed
	rm -rf $(DEMO)
	mkdir -p $(DEMO)
	$(HEADSTART) demos collect $(ENV) --episodes 100 --out $(DEMO)/demos.npz
	$(HEADSTART) train $(ENV) --demos $(DEMO)/demos.npz $(CURVE) --out $(DEMO)/with-demos
	$(HEADSTART) evaluate $(DEMO)/with-demos --episodes 200
	$(HEADSTART) train $(ENV) --demos.find 0 $(CURVE) --out $(DEMO)/without-demos
	$(HEADSTART) plot $(DEMO)/with-demos $(DEMO)/without-demos --out $(DEMO)/curves.png
	-$(HEADSTART) play $(DEMO)/with-demos --episodes 6 --seed 18 --video $(DEMO)/policy.mp4
	@echo
	@echo "policy   $(DEMO)/with-demos/policies/best.safetensors"
	@echo "curves   $(DEMO)/curves.png"
	@if [ -f $(DEMO)/policy.mp4 ]; then echo "video    $(DEMO)/policy.mp4"; \
	else echo "video    none: it needs OpenGL, on Debian or Ubuntu: apt-get install libegl1 libgl1-mesa-dri"; fi
	@echo "metrics  $(DEMO)/with-demos/metrics.jsonl, and: $(BIN)/tensorboard --logdir $(DEMO)"

test: $(VENV)/installed
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal -m "not slow"

# Kills by the dozen, clusters, browsers, every kind of run: four minutes more.
test-slow: $(VENV)/installed
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal -m slow

check: $(VENV)/installed
	$(BIN)/ruff format --check src tests benchmarks examples docs/site
	$(BIN)/ruff check src tests benchmarks examples docs/site
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/installed
	$(BIN)/python benchmarks/report.py

site: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[site]'
	$(BIN)/python docs/site/pages.py
	$(BIN)/zensical build --strict
	@echo "open build/site/index.html"

# Nine minutes, on a machine that does nothing else.
performance: $(VENV)/installed
	$(BIN)/python benchmarks/start.py --rounds 2
	$(BIN)/python benchmarks/costs.py --rounds 2 --seconds 0.3
	$(BIN)/python benchmarks/threads.py --rounds 1
	$(BIN)/python benchmarks/loops.py
	$(BIN)/python -m benchmarks.speed --seconds 2 --rounds 1 --out benchmarks/results/speed.json
	$(BIN)/python benchmarks/report.py

clean:
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
