#!/usr/bin/env python3
"""Runs all tests of the workspace, two test programs at a time.

One program keeps less than half a core busy, because it mostly waits for servers.
Each program's output is printed in one piece when it ends. Arguments go to each
program.
"""

import concurrent.futures
import json
import pathlib
import subprocess
import sys
import time

AT_ONCE = 2
# The programs that take longest begin first.
LONGEST = ["faults", "rules", "cluster", "api", "store", "pods", "disasters", "migration", "gateway", "commands", "nats_security"]


# Serenity's client takes long to compile, and nothing but this program needs it.
SERENITY = ["--features", "sandbox-discord/serenity-client", "--test", "serenity"]


def programs():
    """Builds the test programs: each one's path, name, and its package's folder."""
    found = built() + built(*SERENITY)
    return sorted(found, key=lambda program: LONGEST.index(program[1]) if program[1] in LONGEST else len(LONGEST))


def built(*selection):
    build = ["cargo", "test", "--locked", "--workspace", "--no-run", "--message-format=json-render-diagnostics"]
    artifacts = subprocess.run([*build, *selection], stdout=subprocess.PIPE, check=True).stdout
    found = []
    for line in artifacts.splitlines():
        artifact = json.loads(line)
        if artifact.get("executable") and artifact["profile"]["test"]:
            folder = pathlib.Path(artifact["manifest_path"]).parent
            found.append((artifact["executable"], artifact["target"]["name"], folder))
    return found


def run(program):
    path, name, folder = program
    start = time.monotonic()
    ended = subprocess.run([path, *sys.argv[1:]], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    took = time.monotonic() - start
    sys.stdout.write(f"\n-- {name} ({folder.name}), {took:.0f} s\n" + ended.stdout.decode(errors="replace"))
    sys.stdout.flush()
    return ended.returncode == 0, f"{name} ({folder.name})"


def main():
    found = programs()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        failed = [name for passed, name in pool.map(run, found) if not passed]
    examples = subprocess.run(["cargo", "test", "--locked", "--workspace", "--doc"])
    if examples.returncode != 0:
        failed.append("examples in the documentation")
    for name in failed:
        print(f"failed: {name}")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
