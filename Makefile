# `make run` serves, `make test` proves. Both need a Rust toolchain with a C compiler, and Python 3.
PYTHON ?= python3
# Another port than the default ones, which are 8888 and 8887 for the API and 8889 for probes.
PORT ?=
ADDRESS := 127.0.0.1:$(or $(PORT),8888)
DATA ?= data
PROFILES ?= docs/examples/profiles
BULKHEAD := target/debug/bulkhead

.PHONY: help run test test-rust test-clients test-kubernetes bench bench-compare bench-scheduler bench-lineage bench-authz bench-engine soak
.DEFAULT_GOAL := help

help:
	@echo 'make run             serve on this machine, with two example tenants (PORT=9999 DATA=data PROFILES=docs/examples/profiles)'
	@echo 'make test            all tests: those of the crates, then the client programs'
	@echo 'make test-rust       those of the crates'
	@echo 'make test-clients    the client programs (PROGRAMS="sdk_v2 crash": some of them)'
	@echo 'make bench           how fast the API answers, beside bare references (BENCH="--rows 10000 --only get": see docs/PERFORMANCE.md)'
	@echo 'make bench-compare   what has changed between two of its files (A=before.json B=after.json)'
	@echo 'make soak            kill the server and its databases again and again under load (MINUTES=20)'
	@echo 'make bench-scheduler how late many schedules are (BENCH="--schedules 10000 --only pace": see docs/PERFORMANCE.md)'
	@echo 'make bench-lineage   how the graph of a tenant is read beside that of another one (BENCH="--executions 100000": see docs/PERFORMANCE.md)'
	@echo 'make bench-authz     how long decisions about access take, beside those of a real Kubernetes API server where Go is'
	@echo 'make bench-engine    what the engine adds to the processes that it runs, beside bare ones and kfp.local (KFP2_PYTHON)'
	@echo 'make test-kubernetes what needs a real Kubernetes API server; it is built first, with Go, in 5 to 15 minutes'

define SNIPPET

Bulkhead will answer on http://$(ADDRESS), REST and gRPC alike, and keep its data in $(DATA)/.
Tenants: jane-doe of jane@example.com, john-roe of john@example.com.

A token, in another terminal:

    $(BULKHEAD) token create --user jane@example.com --expires 30d --data-dir $(DATA) | tail -n 1 > jane.token

A first run (pip install kfp==2.17.3):

    import kfp
    from kfp import dsl

    @dsl.component(base_image="python:3.11")
    def hello(name: str) -> str:
        return f"Hello, {name}!"

    @dsl.pipeline
    def greeting(name: str = "Jane"):
        hello(name=name)

    client = kfp.Client(host="http://$(ADDRESS)", existing_token=open("jane.token").read().strip())
    client.set_user_namespace("jane-doe")
    run = client.create_run_from_pipeline_func(greeting, arguments={}, namespace="jane-doe")
    print(run.wait_for_run_completion().state)

endef
export SNIPPET

run:
	cargo build -p bulkhead
	@printf '%s\n' "$$SNIPPET"
	$(BULKHEAD) serve $(if $(PORT),--listen $(ADDRESS) --admin-listen 127.0.0.1:0) --data-dir $(DATA) --profiles $(PROFILES)

# The tests of the crates build the program too, with what tests need besides; to build it once more without that takes
# as long as all of it.
test: test-rust
	$(PYTHON) integration-tests/run.py $(PROGRAMS)

test-rust:
	cargo test --workspace --no-fail-fast

test-clients:
	cargo build -p bulkhead
	$(PYTHON) integration-tests/run.py $(PROGRAMS)

test-kubernetes:
	folder=$$(cd integration-tests && $(PYTHON) -m harness.builds kube-apiserver) && \
	BULKHEAD_TEST_KUBE_APISERVER=$$folder/kube-apiserver \
	    cargo test --workspace --test kubernetes -- --nocapture

# Without Go it measures all but the reviews, and says so.
bench-authz:
	folder=$$(cd integration-tests && $(PYTHON) -m harness.builds kube-apiserver) && \
	    export BULKHEAD_TEST_KUBE_APISERVER=$$folder/kube-apiserver; \
	cargo bench -p authz --bench authz

bench-engine:
	cargo build --release -p bulkhead
	cargo bench -p engine --bench steps
	cd integration-tests && $(PYTHON) bench_engine.py

# With BENCH="--output FILE" the findings are kept, for bench-compare.
bench:
	cargo build --release -p bulkhead
	cargo build --release -p bench
	target/release/bench run $(BENCH)

bench-compare:
	cargo build --release -p bench
	target/release/bench compare $(A) $(B)

bench-scheduler:
	cargo build --release -p bulkhead
	cargo build --release -p bench
	target/release/bench scheduler $(BENCH)

bench-lineage:
	cargo build --release -p bulkhead
	cargo build --release -p bench
	target/release/bench lineage $(BENCH)

MINUTES ?= 20
soak:
	cargo build -p bulkhead
	SOAK_SECONDS=$$(($(MINUTES) * 60)) $(PYTHON) integration-tests/run.py soak_sqlite soak_postgres soak_mysql
