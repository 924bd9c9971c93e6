#!/usr/bin/env bash
# Checks that docker-compose.yml is valid with each profile, for the installed
# Compose (v2 or 1.29). Its settings exist, its images are pinned, and only the
# ingress is open to others. NATS and Prometheus accept their configurations.
# Needs the built services for their --help, but no engine.
set -euo pipefail
cd "$(dirname "$0")/../.."

composes=()
docker compose version >/dev/null 2>&1 && composes+=("docker compose")
command -v docker-compose >/dev/null && composes+=("docker-compose")
if [ "${#composes[@]}" -eq 0 ] || ! tests/tools/setup.sh k8s; then
    echo "SKIPPED: docker-compose.yml: no Compose (Debian: apt-get install docker-compose), or no PyYAML"
    exit 0
fi

files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT
touch "$files"/{discord-token,secrets-key,sentry-dsn,nats-ingress-service,nats-discord-service,nats-operator}
export SECRETS=$files

for name in "${composes[@]}"; do
    read -ra compose <<<"$name"
    "${compose[@]}" config --quiet
    env -u SECRETS "${compose[@]}" --env-file compose/sandbox.env --profile sandbox config >"$files/sandbox.yml"
    "${compose[@]}" --profile sandbox --profile firestore --profile monitoring config >"$files/all.yml"
    grep -q 'DISCORD_API_URL: http://sandbox-discord:8070' "$files/sandbox.yml" || {
        echo "$name: compose/sandbox.env does not lead to the sandbox"
        exit 1
    }
    .tools/venv/bin/python - "$files/all.yml" <<'PYTHON'
import re, subprocess, sys

import yaml

services = yaml.safe_load(open(sys.argv[1]))["services"]
wrong = []
for name, service in services.items():
    if not re.search(r":v?\d+\.\d+", service["image"]):
        wrong.append(f"{name}: {service['image']} is no version")
    for port in service.get("ports", []):
        port = str(port) if not isinstance(port, dict) else f"{port.get('host_ip', '')}:{port.get('published')}"
        if not (port.startswith("127.0.0.1:") or (name == "ingress-service" and "8080" in port)):
            wrong.append(f"{name} is open to others: {port}")
    if "mem_limit" not in service or service.get("restart") != "unless-stopped":
        wrong.append(f"{name} has no limit of memory or is not restarted")
    if name in ("ingress-service", "discord-service"):
        told = subprocess.run([f"target/debug/{name}", "--help"], capture_output=True, text=True, check=True).stdout
        wrong += [f"{name} has no setting {key}" for key in service["environment"] if f"env: {key}" not in told]
for line in wrong:
    print(f"docker-compose.yml: {line}")
print(f"docker-compose.yml: {len(services)} services")
sys.exit(bool(wrong))
PYTHON
    echo "valid for $name $("${compose[@]}" version --short)"
done

# As the container starts it, except for the paths. -t only reads the
# configuration.
mkdir "$files/nats"
cp compose/nats.conf k8s/components/nats-cluster/accounts.conf "$files/nats"
printf 1234567890 | tee "$files"/nats-{ingress-service,discord-service,operator} >/dev/null
entrypoint=$(.tools/venv/bin/python -c '
import sys, yaml
print(yaml.safe_load(open("docker-compose.yml"))["services"]["nats"]["entrypoint"][-1].replace("$$", "$"))')
entrypoint=${entrypoint//\/run\/secrets/$files}
entrypoint=${entrypoint//\/etc\/nats/$files/nats}
PATH="$PWD/.tools/bin:$PATH" sh -euc "${entrypoint/nats-server/nats-server -t}"

if command -v promtool >/dev/null; then
    promtool check config --syntax-only compose/prometheus.yml
fi
