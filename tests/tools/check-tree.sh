#!/usr/bin/env bash
# Checks that the tree has no path of one machine, no disabled test, no leftover
# of a merge and no mark of unfinished work.
set -euo pipefail
cd "$(dirname "$0")/../.."
found=0

# forbid WHY GREP_ARGUMENTS...: nothing that is tracked may match.
forbid() {
    local why=$1
    shift
    if git grep -nI "$@" ':!tests/fixtures' ':!Cargo.lock' ':!tests/tools/check-tree.sh'; then
        echo "^ $why"
        found=1
    fi
}

forbid "the path of one machine" -E '(^|[^[:alnum:]_.~-])/(home|root|Users)/[[:alnum:]_.-]' -- .
forbid "the path of this very clone" -F "$PWD" -- .
forbid "a conflict that was never resolved" -E '^(<<<<<<<|>>>>>>>) ' -- .
forbid "a test that is switched off" -F '#[ignore' -- '*.rs'
forbid "work left undone" -E '\b(todo!|unimplemented!)\(|\b(TODO|FIXME|XXX)\b' -- '*.rs' '*.sh' '*.toml'
forbid "white space at a line's end" -E '[[:space:]]$' -- '*.rs' '*.sh' '*.toml' '*.md' Makefile

if git ls-files '.merge_file_*' '*/.merge_file_*' '*.orig' '*.rej' | grep .; then
    echo "^ a leftover of a merge"
    found=1
fi

# Versions that are in several files.
rust=$(sed -n 's/^channel = "\(.*\)"$/\1/p' rust-toolchain.toml)
if ! grep -q "^ARG RUST_IMAGE=rust:$rust-" Dockerfile; then
    echo "Dockerfile: rust-toolchain.toml has Rust $rust"
    found=1
fi
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
if git grep -nE 'sentry-bot/[a-z]+-[a-z]+:[0-9]|newTag: |ARG VERSION=' -- Dockerfile docker-compose.yml k8s docs/OPERATIONS.md |
    grep -vE "(:|newTag: |VERSION=)$version([^0-9.]|$)"; then
    echo "^ another version than Cargo.toml's, $version"
    found=1
fi

# Files that the code includes from outside its package must reach the image's
# build.
while IFS=: read -r code file; do
    file=$(realpath -m --relative-to=. "$(dirname "$code")/${file#*\"}")
    if [ "${file%%/*}" != "${code%%/*}" ] && ! grep -qxF "!$file" .dockerignore; then
        echo ".dockerignore keeps $file, which $code takes in, out of the image's build"
        found=1
    fi
done < <(git grep -oE 'include_(str|bytes)!\("[^"]+' -- '*-service/src/*' 'shared/src/*')
exit "$found"
