PYTHON ?= python3
PORT ?= 8000
# A Chromium that is there already; otherwise Playwright fetches its own.
export CHROMIUM ?= $(shell command -v chromium)

python := .venv/bin/python
# More processes would wait for the one server.
pytest := $(python) -m pytest -n auto --maxprocesses 4
in_browser := .venv-browser/bin/python scripts/private_postgresql.py -- \
	.venv-browser/bin/python -m pytest
pip_install := -m pip install --quiet --disable-pip-version-check -r

with_rabbitmq := $(python) scripts/private_rabbitmq.py --

.PHONY: help demo test test-databases browser chaos olist lint format messages bench explorer-data
.PHONY: screenshots clean

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/runtime ## show it in a browser [PORT=8000] [ONCE=1: end after one run] [BROKER=1: with RabbitMQ]
	$(if $(BROKER),$(with_rabbitmq) sh -c 'RABBITMQ_URL=$$AMQP_URL exec "$$@"' sh) \
		$(python) manage.py demo --port $(PORT) $(if $(ONCE),--once)

test: .venv/dev ## run the tests on PostgreSQL, then on SQLite [ARGS="-n 0 -k word"]
	$(with_rabbitmq) $(MAKE) --no-print-directory test-databases

test-databases:
	$(python) scripts/private_postgresql.py -- $(pytest) -m "not sqlite" $(ARGS)
	DATABASE_URL= $(pytest) -m "not postgresql" $(ARGS)

browser: .venv-browser/browser ## what operators do, in headless Chromium, and what axe finds [ARGS="-k word"]
	$(in_browser) browser $(ARGS)

chaos: .venv/dev ## kill workers at every step, and count what is lost or doubled [SUITE=name] [STYLE=of sagas]
	PYTHONPATH=scripts $(python) scripts/private_postgresql.py -- $(python) -m chaos \
		$(if $(SUITE),--suite $(SUITE)) $(if $(STYLE),--style $(STYLE))

olist: .venv/runtime ## real orders through the shop [DIR=... MONTH=2017-11 STYLE=choreographed KILLS=3]
	SAGA_STYLE=$(or $(STYLE),orchestrated) DEBUG=off SECRET_KEY=olist \
		$(python) scripts/private_postgresql.py -- $(python) -m olist $(DIR) \
		$(if $(MONTH),--month $(MONTH)) $(if $(KILLS),--kills $(KILLS))

lint: .venv/dev ## check format, code, types, imports and migrations
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	.venv/bin/mypy
	.venv/bin/lint-imports
	$(python) manage.py makemigrations --check --dry-run
	$(python) manage.py check

format: .venv/dev ## format the code and mend what ruff can mend
	.venv/bin/ruff format
	.venv/bin/ruff check --fix

messages: .venv/dev ## collect the texts to be translated, and compile the translations
	for app in events sagas; do ( cd $$app && ../.venv/bin/django-admin makemessages \
		--locale de --no-wrap --no-location && ../.venv/bin/django-admin compilemessages ); done

bench: .venv-bench/bench ## measure on PostgreSQL with fsync on [SUITE=name]
	.venv-bench/bin/python scripts/private_rabbitmq.py -- \
		.venv-bench/bin/python scripts/private_postgresql.py --durable -- \
		.venv-bench/bin/python -m benchmarks $(if $(SUITE),--suite $(SUITE))

explorer-data: .venv/dev ## fill the empty database in DATABASE_URL for the explorer [EVENTS=10000000]
	$(python) manage.py migrate --verbosity 0
	$(python) manage.py shell --no-imports -c "from benchmarks.explorer.data import fill; fill($(or $(EVENTS),10000000))"

screenshots: .venv-browser/browser ## render each page of the explorer to build/screenshots
	$(in_browser) browser/screenshots.py

clean: ## remove all that the other targets have made, the demo's database as well
	rm -rf .venv .venv-bench .venv-browser .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	rm -rf build staticfiles *.sqlite3*
	find . -name __pycache__ -prune -exec rm -rf {} +

.venv/bin/pip .venv-bench/bin/pip .venv-browser/bin/pip:
	PYTHON=$(PYTHON) scripts/create_venv.sh $(@D:/bin=)

.venv/runtime: requirements.txt | .venv/bin/pip
	$(python) $(pip_install) $<
	touch $@

.venv/dev: requirements-dev.txt requirements.txt | .venv/bin/pip
	$(python) $(pip_install) $<
	touch $@

.venv-bench/bench: requirements-bench.txt requirements.txt | .venv-bench/bin/pip
	.venv-bench/bin/python $(pip_install) $<
	touch $@

.venv-browser/browser: requirements-browser.txt requirements-dev.txt requirements.txt | .venv-browser/bin/pip
	.venv-browser/bin/python $(pip_install) $<
	test -n "$(CHROMIUM)" || .venv-browser/bin/playwright install chromium
	touch $@
