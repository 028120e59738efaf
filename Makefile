# Targets are one line each; what they need is installed by scripts/.
export CARGO_TERM_COLOR ?= auto

.PHONY: run test check fmt bench web clean

run: ; @scripts/install run && $(MAKE) --no-print-directory web && cargo run --release --bin clipcut -- serve --demo
test: ; @scripts/install test && $(MAKE) --no-print-directory web && cargo test --workspace && npm --prefix web test && npm --prefix e2e test
check: ; @scripts/install check && cargo fmt --all --check && cargo clippy --workspace --all-targets -- -D warnings && cargo deny --log-level error check && npm --prefix web run lint && npm --prefix web run typecheck
fmt: ; cargo fmt --all && npm --prefix web run format
web: ; npm --prefix web ci --no-audit --no-fund && npm --prefix web run build
clean: ; cargo clean && rm -rf web/node_modules web/dist e2e/node_modules
