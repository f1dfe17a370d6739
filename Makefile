# Two commands for a newcomer: `make run` and `make test`. Everything else is for developers.
# Caches live outside the checkout, keyed by content: SA800_CACHE (default /var/cache/sa800).
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
export SA800_CACHE ?= /var/cache/sa800
export PYTHONDONTWRITEBYTECODE := 1
# The host's tools live in a virtual environment in the cache; its path comes from the lock's content.
VENV = "$$(image/host/venv)"

.PHONY: help
help:  ## show the targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 16

.PHONY: setup
setup:  ## everything that run and test need: host packages, Python tools, root file system, panel
	@image/host/setup

.PHONY: run
run: setup  ## LISTEN= CARDS=: start one box with its public exchange; prints the address and what to do next
	@PYTHONPATH=. $(VENV)/bin/python -m tests.lab run $(if $(LISTEN),--listen $(LISTEN)) $(if $(CARDS),--cards "$(CARDS)") $(RUN_ARGS)

.PHONY: test test-host board-smoke
test: board-setup  ## all tests, unit to browser, on real Asterisk; calls over emulated lines beside them
	@$(MAKE) --no-print-directory -j3 test-host board-smoke

test-host: check check-web sanitize
	@$(VENV)/bin/python -m pytest tests -m "lab or browser or long"

board-smoke:  # the board's clock counts its instructions: it takes what the other tests leave of the processors
	@nice -n 19 board-tests/run smoke

.PHONY: sanitize
sanitize:  ## the C core's tests with ASan and UBSan, its engine with TSan; part of make test
	@SA800_CEXT=sanitize ASAN_OPTIONS=detect_leaks=0 LD_PRELOAD="$$(gcc -print-file-name=libasan.so)" \
	  $(VENV)/bin/python -m pytest -q tests/voicecore -m "not long"
	@$(VENV)/bin/python -m pytest -q tests/voicecore/test_threads.py

.PHONY: fuzz
fuzz:  ## FUZZ_S=600: each libFuzzer target of the C core for so many seconds (installs clang)
	@image/host/clang && tests/voicecore/fuzz.sh "$$(python3 -m image cext fuzz)/bin" "$(or $(FUZZ_S),600)"

.PHONY: bench-voicecore
bench-voicecore:  ## ns for a 20 ms tick of a channel, spandsp's receivers beside ours; JSON on the last line
	@"$$(python3 -m image cext)/bin/bench"

.PHONY: bench-jitter
bench-jitter:  ## SEED=0: the jitter buffer on twelve families of networks, beside NetEq and speexdsp; JSON on the last line
	@"$$(image/host/venv bench-python)/bin/python" cext/bench/run.py "$$(python3 -m image cext peers)/bin/jitter" $(or $(SEED),0)

.PHONY: plot-jitter
plot-jitter:  ## docs/jitter-buffer.svg: the jitter buffer's delay over time
	@python3 cext/bench/plot.py "$$(python3 -m image cext)/bin/jitter" 77 docs/jitter-buffer.svg

.PHONY: check check-lint check-agent check-rest check-core check-hal
check:  ## < 90 s, no root, no network: lint, types, layers, sizes, unit and golden tests
	@$(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j2) --output-sync=target check-a-h check-i-z check-rest check-lint check-core check-hal

check-lint:
	@v=$(VENV); $$v/bin/ruff check . && $$v/bin/ruff format --check . && $$v/bin/mypy && $$v/bin/mypy board-tests/*.py && MYPYPATH=board-tests $$v/bin/mypy --python-version 3.14 -p linesim && $$v/bin/lint-imports --no-cache

check-a-h check-i-z: check-%:  # the agent's unit tests in two parts, by name: one would run alone at the end
	@$(VENV)/bin/python -m pytest -q tests/unit/test_[$*]*.py -m "not lab and not browser and not long"

check-rest:
	@$(VENV)/bin/python -m pytest -q tests/golden tests/hq tests/ledger tests/property -m "not lab and not browser and not long"

check-core:
	@$(VENV)/bin/python -m pytest -q tests/voicecore -m "not long"

check-hal:
	@umockdev-wrapper $(VENV)/bin/python -m pytest -q -p no:schemathesis tests/hal

.PHONY: bench-lines
bench-lines:  ## µs of processor and readings of one of the ten looks a second at all lines; JSON on the last line
	@PYTHONPATH=. $(VENV)/bin/python -m tests.bench.lines

.PHONY: bench-hq
bench-hq: setup  ## calls a second into headquarters by HTTPS, beside the same calls by plain SQL and by COPY; JSON on the last line
	@PYTHONPATH=. $(VENV)/bin/python -m tests.bench.hq

.PHONY: bench-hq-boxes
bench-hq-boxes: setup  ## 1000 boxes with live connections on one process of headquarters: processor, memory; JSON on the last line
	@PYTHONPATH=. $(VENV)/bin/python -m tests.bench.hq_boxes

.PHONY: bench-listening
bench-listening: setup  ## how soon a listening sounds, and what eight of them cost; JSON on the last line
	@PYTHONPATH=. $(VENV)/bin/python -m tests.bench.listening

.PHONY: bench-quality
bench-quality:  ## µs of processor for an RTCP report, and its share of a core with 200 calls; JSON on the last line
	@PYTHONPATH=. $(VENV)/bin/python -m tests.bench.quality

.PHONY: check-web
check-web: setup  ## lint, types and tests of the panel and its SDK; part of make test
	@python3 -m image check-panel

.PHONY: lock
lock:  ## WHAT=root|kernel: resolve Debian's packages anew and rewrite image/locks/ (both when not said)
	@python3 -m image lock $(WHAT)

.PHONY: golden
golden:  ## rewrite the golden files; the diff is the review
	@GOLDEN=write $(VENV)/bin/python -m pytest -q tests/golden

.PHONY: proof-call
proof-call: setup  ## SEED= OUT= BREAK=: one whole call on the real parts, figures as JSON on the last line
	@PYTHONPATH=. $(VENV)/bin/python -m tests.proof.call

.PHONY: proof-jitter
proof-jitter: setup  ## SEED= OUT= LOG= BREAK=: the same arrivals of a real call through our jitter buffer and Asterisk's
	@PYTHONPATH=. $(VENV)/bin/python -m tests.proof.jitter

.PHONY: board-setup
board-setup:
	@image/host/setup board

.PHONY: board-test
board-test: board-setup  ## BOARD_ARGS=: calls over emulated lines: the real kernel and DAHDI in QEMU
	@board-tests/run test $(BOARD_ARGS)

.PHONY: board
board: board-setup  ## the product on the emulated board, with its panel for this machine's browser
	@board-tests/run board

.PHONY: board-mutate
board-mutate: board-setup  ## BREAKS="law flash": named breaks of the box, each of which must turn a board test red
	@python3 board-tests/mutate.py $(BREAKS)

.PHONY: board-shell
board-shell: board-setup  ## BOOT=kernel|product: a shell on the emulated board's console
	@board-tests/run shell $(or $(BOOT),kernel)

.PHONY: soak
soak: setup  ## the fault campaigns of `make test` in full size (SOAK=1)
	@SOAK=1 $(VENV)/bin/python -m pytest tests/box tests/lab -m lab --timeout 3600
