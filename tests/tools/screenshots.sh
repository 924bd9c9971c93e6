#!/usr/bin/env bash
# Makes the README's pictures from the sandbox's page, in headless Chromium. With a
# folder: pictures of every payload of the fixtures, for people to look at.
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/tools/setup.sh screenshots
PATH="$PWD/.tools/bin:$PATH"
cargo build --locked --workspace --bins --examples
target/debug/examples/screenshots "$@"
[ "$#" -gt 0 ] || ls -l docs/images
