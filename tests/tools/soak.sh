#!/usr/bin/env bash
# Runs the tests of faults, disasters, changes, many pods and hostile traffic
# with the full figures of the project's promises. This takes an hour. Then come
# the property tests with many random cases. At the end it prints what was
# measured and the result of each program. SEED=… repeats a run. Arguments go to
# each test program.
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/tools/setup.sh
PATH="$PWD/.tools/bin:$PATH"
cargo build --locked --workspace --bins
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=yes
# One that fails does not keep the others from running.
SOAK=1 cargo test --locked --workspace --no-fail-fast --test faults --test disasters --test changes --test pods --test cluster --test losses --test rules -- \
    --test-threads=1 "$@" 2>&1 | tee "$log" || passed=no
SOAK=1 cargo test --locked --workspace --test api -- --test-threads=1 memory:: floods:: tls:: 2>&1 |
    tee -a "$log" || passed=no
export PROPTEST_CASES=${PROPTEST_CASES:-4096}
cargo test --locked --workspace --lib -- properties 2>&1 | tee -a "$log" || passed=no
cargo test --locked --workspace --test api -- generated mutated 2>&1 | tee -a "$log" || passed=no
printf '\n'
grep '^FIGURE: ' "$log" || true
grep -oE '^ +Running (unittests|tests/)[^ ]*|^test result: .*|^test .* FAILED$|SEED=[0-9]+' "$log" || true
[ "$passed" = yes ]
