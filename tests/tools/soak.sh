#!/usr/bin/env bash
# The tests of faults and of many pods, with the full figures of the project's promises, one after
# another: most of an hour. SEED=… repeats a run. Then the property tests with many cases, by chance.
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/tools/setup.sh
PATH="$PWD/.tools/bin:$PATH"
cargo build --locked --workspace --bins
SOAK=1 cargo test --locked --workspace --test faults --test pods --test cluster -- --test-threads=1 "$@"
PROPTEST_CASES=${PROPTEST_CASES:-4096} cargo test --locked --workspace --lib -- properties
PROPTEST_CASES=${PROPTEST_CASES:-4096} cargo test --locked --workspace --test api -- generated mutated
