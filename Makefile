# The front door. Each target installs what it needs itself; CMake and Ninja do the work.
# `make test T=name` runs the tests whose name contains `name`; `make fuzz T=json SECONDS=300` one fuzz target for longer.

JOBS ?= $(shell nproc)
SECONDS ?= 60
T ?=
QUICK ?=
PREFIX ?= /usr/local

.DEFAULT_GOAL := build
.PHONY: build run probe test test-aarch64 test-all test-long test-update check check-quick format docs bench bench-nn eval-models fuzz asan tsan wasm install deps clean help

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 20

deps: ## install what the build and the tests need
	@tools/deps test

build: ## build/vsr, optimised
	@tools/deps build
	@mkdir -p build && cmake --preset release >build/cmake.log || { cat build/cmake.log; exit 1; }
	@ninja -C build/release -j$(JOBS) vsr
	@ln -sf release/vsr build/vsr

run: build ## start a stand-in backend and vsr with the demo profile
	@tools/run-demo

test: ## all tests of the default set
	@tools/deps test
	@tools/run-tests "$(T)"

test-all: test-long

test-long: ## property, fault and load tests at full length; the same as test-all
	@tools/deps test
	@VSR_TEST_LONG=1 tools/run-tests "$(T)"

test-aarch64: ## unit tests of core/, text/ and nn/ on 64-bit Arm, under qemu-user
	@tools/deps aarch64
	@tools/test-aarch64 "$(T)"

test-update: ## rewrite the expected diagnostics and snapshots; review the diff
	@tools/deps test
	@VSR_TEST_UPDATE=1 tools/run-tests "$(T)"

probe: build ## the test suites of recipes/
	@for recipe in recipes/*/probes.yaml; do echo "$$recipe"; build/vsr probe "$$recipe" || exit 1; done

check: ## format, warnings under gcc and clang, clang-tidy, floors, reference page
	@tools/deps check
	@tools/check

check-quick: ## the same without clang-tidy
	@tools/deps check
	@tools/check --quick

format: ## clang-format over our sources
	@tools/deps check
	@git ls-files '*.c' '*.h' | xargs clang-format -i

eval-models: ## figures of the built-in models on the dev rows of ../shared/data
	@tools/deps train
	@training/run own figures

docs: ## docs/configuration.md and the reference in docs/dsl.md, from the tables
	@tools/deps test
	@mkdir -p build && cmake --preset debug >build/cmake.log || { cat build/cmake.log; exit 1; }
	@ninja -C build/debug -j$(JOBS) vsr
	@tools/check-docs --write

bench: build ## one table of speeds beside the budgets; T=streams some rows, QUICK=1 shorter
	@tools/deps bench
	@bench/run $(if $(QUICK),--quick) $(T)

bench-nn: build ## encoders beside ONNX Runtime, with the budgets
	@tools/deps bench-nn
	@bench/nn/run

fuzz: ## each fuzz target for SECONDS (60)
	@tools/deps fuzz
	@tools/run-fuzz "$(T)" $(SECONDS)

asan: ## the tests under AddressSanitizer and UndefinedBehaviourSanitizer
	@tools/deps test
	@VSR_PRESET=asan+ubsan tools/run-tests "$(T)"

tsan: ## the tests under ThreadSanitizer
	@tools/deps test
	@VSR_PRESET=tsan tools/run-tests "$(T)"

wasm: ## build/wasm: the routing language for pages, vsr-dsl.wasm and its loader
	@tools/deps wasm
	@JOBS=$(JOBS) tools/build-wasm

install: build ## into PREFIX (/usr/local)
	install -D -m 755 build/vsr $(DESTDIR)$(PREFIX)/bin/vsr
	build/vsr completion bash | install -D -m 644 /dev/stdin $(DESTDIR)$(PREFIX)/share/bash-completion/completions/vsr
	build/vsr completion zsh | install -D -m 644 /dev/stdin $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_vsr

clean: ## remove build/
	rm -rf build
