# Every target sets itself up: it makes .venv, installs what it needs and builds the extension.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test check test-extras chromium bench campaign campaign-reconstruct docs wheel core clean

BASE_PYTHON ?= python3
VENV := .venv
PYTHON ?= $(VENV)/bin/python
PIP := $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check
RUST := $(shell find rust -name '*.rs' -o -name Cargo.toml) Cargo.toml Cargo.lock
CORE := python/nanospa/_core.abi3.so

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.base: pyproject.toml
	@command -v $(BASE_PYTHON) >/dev/null || { echo "nanospa needs Python >= 3.11; set BASE_PYTHON to it" >&2; exit 2; }
	@$(BASE_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "nanospa needs Python >= 3.11, found $$($(BASE_PYTHON) -V); set BASE_PYTHON to a newer one" >&2; exit 2; }
	@command -v cargo >/dev/null || { echo "nanospa needs a Rust toolchain (cargo) to build from source: install one with rustup, or install a wheel (make wheel) made elsewhere" >&2; exit 2; }
	$(BASE_PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	$(PIP) 'maturin>=1.9,<2'
	$(VENV)/bin/maturin develop --quiet --profile develop
	@touch $@

# One stamp an extra; the package itself is installed in place, so only its dependencies are added.
$(VENV)/.%: $(VENV)/.base
	$(PIP) $$($(PYTHON) -c 'import sys, tomllib; print(*(repr(d) for d in tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["$*"]))' | tr -d "'")
	@touch $@

$(CORE): $(RUST)
	PYO3_BUILD_EXTENSION_MODULE=1 cargo build --quiet --profile develop -p nanospa-py
	cp target/develop/lib_core.so $@.new && mv $@.new $@

core: $(CORE) ## build the extension in place

demo: $(VENV)/.base $(CORE) ## a session on the simulated microscope, analysed: prints the result and where store and report are
	$(PYTHON) -m nanospa demo

test: $(VENV)/.base $(VENV)/.test $(CORE) ## all tests
	cargo test --quiet --workspace --exclude nanospa-py
	$(PYTHON) -m pytest -m 'not extras'

check: $(VENV)/.base $(VENV)/.test $(VENV)/.check $(CORE) ## formatting, lints, types, layers, docstrings, stubs, README
	cargo fmt --all --check
	cargo clippy --quiet --workspace --all-targets -- -D warnings
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(PYTHON) -m mypy.stubtest nanospa._core --allowlist checks/stubtest_allowlist.txt
	$(VENV)/bin/lint-imports
	$(PYTHON) -m pytest -q checks

test-extras: $(VENV)/.base $(VENV)/.test $(VENV)/.em $(VENV)/.temscript $(VENV)/.bluesky $(VENV)/.browser $(CORE) chromium ## tests that need optional packages or a browser
	NANOSPA_TEST_EXTRAS=1 $(PYTHON) -m pytest -m extras

# $CHROMIUM names a browser that is not on the path; on Debian and Ubuntu a missing one is installed.
chromium:
	@for program in "$${CHROMIUM:-}" chromium chromium-browser google-chrome-stable google-chrome; do \
		[ -n "$$program" ] && command -v "$$program" >/dev/null && exit 0; \
	done; \
	as_root=; [ "$$(id -u)" = 0 ] || as_root="sudo -n"; \
	command -v apt-get >/dev/null && $$as_root apt-get update -qq && $$as_root apt-get install -y -qq --no-install-recommends chromium \
	|| { echo "test-extras needs Chromium: install it, or set CHROMIUM to its path" >&2; exit 2; }

bench: $(VENV)/.base $(VENV)/.test $(CORE) ## all benchmarks, kernels in Rust first: prints markdown; needs a quiet machine and most of an hour
	cargo bench --quiet -p nanospa-core --bench '*'
	@for bench in benches/bench_*.py; do \
		arguments=; \
		if [ $$bench = benches/bench_auto.py ]; then \
			arguments=$${NANOSPA_TEST_DATA:-../shared/data}/arda_stem; \
			[ -d $$arguments ] || { printf '\n## %s\n\nleft out: set NANOSPA_TEST_DATA to the folder of the test data\n' $$bench; continue; }; \
		fi; \
		printf '\n## %s\n\n' $$bench; $(PYTHON) $$bench $$arguments; \
	done

campaign: $(VENV)/.base $(CORE) ## sessions on the simulated microscope, killed 20 times and resumed: each store must equal the uninterrupted one; ten minutes
	$(PYTHON) benches/campaign_acquire.py

campaign-reconstruct: $(VENV)/.base $(VENV)/.test $(CORE) ## 590 reconstructions of particles whose shape is known, in campaign_all.jsonl: two hours; goes on where it was stopped
	$(PYTHON) benches/campaign_reconstruct.py all

docs: $(VENV)/.base $(VENV)/.docs $(CORE) ## documentation with the gallery of examples, in docs/_build
	$(VENV)/bin/sphinx-build -W --keep-going -q docs docs/_build

wheel: $(VENV)/.base ## abi3 wheel in dist/
	$(VENV)/bin/maturin build --release --out dist

clean: ## remove what the other targets made
	rm -rf $(VENV) target dist demo docs/_build docs/gallery $(CORE)
