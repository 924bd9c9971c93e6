#!/usr/bin/env bash
# Lints every shell script in the tree.
set -euo pipefail
cd "$(dirname "$0")/../.."
mapfile -t scripts < <(git grep -lI '^#!.*sh$')
if command -v shellcheck >/dev/null; then
    shellcheck "${scripts[@]}"
else
    echo "there is no shellcheck for this machine: bash alone looks at the scripts"
    for script in "${scripts[@]}"; do bash -n "$script"; done
fi
