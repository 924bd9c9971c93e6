#!/usr/bin/env bash
# `make run` does what it promises: it shows the message that arrived, ends
# cleanly, and leaves no process and no file behind.
set -euo pipefail
cd "$(dirname "$0")/../.."
output=$(mktemp)
scratch=$(mktemp -d)
trap 'rm -rf "$output" "$scratch"' EXIT

expect() {
    grep -qF -- "$1" "$output" && return
    cat "$output"
    echo "make run did not print: $1"
    exit 1
}

# Its own TMPDIR, so that what it leaves is seen.
TMPDIR=$scratch RUN_ONCE=1 env -u DISCORD_TOKEN -u DISCORD_TOKEN_FILE make --no-print-directory run >"$output" 2>&1 || {
    cat "$output"
    exit 1
}
expect "nats-server      nats://127.0.0.1:"
expect "sandbox Discord  http://127.0.0.1:"
expect "is now authorized"
expect '{"success":"200"}'
expect "***SENTRY ALERT***"
expect "KeyError: 'customer_id'"
expect "stopped nats-server"
if [ -n "$(ls -A "$scratch")" ]; then
    echo "make run left files behind: $(ls -A "$scratch")"
    exit 1
fi
echo "make run shows the alert arrive and cleans up"
