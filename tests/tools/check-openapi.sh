#!/usr/bin/env bash
# Checks with Schemathesis that the ingress does what docs/openapi.json says: no
# 5xx, and no answer that the document lacks.
set -euo pipefail
cd "$(dirname "$0")/../.."
pins=tests/tools/wheels/schemathesis.txt
output=$(mktemp)
scratch=$(mktemp -d)
run=

finish() {
    [ -z "$run" ] || kill -TERM -- "-$run" 2>/dev/null || true
    [ -z "$run" ] || wait "$run" || true
    rm -rf "$output" "$scratch"
}
trap finish EXIT

fail() {
    cat "$output"
    echo "OpenAPI: $*"
    exit 1
}

# Schemathesis has an environment of its own, made once for these pins.
tool=$PWD/.tools/schemathesis
if [ "$(cat "$tool/sha256" 2>/dev/null)" != "$(sha256sum <"$pins")" ]; then
    python3 -m venv --clear "$tool"
    if ! "$tool/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --require-hashes -r "$pins" >"$output" 2>&1; then
        tail -n 3 "$output"
        echo "SKIPPED: Schemathesis could not be installed, so the ingress was not compared with docs/openapi.json"
        exit 0
    fi
    sha256sum <"$pins" >"$tool/sha256"
fi

# Both services, with a channel that is authorized: the example of the document.
# Job control gives them a process group of their own.
set -m
TMPDIR=$scratch env -u DISCORD_TOKEN -u DISCORD_TOKEN_FILE tests/tools/run.sh >"$output" 2>&1 &
run=$!
set +m
for _ in {1..1200}; do
    grep -q '^Ctrl-C stops everything' "$output" && break
    kill -0 "$run" 2>/dev/null || fail "the services ended early"
    sleep 0.1
done
grep -q '^Ctrl-C stops everything' "$output" || fail "the services did not start in time"
read -r ingress admin < <(sed -nE 's|^ingress-service +(https://[^,]+), (.*)/readyz$|\1 \2|p' "$output")
curl -fsS "$admin/openapi.json" >"$scratch/openapi.json" || fail "the document is not served"

# A fixed seed: the checks of the project are the same for everybody. It leaves
# a folder where it runs.
cd "$scratch"
PYTHONWARNINGS=ignore "$tool/bin/schemathesis" run "$scratch/openapi.json" --url "$ingress" --tls-verify false \
    --phases examples,coverage,fuzzing --max-examples 200 --seed 1 --max-time 40 --request-timeout 10 \
    --generation-database none --output-truncate false --warnings off --continue-on-failure \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance

# What it got to see; an alert that is stored is the one that is hard to reach.
metrics=$(curl -fsS "$admin/metrics" | sed -nE 's/^sentry_bot_ingress_requests_total\{outcome="([a-z_]+)"\} /\1 /p' | sort)
echo "answered:" "${metrics//$'\n'/, }"
grep -qE '^stored(_unverified)? [1-9]' <<<"$metrics" || fail "no alert was stored"
