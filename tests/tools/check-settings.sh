#!/usr/bin/env bash
# Checks that docs/SETTINGS.md has exactly the variables of both services'
# `--help`, with the same defaults. Needs the built programs.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec python3 - <<'PYTHON'
import re
import subprocess
import sys

SECRET = re.compile(r"^  ([A-Z_]+)   ", re.M)
# Read by the logging library; no setting of ours.
UNLISTED = {"RUST_LOG"}


def from_help(program):
    """Variables and defaults: {"NATS_URL": "nats://127.0.0.1:4222", …}."""
    run = subprocess.run([f"target/debug/{program}", "--help"], capture_output=True, text=True, check=True)
    options, _, secrets = run.stdout.partition("Secrets are no flags")
    found = {}
    for option in re.split(r"\n(?=\s+(?:-\w, )?--)", options):
        option = " ".join(option.split())
        name = re.search(r"\[env: (\w+)", option)
        default = re.search(r"\[default: ([^\]]*)\]", option)
        if name:
            found[name[1]] = default[1] if default else ""
    found.update((name, "") for name in SECRET.findall(secrets))
    return found


def from_document(program):
    found = {}
    text = open("docs/SETTINGS.md").read()
    for row in re.findall(r"^\| `[A-Z].*\|$", text, re.M):
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if len(cells) == 4 and cells[1] in (program, "both"):
            found.update((name, cells[2].strip("`")) for name in re.findall(r"`([A-Z_]+)`", cells[0]))
    return found


wrong = []
for program in ("ingress-service", "discord-service"):
    told, written = from_help(program), from_document(program)
    wrong += [f"{name} of {program} is missing" for name in told.keys() - written.keys()]
    wrong += [f"{name}: {program} has no such setting" for name in written.keys() - told.keys() - UNLISTED]
    for name in told.keys() & written.keys():
        if told[name] != written[name] and not told[name].startswith("pretty on"):
            wrong.append(f"{name} of {program}: the default is {told[name]!r}, not {written[name]!r}")
for line in sorted(set(wrong)):
    print(f"docs/SETTINGS.md: {line}")
sys.exit(bool(wrong))
PYTHON
