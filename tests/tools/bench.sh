#!/usr/bin/env bash
# The table "Performance" of docs/MEASUREMENTS.md. Each figure has a baseline
# from the same run, because machines are noisy and only ratios count.
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/tools/setup.sh
PATH="$PWD/.tools/bin:$PATH"
cargo build --locked --release --workspace --bins
cargo bench --locked --workspace --bench figures
