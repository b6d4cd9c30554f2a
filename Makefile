CASE ?= imoveis
STACK ?= local
VENV := .venv
INSTALLED := $(VENV)/.installed

# An environment whose Python does not run (moved, half made, its Python removed) is made anew.
ifneq ($(wildcard $(VENV)),)
ifneq ($(shell $(VENV)/bin/python -c 'print("runs")' 2>/dev/null),runs)
$(shell rm -rf $(VENV))
endif
endif

COMPILE := $(VENV)/bin/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-header \
    --no-emit-index-url --no-emit-find-links

# A value as one word for the shell, whatever blanks, dollars or quotes it holds.
quoted = '$(subst ','\'',$(1))'

.DEFAULT_GOAL := help
.PHONY: help new run stop status test check bench chaos fuzz soak audit sbom environment pins

help: ## this list
	@echo "Esteira: from a raw CSV to a live prediction API"
	@sed -n 's/^\([a-z]*\):.*## /  make \1 /p' Makefile | awk '{printf "  make %-12s", $$2; $$1 = $$2 = ""; print $$0}'

new: $(INSTALLED) ## write the case of a file (CSV=/path/file.csv TARGET=column, and NAME=, FORCE=1)
	$(if $(and $(CSV),$(TARGET)),,$(error make new needs a file and a column: make new CSV=/path/file.csv TARGET=column))
	@$(VENV)/bin/esteira new $(call quoted,$(CSV)) --target $(call quoted,$(TARGET)) \
	    $(if $(NAME),--name $(call quoted,$(NAME))) $(if $(FORCE),--force)

ifeq ($(STACK),compose)
run stop status:
	@sh compose.sh $@ $(if $(filter run,$@),$(CASE))
else
run: $(INSTALLED) ## start the services and take a case to a live API (CASE=imoveis, STACK=compose: in containers)
	@$(VENV)/bin/esteira run $(CASE)

stop: ## stop everything that was started here (STACK=compose)
	@if [ -x $(VENV)/bin/esteira ]; then $(VENV)/bin/esteira down; else echo "Nothing was installed, so nothing runs"; fi

status: ## what is running and which versions are live (STACK=compose)
	@if [ -x $(VENV)/bin/esteira ]; then $(VENV)/bin/esteira status; else echo "Nothing was installed, so nothing runs"; fi
endif

test: $(INSTALLED) ## run the tests (ARGS='tests/core -k bundle')
	@$(VENV)/bin/python -m pytest -n 2 $(ARGS)

check: $(INSTALLED) ## run the linters, as CI does
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports

environment: $(INSTALLED) ## make .venv with everything that requirements.txt pins

pins: $(INSTALLED) ## write requirements.txt and app/requirements.txt anew from pyproject.toml
	@$(COMPILE) pyproject.toml --group dev -o requirements.txt
	@$(COMPILE) --group api -c requirements.txt -o app/requirements.txt

bench: $(INSTALLED) ## measure, and write docs/benchmarks.md
	@$(VENV)/bin/python -m benchmarks

chaos: $(INSTALLED) ## break what a release stands on, under load, and write docs/reliability.md (ARGS='-k rollback')
	@ESTEIRA_CHAOS=full $(VENV)/bin/python -m pytest tests/chaos --figures docs $(ARGS)

fuzz: $(INSTALLED) ## ask each case's API all that its documentation allows, and write docs/reliability.md
	@ESTEIRA_CHAOS=full $(VENV)/bin/python -m pytest tests/chaos/test_fuzz.py --figures docs $(ARGS)

soak: $(INSTALLED) ## half an hour of load on one API, and write docs/reliability.md
	@ESTEIRA_CHAOS=full $(VENV)/bin/python -m pytest tests/chaos/test_soak.py --figures docs $(ARGS)

audit: $(INSTALLED) ## look the image's packages up among known vulnerabilities
	@$(VENV)/bin/python -m benchmarks.audit

sbom: $(INSTALLED) ## write sbom.cdx.json: the image's packages with their hashes, as CycloneDX
	@$(VENV)/bin/cyclonedx-py requirements app/requirements.txt --output-reproducible --of JSON -o sbom.cdx.json

$(VENV)/bin/python:
	@for candidate in python3.11 python3 python; do \
	    if $$candidate -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	    echo "Esteira needs Python 3.11, and neither python3.11 nor python3 is one; install it and run make again"; exit 1; \
	fi; \
	if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
	    echo "$$python cannot make environments: its venv module is missing."; \
	    echo "On Debian and Ubuntu: sudo apt-get install python3.11-venv; then run make again"; exit 1; \
	fi; \
	$$python -m venv $(VENV)

$(VENV)/bin/uv: | $(VENV)/bin/python
	@$(VENV)/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	    { echo "$(VENV) is not of Python 3.11; remove that folder and run make again"; exit 1; }
	@$(VENV)/bin/python -m pip --version >/dev/null 2>&1 || $(VENV)/bin/python -m ensurepip >/dev/null
	@awk '/^[^ #]/ {ours = /^uv==/} ours' requirements.txt > $(VENV)/uv.txt
	@$(VENV)/bin/python -m pip install --quiet --require-hashes --requirement $(VENV)/uv.txt

$(INSTALLED): requirements.txt pyproject.toml $(VENV)/bin/uv
	@echo "Installing the pinned packages into $(VENV) (a minute or two, only when the pins change)"
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(VENV)/bin/uv pip sync --quiet --require-hashes requirements.txt
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(VENV)/bin/uv pip install --quiet --no-deps --editable .
	@touch $(INSTALLED)
