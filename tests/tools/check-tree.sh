#!/usr/bin/env bash
# What must not be in the tree: paths of one machine, tests that are switched
# off, leftovers of a merge, and work that is marked as left to do.
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
exit "$found"
