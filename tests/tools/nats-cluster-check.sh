#!/usr/bin/env bash
# Checks that both services work with three NATS servers, with TLS and three
# replicas, even if one server leaves. The servers use nats.conf and
# accounts.conf of k8s/. Only paths and ports are this machine's. Needs the
# built programs.
set -euo pipefail
cd "$(dirname "$0")/../.."
PATH="$PWD/.tools/bin:$PATH"
programs=$PWD/target/debug
component=$PWD/k8s/components/nats-cluster
scratch=$(mktemp -d)
pids=()

finish() {
    kill "${pids[@]}" 2>/dev/null || true
    wait
    rm -rf "$scratch"
}
trap finish EXIT
cd "$scratch"

fail() {
    tail -n 5 ./*.log
    echo "NATS cluster: $*"
    exit 1
}

# wait_until WHAT COMMAND...: for a minute at most.
wait_until() {
    local what=$1
    shift
    for _ in {1..300}; do
        "$@" >/dev/null 2>&1 && return
        sleep 0.2
    done
    fail "waited in vain until $what"
}

# start NAME COMMAND...: in the background, with a log of its own.
start() {
    local name=$1
    shift
    "$@" >"$name.log" 2>&1 &
    pids+=($!)
}

# This many free ports on loopback, all held at once so that they differ.
free_ports() {
    python3 - "$1" <<'PYTHON'
import socket, sys
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(one.getsockname()[1] for one in held))
PYTHON
}

# As cert-manager makes them: an authority and one certificate for all servers.
make_certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
        -subj "/CN=authority" -keyout ca.key -out ca.crt
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=nats" -keyout tls.key -out tls.csr
    openssl x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out tls.crt \
        -extfile <(printf 'subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n')
}
make_certificate 2>openssl.log || fail "openssl made no certificate"

# Digits alone, which NATS must not read as a number.
printf 1234567890 >ingress-password
openssl rand -hex 24 >discord-password
read -ra ports <<<"$(free_ports 12)"
cp "$component/accounts.conf" .
servers=()
for i in 0 1 2; do
    mkdir -p "run$i"
    sed -e "s#/etc/nats/tls#$scratch#; s#/run/nats#$scratch/run$i#; s#/data#$scratch/data$i#" \
        -e "s#^port: 4222#listen: localhost:${ports[i]}#; s#http_port: 8222#http: localhost:${ports[i + 3]}#" \
        -e "s#port: 6222#listen: localhost:${ports[i + 6]}#" \
        -e "s#nats-0.nats:6222#localhost:${ports[6]}#; s#nats-1.nats:6222#localhost:${ports[7]}#; s#nats-2.nats:6222#localhost:${ports[8]}#" \
        "$component/nats.conf" >"nats-$i.conf"
    start "nats-$i" env POD_NAME="nats-$i" INGRESS_SERVICE_PASSWORD="\"$(cat ingress-password)\"" \
        DISCORD_SERVICE_PASSWORD="\"$(cat discord-password)\"" OPERATOR_PASSWORD='"operator"' \
        SYSTEM_PASSWORD='"system"' \
        nats-server --config "nats-$i.conf"
    servers+=("nats://localhost:${ports[i]}")
done
for i in 0 1 2; do
    wait_until "nats-$i is ready" curl -fs "http://localhost:${ports[i + 3]}/healthz?js-server-only=true"
done

common=(NATS_URL="$(IFS=, && echo "${servers[*]}")" NATS_CA_FILE="$scratch/ca.crt" NATS_REPLICAS=3)
start sandbox-discord "$programs/sandbox-discord" --addr "127.0.0.1:${ports[9]}"
start ingress-service env "${common[@]}" NATS_USER=ingress-service NATS_PASSWORD_FILE=ingress-password \
    ADMIN_ADDR="127.0.0.1:${ports[10]}" INGRESS_ADDR=127.0.0.1:0 "$programs/ingress-service"
start discord-service env "${common[@]}" NATS_USER=discord-service NATS_PASSWORD_FILE=discord-password \
    ADMIN_ADDR="127.0.0.1:${ports[11]}" DISCORD_API_URL="http://127.0.0.1:${ports[9]}" DISCORD_TOKEN=sandbox-token \
    "$programs/discord-service"
for port in "${ports[10]}" "${ports[11]}"; do
    wait_until "the services are ready" curl -fs "http://127.0.0.1:$port/readyz"
done

# It leaves as with the StatefulSet's preStop. The others are a quorum.
nats-server --signal "ldm=$scratch/run2/nats.pid"
wait_until "nats-2 drains" grep -qi "lame duck mode" nats-2.log
disown "${pids[2]}" # bash need not tell how it ended
kill -KILL "${pids[2]}" || true # unless it has left already
for port in "${ports[10]}" "${ports[11]}"; do
    wait_until "the services are ready on two servers" curl -fs "http://127.0.0.1:$port/readyz"
done
if grep -h "NATS objects" ./*-service.log; then
    fail "a service may not do its work"
fi
echo "both services use a cluster of three NATS servers over TLS, each as its own user"
