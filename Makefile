PYTHON ?= python3
WORKERS ?= 2
VENV := .venv
NODE := tests/node/node_modules
# They load the machine or measure a recovery: not beside other tests.
ALONE := tests/test_load.py tests/test_faults.py tests/test_broker_restarts.py
# Python left to itself would put caches among the template's sources, and so into services.
export PYTHONDONTWRITEBYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: help demo test matrix lint bench

help:  ## Show this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 8

demo:  ## Bake, install and serve the default service, and watch an order being paid
	@$(PYTHON) scripts/demo.py $(if $(DEMO_ONCE),--once)

$(VENV)/.installed: tests/requirements.txt
	@$(PYTHON) scripts/make_venv.py $(VENV) tests/requirements.txt
	@touch $@

$(NODE)/.installed: tests/node/package-lock.json
	@if command -v npm >/dev/null; then cd tests/node && npm ci --ignore-scripts --no-audit --no-fund \
		&& touch node_modules/.installed; \
	else echo "npm is not here: the tests with programs in another language are skipped"; fi

test: $(VENV)/.installed $(NODE)/.installed  ## Bake every combination and test what was baked
ifdef ARGS
	@$(VENV)/bin/python -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)
else
	@$(VENV)/bin/python -m pytest -n $(WORKERS) --dist loadgroup $(ALONE:%=--ignore=%)
	@$(VENV)/bin/python -m pytest $(ALONE)
endif

# Much of it is waiting: more workers than cores.
matrix:  ## Only the combinations: style, types, migrations and their own tests
	@$(MAKE) --no-print-directory test ARGS=tests/test_bake_matrix.py WORKERS=4

lint: $(VENV)/.installed  ## Check the style and the types of the template's own Python
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/mypy

$(VENV)/.benchmarks: $(VENV)/.installed benchmarks/requirements.txt
	@$(PYTHON) scripts/make_venv.py $(VENV) benchmarks/requirements.txt
	@touch $@

bench: $(VENV)/.benchmarks  ## Measure a baked service beside what it is compared with; ARGS=--help says more
	@PYTHONPATH=tests $(VENV)/bin/python -m benchmarks $(ARGS)
