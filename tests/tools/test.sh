#!/usr/bin/env bash
# Runs every check of the project, cheapest first, one after another, then
# prints a total. After a failure the other checks still run.
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/tools/setup.sh
PATH="$PWD/.tools/bin:$PATH"

# Chance must not decide on a change, so the property tests take the same cases
# each time. `make soak` takes others.
export PROPTEST_RNG_SEED=${PROPTEST_RNG_SEED:-1}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=()

# check NAME COMMAND...: runs it under a heading and remembers a failure.
check() {
    local name=$1 start=$SECONDS
    shift
    printf '\n== %s\n' "$name"
    if "$@" 2>&1 | tee -a "$log"; then
        echo "== $name: ok, $((SECONDS - start)) s"
    else
        echo "== $name: FAILED"
        failed+=("$name")
    fi
}

check "shell scripts" tests/tools/check-scripts.sh
check "tree" tests/tools/check-tree.sh
check "documents" tests/tools/check-docs.py
check "alert rules" tests/tools/check-rules.sh
check "format" cargo fmt --all --check
check "licences, bans, sources" cargo deny --locked check bans licenses sources
check "clippy" cargo clippy --locked --workspace --all-targets --all-features -- -D warnings
# With the features that clippy has, the libraries are checked once for both.
check "documentation" env RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --all-features --no-deps --document-private-items
check "build" cargo build --locked --workspace --bins
check "settings in docs/SETTINGS.md" tests/tools/check-settings.sh
check "Kubernetes manifests" tests/tools/k8s-check.sh
check "NATS cluster" tests/tools/nats-cluster-check.sh
check "Compose" tests/tools/compose-check.sh
check "Prometheus" tests/tools/check-prometheus.py
check "tests" tests/tools/run-tests.py
check "fuzzing" tests/tools/fuzz.sh
check "make run" tests/tools/check-run.sh
check "OpenAPI" tests/tools/check-openapi.sh

# A test that cannot run prints a line of its own, although cargo captures
# output.
skipped=$(grep -c '^SKIPPED: ' "$log" || true)
passed=$(awk '/^test result: /{n += $4} END{print n + 0}' "$log")
broken=$(awk '/^test result: /{n += $6} END{print n + 0}' "$log")

printf '\n'
grep '^SKIPPED: ' "$log" | sort -u || true
if [ "$skipped" -gt 0 ] && [ "${CI:-}" = true ]; then
    failed+=("with CI=true no test may be skipped")
fi
[ "$passed" -gt 0 ] || failed+=("no test ran")
for name in "${failed[@]}"; do
    echo "FAILED: $name"
done
# A failed check that is not one of cargo's tests counts too.
[ "$broken" -ge "${#failed[@]}" ] || broken=${#failed[@]}
echo "$((passed - skipped)) passed, $broken failed, $skipped skipped"
[ "${#failed[@]}" -eq 0 ]
