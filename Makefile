# Run, test and check Negatoscope from a fresh Debian machine. `make help` lists the targets.
#
# Everything is installed in .venv from the locked, hashed lists in requirements/; a target whose
# list has not changed since the last time starts at once. PYTHON names the interpreter to use.

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
CYCLES ?= 1000
UV_COMPILE := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header --no-annotate --quiet

# Each server a test starts would compile every module again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run dev web web-dev test quick bench check format kill-loop fuzz crash-points docs client lock clean

help:
	@sed -n 's/^##! //p' Makefile

##! make run [ARGS="…"]    install, load a demonstration department and serve; prints URL and accounts
run:
	@tools/bootstrap.sh run
	@tools/web.sh build --optional
	@exec $(BIN)/negatoscope serve --demo --ohif $(ARGS)

##! make dev               install what developers need in .venv
dev:
	@tools/bootstrap.sh dev

##! make web               build the web application into the package (Node.js 20.19 or later)
web:
	@tools/web.sh build

##! make web-dev           its sources, rebuilt as they change; NEGATOSCOPE_SERVER=URL of a running server
web-dev:
	@tools/web.sh dev

##! make test [ARGS="…"]   install what the tests need, then run every test
test: dev
	@tools/test_programs.sh test
	@tools/web.sh build --optional
	@tools/web.sh test --optional
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder --durations 15 $(ARGS)

##! make quick             the tests that need a few seconds and no other toolkit
quick: dev
	@$(BIN)/pytest -n 2 --dist loadfile -m "not slow and not stranger" $(ARGS)

##! make check             lint, format, types, import rules
check: dev
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@tools/web.sh check --optional

##! make format            put the code in its one format
format: dev
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format
	@tools/web.sh format --optional

##! make bench [ARGS="…"]  measure against Orthanc and the machine itself; writes bench/results/
bench: dev
	@tools/test_programs.sh bench
	@$(BIN)/python -m bench.compare $(ARGS)

##! make kill-loop [CYCLES=1000]   kill -9 while storing, again and again; nothing acknowledged may be lost
kill-loop: dev
	@NEGATOSCOPE_HTTP_WORKERS=2 NEGATOSCOPE_KILL_CYCLES=$(CYCLES) $(BIN)/pytest tests/acceptance/test_kill_loop.py --timeout 0 -s $(ARGS)

##! make fuzz [EXAMPLES=20000]   requests of chance on every path of DICOMweb and /api/v1; none may end in a 5xx
fuzz: dev
	@NEGATOSCOPE_FUZZ_EXAMPLES=$(or $(EXAMPLES),20000) $(BIN)/pytest tests/entrypoints/dicomweb/test_fuzz_web.py --timeout 0 -n 0 $(ARGS)
	@NEGATOSCOPE_FUZZ_EXAMPLES=$(or $(API_EXAMPLES),200) $(BIN)/pytest tests/entrypoints/api/test_openapi.py --timeout 0 -n 0 $(ARGS)

##! make crash-points       SIGKILL before every system call of a store, a settling, a decision
crash-points: dev
	@NEGATOSCOPE_CRASH_POINTS=0 $(BIN)/pytest tests/faults/test_kill_at_system_call.py --timeout 0 $(ARGS)

##! make docs              write the generated pages again (conformance statement)
docs: dev
	@$(BIN)/python tools/generate_conformance.py
	@$(BIN)/python tools/generate_hl7_conformance.py

##! make client            write the TypeScript types of our JSON API again, after a change of its routes
client: dev
	@$(BIN)/python tools/generate_api_client.py

##! make lock              lock the dependencies again, after a change in pyproject.toml
lock: dev
	@$(UV_COMPILE) --extra demo --group build --output-file requirements/run.lock
	@$(UV_COMPILE) --extra demo --group dev --output-file requirements/dev.lock

##! make clean             remove .venv and every cache; never data
clean:
	@rm -rf $(VENV) .mypy_cache .ruff_cache .import_linter_cache .grimp_cache .hypothesis
