# One command per intent; .ci/run calls the same ones.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes
MESSAGES := $(patsubst %.po,%.mo,$(wildcard locale/*/LC_MESSAGES/*.po))
SOURCES := accounts config mylist notify replenish shop

# A production's settings, for the checks that look at them.
CHECKED = MYLIST_DATA_DIR=var/check DATABASE_URL=sqlite://:memory: SECRET_KEY=$$($(BIN)/python -c \
	'import secrets; print(secrets.token_urlsafe(50))') ALLOWED_HOSTS=shop.example.com HSTS_SECONDS=31536000 \
	HSTS_SUBDOMAINS=1 HSTS_PRELOAD=1 SITE_URL=https://shop.example.com

# The servers of `make test-services`: CELERY_BROKER_URL names the RabbitMQ of its second round.
TEST_DATABASE = $(or $(DATABASE_URL),postgres://postgres@127.0.0.1:5432/mylist)
TEST_REDIS = $(or $(REDIS_URL),redis://127.0.0.1:6379/0)
TEST_RABBITMQ = $(or $(CELERY_BROKER_URL),amqp://guest:guest@127.0.0.1:5672//)

.PHONY: help run setup test test-services test-browser check format bench
.DELETE_ON_ERROR:

help: ## list what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' Makefile

run: .venv/.run $(MESSAGES) ## the whole shop with its demonstration data; PORT=8001 moves it, Ctrl-C stops it
	@$(BIN)/python -m config.run

setup: .venv/.dev $(MESSAGES) ## what tests and checks need; nothing is fetched after it

test: setup ## the tests that need nothing but Python
	@$(BIN)/pytest -q -n auto

test-services: setup ## all but the browser tests on PostgreSQL and Redis, the fault tests on RabbitMQ as well
	@DATABASE_URL='$(TEST_DATABASE)' REDIS_URL='$(TEST_REDIS)' CELERY_BROKER_URL='$(TEST_RABBITMQ)' \
		$(BIN)/python -m tests.servers
	@DATABASE_URL='$(TEST_DATABASE)' REDIS_URL='$(TEST_REDIS)' CELERY_BROKER_URL='$(TEST_REDIS)' \
		$(BIN)/pytest -q -n auto --maxprocesses 4 -m 'not browser'
	@DATABASE_URL='$(TEST_DATABASE)' REDIS_URL='$(TEST_REDIS)' CELERY_BROKER_URL='$(TEST_RABBITMQ)' \
		$(BIN)/pytest -q -m 'not browser' tests/faults

test-browser: export CHROMIUM ?= /usr/bin/chromium
test-browser: setup ## the journeys in Chromium
	@test -x "$$CHROMIUM" || { echo "There is no browser at $$CHROMIUM. Install Chromium (Debian: apt-get install" \
		"chromium fonts-noto-cjk) or name yours: make test-browser CHROMIUM=/path/to/chromium"; exit 1; }
	@$(BIN)/pytest -q -m browser

check: setup ## style, types, import order, templates, migrations, settings, translations
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/mypy --no-error-summary $(SOURCES)
	@$(BIN)/djlint --lint --quiet templates
	@$(CHECKED) $(BIN)/python manage.py makemigrations --check --dry-run --verbosity 0 || \
		{ echo "A migration is missing: python manage.py makemigrations"; exit 1; }
	@$(CHECKED) $(BIN)/python manage.py check --deploy --fail-level WARNING
	@$(BIN)/python -m config.translations

format: setup ## let ruff put the code in order
	@$(BIN)/ruff check --quiet --fix . || true
	@$(BIN)/ruff format --quiet .

bench: setup ## how fast the engine is next to DuckDB, on ten million lines; LINES=1000000 is quicker
	@$(BIN)/python -m benchmarks.speed $(if $(LINES),--lines $(LINES))

# ---------------------------------------------------------------- what the above stand on
# Stamps: made again only when the pins change, so that a second run starts at once.
define python-needed
@command -v $(firstword $(PYTHON)) >/dev/null || { echo "My List needs Python 3.11 or newer, and there is no" \
	"$(PYTHON). Install it, or name yours: make run PYTHON=/path/to/python3"; exit 1; }
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "My List needs Python 3.11 or newer;" \
	"$(PYTHON) is $$($(PYTHON) --version 2>&1). Name a newer one: make run PYTHON=python3.11"; exit 1; }
@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make environments: its venv module is" \
	"missing. Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
endef

.venv/.run: requirements/run.txt
	$(python-needed)
	@echo "Installing what the shop runs on (once, about a minute) ..."
	@$(PYTHON) -m venv .venv
	@$(PIP) -r requirements/run.txt
	@touch $@

.venv/.dev: requirements/run.txt requirements/dev.txt
	$(python-needed)
	@echo "Installing what tests and checks need (once, a minute or two) ..."
	@$(PYTHON) -m venv .venv
	@$(PIP) -r requirements/dev.txt
	@touch .venv/.run $@

# Compiled by Babel: Django's compilemessages needs gettext, which a bare machine lacks.
%.mo: %.po
	@$(BIN)/pybabel --quiet compile --input-file $< --output-file $@ --locale $(word 2,$(subst /, ,$<))
