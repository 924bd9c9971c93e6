#!/usr/bin/env bash
# Builds both images and runs them as an orchestrator would: read-only, without
# capabilities, not as root, with their healthcheck, until SIGTERM. Prints sizes
# and times.
#
# Needs a Docker engine and the programs of a debug build. It takes as long as a
# release build, so `make test` leaves it out. Containers use the host's
# network, which needs no bridges.
#
#   BUILD=no           checks the images that are there
#   BUILD_FLAGS='…'    goes to docker build, such as --build-arg RUNTIME_BASE=…
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/tools/setup.sh run
PATH="$PWD/.tools/bin:$PATH"
tag=0.1.0
limit=$((60 * 1000 * 1000)) # bytes over the base
base=$(sed -n 's/^ARG DEBIAN_IMAGE=//p' Dockerfile)
scratch=$(mktemp -d)
started=() # containers
servers=() # processes

finish() {
    [ "${#started[@]}" -eq 0 ] || docker rm --force "${started[@]}" >/dev/null
    [ "${#servers[@]}" -eq 0 ] || kill "${servers[@]}"
    rm -rf "$scratch"
}
trap finish EXIT

fail() {
    [ "${#started[@]}" -eq 0 ] || docker logs --tail 20 "${started[-1]}"
    echo "images: $*"
    exit 1
}

# field IMAGE FORMAT EXPECTED: checks a field of the image's configuration.
field() {
    local found
    found=$(docker image inspect --format "$2" "$1")
    [ "$found" = "$3" ] || fail "$1: $2 is $found, not $3"
}

check_image() {
    local service=$1 image=sentry-bot/$1:$tag size libc
    field "$image" '{{.Config.User}}' 65532:65532
    field "$image" '{{.Config.StopSignal}}' SIGTERM
    field "$image" '{{json .Config.Entrypoint}}' "[\"/usr/local/bin/$service\"]"
    field "$image" '{{index .Config.Labels "org.opencontainers.image.title"}}' "$service"
    size=$(($(docker image inspect --format '{{.Size}}' "$image") - $(docker image inspect --format '{{.Size}}' "$base")))
    [ "$size" -lt "$limit" ] || fail "$image is $size bytes over $base"

    docker create --name "copy-of-$service-$$" "$image" >/dev/null
    started+=("copy-of-$service-$$")
    docker cp "copy-of-$service-$$:/usr/local/bin/$service" "$scratch/$service" >/dev/null
    # Red Hat's 9, and so Iron Bank's bases, have glibc 2.34.
    libc=$(grep -aoE 'GLIBC_2\.[0-9]+' "$scratch/$service" | sort -Vu | tail -n 1)
    [ "$(printf '%s\n' "$libc" GLIBC_2.34 | sort -V | tail -n 1)" = GLIBC_2.34 ] || fail "$service needs $libc"
    echo "$image: $((size / 1000000)) MB over its base, of which the binary $(($(stat -c %s "$scratch/$service") / 1000000)) MB; needs $libc"
}

# run_image SERVICE ADMIN_PORT SETTING=VALUE...: until it is healthy, then until SIGTERM has ended it.
run_image() {
    local service=$1 port=$2 name=run-of-$1-$$ health begin variables=()
    shift 2
    for setting in "$@"; do variables+=(--env "$setting"); done
    docker run --detach --name "$name" --network host --read-only --cap-drop ALL --security-opt no-new-privileges \
        --memory 256m --env "ADMIN_ADDR=127.0.0.1:$port" "${variables[@]}" "sentry-bot/$service:$tag" >/dev/null
    started+=("$name")
    for _ in {1..300}; do
        health=$(docker inspect --format '{{.State.Health.Status}}' "$name")
        [ "$health" = starting ] || break
        sleep 0.2
    done
    [ "$health" = healthy ] || fail "$service is $health"
    docker exec "$name" "/usr/local/bin/$service" healthcheck || fail "the healthcheck of $service failed"
    for _ in {1..100}; do
        curl -fs "http://127.0.0.1:$port/readyz" >/dev/null && break
        sleep 0.2
    done
    curl -fs "http://127.0.0.1:$port/readyz" >/dev/null || fail "$service is not ready"
    local memory
    memory=$(awk '/^VmRSS/{print int($2 / 1024)}' "/proc/$(docker inspect --format '{{.State.Pid}}' "$name")/status")

    begin=$(date +%s%N)
    docker stop --time 40 "$name" >/dev/null
    [ "$(docker inspect --format '{{.State.ExitCode}}' "$name")" = 0 ] || fail "$service did not end with 0"
    echo "$service: healthy and ready read-only as 65532, $memory MB idle, $((($(date +%s%N) - begin) / 1000000)) ms from SIGTERM to exit 0"
}

for service in ingress-service discord-service; do
    if [ "${BUILD:-yes}" = yes ]; then
        # shellcheck disable=SC2086 # several flags
        docker build --network host --target "$service" --build-arg "REVISION=$(git rev-parse HEAD)" \
            ${BUILD_FLAGS:-} --tag "sentry-bot/$service:$tag" .
    fi
    check_image "$service"
done

read -ra ports <<<"$(python3 - <<'PYTHON'
import socket
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(5)]
print(*(one.getsockname()[1] for one in held))
PYTHON
)"
nats-server --jetstream --store_dir "$scratch/nats" --addr 127.0.0.1 --port "${ports[0]}" >"$scratch/nats.log" 2>&1 &
servers+=($!)
target/debug/sandbox-discord --addr "127.0.0.1:${ports[4]}" >"$scratch/sandbox.log" 2>&1 &
servers+=($!)
url=NATS_URL=nats://127.0.0.1:${ports[0]}
run_image ingress-service "${ports[1]}" "$url" "INGRESS_ADDR=127.0.0.1:${ports[2]}"
run_image discord-service "${ports[3]}" "$url" DISCORD_TOKEN=sandbox-token "DISCORD_API_URL=http://127.0.0.1:${ports[4]}"
