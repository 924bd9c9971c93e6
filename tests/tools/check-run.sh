#!/usr/bin/env bash
# Checks that `make run` shows the message that arrived, and that Ctrl-C ends it
# without leaving a process or a file behind.
set -euo pipefail
cd "$(dirname "$0")/../.."
output=$(mktemp)
scratch=$(mktemp -d) # its TMPDIR, so that what it leaves is seen
trap 'rm -rf "$output" "$scratch"' EXIT

fail() {
    cat "$output"
    echo "make run: $*"
    exit 1
}

expect() {
    grep -qF -- "$1" "$output" || fail "it did not print: $1"
}

# Job control gives it a process group of its own. It gets SIGINT as in a
# terminal, even if this script runs in the background.
set -m
TMPDIR=$scratch env --default-signal=INT -u DISCORD_TOKEN -u DISCORD_TOKEN_FILE make --no-print-directory run >"$output" 2>&1 &
run=$!
set +m
for _ in {1..1200}; do
    grep -q '^Ctrl-C stops everything' "$output" && break
    kill -0 "$run" 2>/dev/null || fail "it ended early"
    sleep 0.1
done
kill -INT -- "-$run"
wait "$run" || true
expect "nats-server      nats://127.0.0.1:"
expect "sandbox Discord  http://127.0.0.1:"
expect "is now authorized"
expect "Open  http://127.0.0.1:"
expect '{"success":"20' # on a busy machine 202: the verdict was late
expect "KeyError: 'customer_id'"
expect "stopped nats-server"
[ -z "$(ls -A "$scratch")" ] || fail "it left files behind: $(ls -A "$scratch")"
left=$(grep -lszF "TMPDIR=$scratch" /proc/[0-9]*/environ || true)
[ -z "$left" ] || fail "it left processes behind: $left"
echo "make run shows the alert arrive, and Ctrl-C ends it"
