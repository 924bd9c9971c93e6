#!/usr/bin/env bash
# The whole bot on this machine: NATS, both services and, without a
# DISCORD_TOKEN, a sandbox Discord with an alert sent through all of it.
# Ctrl-C stops everything.
set -euo pipefail
cd "$(dirname "$0")/../.."

tests/tools/setup.sh run
echo "building (the first time takes some minutes)"
cargo build --locked --workspace --bins

PATH="$PWD/.tools/bin:$PATH"
scratch=$(mktemp -d)
names=() # of what was started, in order
declare -A pids=()

# Stops what was started, last first, and leaves nothing behind.
finish() {
    trap '' INT TERM
    local i name
    for ((i = ${#names[@]} - 1; i >= 0; i--)); do
        name=${names[i]}
        kill -CONT "${pids[$name]}" 2>/dev/null || true # the page may have halted it
        kill -TERM "${pids[$name]}" 2>/dev/null || continue
        # Longer than the services themselves need at most.
        for _ in {1..300}; do
            kill -0 "${pids[$name]}" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL "${pids[$name]}" 2>/dev/null && echo "killed $name, which did not stop" || echo "stopped $name"
    done
    rm -rf "$scratch"
}
trap finish EXIT
# A stop on request is no failure.
trap 'echo; exit 0' INT TERM

fail() {
    echo "run: $*" >&2
    exit 1
}

# start NAME COMMAND...: in the background, in a process group of its own, so
# that Ctrl-C reaches this script alone and things stop in order.
start() {
    local name=$1
    shift
    setsid "$@" >"$scratch/$name.log" 2>&1 </dev/null &
    pids[$name]=$!
    names+=("$name")
}

# Ends everything when one of the started programs has ended.
check_alive() {
    local name
    for name in "${names[@]}"; do
        kill -0 "${pids[$name]}" 2>/dev/null && continue
        tail -n 20 "$scratch/$name.log" >&2
        fail "$name ended; its last lines stand above"
    done
}

# wait_until WHAT COMMAND...: until the command succeeds.
wait_until() {
    local what=$1
    shift
    for _ in {1..600}; do
        "$@" >/dev/null 2>&1 && return
        check_alive
        sleep 0.1
    done
    tail -n 20 "$scratch"/*.log >&2
    fail "waited a minute in vain: $what"
}

# A port on loopback: the one that is asked for, if it is free.
port() {
    python3 - "$1" <<'PYTHON'
import socket, sys
for port in (int(sys.argv[1]), 0):
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            continue
        print(listener.getsockname()[1])
        break
PYTHON
}

# start_nats FOLDER: with its files in the folder.
start_nats() {
    local nats_port
    nats_port=$(port 4222)
    export NATS_URL=nats://127.0.0.1:$nats_port
    start nats-server nats-server -a 127.0.0.1 -p "$nats_port" -js -sd "$1"
    wait_until "nats-server takes connections" bash -c "exec 3<>/dev/tcp/127.0.0.1/$nats_port"
    echo "nats-server      $NATS_URL, files in $1"
}

# secrets_key FILE: seals client secrets with the key in the file, which is made
# once and readable for this user alone.
secrets_key() {
    [ -s "$1" ] || (umask 077 && mkdir -p "$(dirname "$1")" && head -c 32 /dev/urandom | base64 >"$1")
    export SECRETS_KEY_FILE=$1
}

# start_services ADDRESS: with the ingress on this address. Ports of their metrics
# are in ingress_admin and discord_admin.
start_services() {
    start discord-service target/debug/discord-service --admin-addr "127.0.0.1:$discord_admin"
    start ingress-service target/debug/ingress-service --admin-addr "127.0.0.1:$ingress_admin" --ingress-addr "$1"
    wait_until "discord-service is ready" curl -fs "http://127.0.0.1:$discord_admin/readyz"
    echo "discord-service  http://127.0.0.1:$discord_admin/readyz"
    wait_until "ingress-service is ready" curl -fs "http://127.0.0.1:$ingress_admin/readyz"
    echo "ingress-service  https://$1, http://127.0.0.1:$ingress_admin/readyz"
}

# Opens the page where somebody sits before a screen.
open_browser() {
    [ -t 1 ] && [ -z "${CI:-}" ] && [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || return 0
    command -v xdg-open >/dev/null || return 0
    xdg-open "$1" >/dev/null 2>&1 &
}

# A sandbox Discord beside it, and some alerts through all of it.
run_sandbox() {
    local sandbox_port sandbox ingress
    sandbox_port=$(port 8070) ingress=127.0.0.1:$(port 8080)
    sandbox=http://127.0.0.1:$sandbox_port
    start_nats "$scratch/nats"
    start sandbox-discord target/debug/sandbox-discord --addr "127.0.0.1:$sandbox_port" --token sandbox-token \
        --ingress "https://$ingress" --fixtures tests/fixtures --nats-pid "${pids[nats-server]}" \
        --ingress-metrics "http://127.0.0.1:$ingress_admin/metrics" \
        --discord-metrics "http://127.0.0.1:$discord_admin/metrics"
    wait_until "the sandbox Discord answers" curl -fs "$sandbox/sandbox/state"
    echo "sandbox Discord  $sandbox (a stand-in: no Discord account is needed)"

    # Settings of a real set-up must not reach this one.
    unset DISCORD_TOKEN_FILE SENTRY_DSN SENTRY_DSN_FILE TLS_CERT_FILE TLS_KEY_FILE TRUSTED_PROXIES
    unset SECRETS_KEY SECRETS_KEY_FILE
    unset NATS_USER NATS_PASSWORD NATS_PASSWORD_FILE NATS_CREDS_FILE NATS_CA_FILE COMMAND_PREFIX
    export RUNTIME_MODE=development STORE=nats DISCORD_TOKEN=sandbox-token DISCORD_API_URL=$sandbox
    export PUBLIC_URL=https://$ingress
    secrets_key "$scratch/secrets-key"
    start_services "$ingress"

    python3 tests/tools/demo.py "$sandbox"
    cat <<TEXT

======================================================
  Open  $sandbox  in a browser
======================================================
It is a stand-in for Discord, with the bot in it. Try there:
  1. Look at #alerts: the alerts just sent are there.
  2. Type /sentry status, or / to see every command.
  3. Send as Sentry: choose a payload, or send a storm of 60 alerts.
  4. Switch a fault on, send something, and switch it off again: nothing is lost.
To send from a shell, also your own files:
  target/debug/sentry-sender 'https://$ingress/sentry-bot/channel?id=1100000000000000101' tests/fixtures/legacy
With DISCORD_TOKEN set to the token of a bot of yours, make run works with the real Discord.
TEXT
    open_browser "$sandbox"
}

# The real Discord, with the settings of the environment. Without a NATS of the
# operator, the bot's data stays in .state for the next time.
run_discord() {
    local ingress=${INGRESS_ADDR:-0.0.0.0:8080}
    [ -n "${NATS_URL:-}" ] || start_nats "$PWD/.state/nats"
    [ -n "${SECRETS_KEY:-}${SECRETS_KEY_FILE:-}" ] || secrets_key "$PWD/.state/secrets-key"
    start_services "$ingress"
    cat <<TEXT

The bot is online. In a channel of your Discord server that it may post in, type:
  !sentry channel authorize #that-channel
Then let an alert rule of Sentry call https://YOUR-HOST:${ingress##*:}/sentry-bot/channel?id=CHANNEL-ID
docs/ADMINS.md explains each step. Only Sentry's own addresses are let in; to send from this machine,
start it with RUNTIME_MODE=development.
TEXT
}

ingress_admin=$(port 9090) discord_admin=$(port 9091)
if [ -n "${DISCORD_TOKEN:-}${DISCORD_TOKEN_FILE:-}" ]; then
    run_discord
else
    run_sandbox
fi
echo "Ctrl-C stops everything. Logs: $scratch"
wait -n || true
check_alive
