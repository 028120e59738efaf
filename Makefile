# Targets are one line each; scripts/install brings what they need.
# The tools that scripts/install keeps beside the build.
export PATH := $(CURDIR)/target/tools:$(PATH)

.PHONY: run cluster test test-api test-cache check fmt bench bench-play bench-counts bench-transcribe reference bench-edge bench-encode bench-origin bench-library bench-sign-in golden web api-types clean minikube minikube-down check-kube test-kube

run: ; @scripts/install run && $(MAKE) --no-print-directory web && exec cargo run --release --bin clipcut -- serve --demo
cluster: ; @scripts/install run && scripts/install servers && $(MAKE) --no-print-directory web && cargo build --release --bin clipcut --bin servers && exec scripts/cluster
test: ; @scripts/install test && $(MAKE) --no-print-directory web && scripts/tests && cargo test --quiet --manifest-path store/model/Cargo.toml --target-dir target/model && scripts/test-api && npm --prefix web test && npm --prefix web run e2e
test-cache: ; @scripts/install test && cargo nextest run --workspace --no-run && npm --prefix web/cache-tests ci --ignore-scripts --no-audit --no-fund && node web/cache-tests/run.mjs
test-api: ; @scripts/install api && $(MAKE) --no-print-directory web && cargo nextest run --workspace --no-run && scripts/test-api
check: ; @scripts/install check && cargo fmt --all --check && cargo clippy --workspace --all-targets -- -D warnings && cargo deny --log-level error check bans licenses sources && npm --prefix web ci --no-audit --no-fund && npm --prefix web run lint && npm --prefix web run typecheck && scripts/kube-check
minikube: ; @scripts/minikube
minikube-down: ; @scripts/minikube down
check-kube: ; @scripts/install check && scripts/kube-check
test-kube: ; @scripts/install kube && scripts/install test && $(MAKE) --no-print-directory web && cargo nextest run --workspace --no-run && k8s/test/run
fmt: ; cargo fmt --all && npm --prefix web run format
bench: ; scripts/bench
bench-play: ; @scripts/install run && cargo build --profile dist --bin clipcut && node benches/play.mjs target/dist/clipcut
bench-counts: ; @scripts/install counts && cargo bench --quiet --package benches --bench counts
bench-edge: ; @scripts/install bench && cargo build --profile dist --bin clipcut --bin load && benches/side-by-side --fresh && benches/side-by-side --report
bench-origin: ; @scripts/install servers && scripts/install run && cargo build --profile dist --bin clipcut --bin origin-reads && target/dist/origin-reads target/dist/clipcut
bench-encode: ; @scripts/install servers && scripts/install run && cargo build --profile dist --bin clipcut --bin servers && python3 benches/encode.py target/dist/clipcut target/dist/servers
bench-library: ; @scripts/install servers && cargo build --profile dist --bin clipcut --bin servers && python3 benches/library/run.py target/dist/clipcut target/dist/servers
bench-sign-in: ; @cargo build --profile dist --bin clipcut && scripts/bench-sign-in target/dist/clipcut
golden: ; scripts/golden
reference: ; scripts/reference parity
bench-transcribe: ; scripts/reference speed
web: ; @node web/build.mjs
api-types: ; @scripts/install api && $(MAKE) --no-print-directory web && cargo nextest run --workspace --no-run && scripts/api-types > target/schema.ts && mv target/schema.ts web/src/api/schema.ts
clean: ; cargo clean && rm -rf web/node_modules web/dist
