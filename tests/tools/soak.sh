#!/usr/bin/env bash
# The tests of faults and of many pods, with the full figures of the project's promises, one after
# another: most of an hour. SEED=… repeats a run.
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/tools/setup.sh
PATH="$PWD/.tools/bin:$PATH"
cargo build --locked --workspace --bins
SOAK=1 cargo test --locked --workspace --test faults --test pods --test cluster -- --test-threads=1 "$@"
