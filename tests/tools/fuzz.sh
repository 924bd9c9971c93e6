#!/usr/bin/env bash
# Fuzzes all targets of tests/fuzz, or those in the arguments, side by side for
# FUZZ_SECONDS (45). The inputs that it finds stay in target/fuzz for the next
# time. It prints the path of an input that breaks a target.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${FUZZ_SECONDS:-45}

[ "$#" -gt 0 ] || set -- ingress platform embed addresses trust head
programs=()
for target in "$@"; do
    programs+=(--bin "fuzz-$target")
done
RUSTC_WORKSPACE_WRAPPER="$PWD/tests/tools/rustc-coverage" \
    cargo build --locked --workspace --features fuzz-targets/programs "${programs[@]}"

# All at the same time.
declare -A pids=()
for target in "$@"; do
    work=target/fuzz/$target
    mkdir -p "$work/corpus" "$work/broken"
    # The first folder gets new inputs, the others are only read.
    folders=("$work/corpus" "tests/fuzz/seeds/$target")
    case $target in
    ingress) folders+=(tests/fixtures/legacy tests/fixtures/glitchtip tests/fixtures/bugsink) ;;
    platform) folders+=(tests/fixtures/platform) ;;
    esac
    "target/debug/fuzz-$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="$work/broken/" "${folders[@]}" >"$work/log" 2>&1 &
    pids[$target]=$!
done

broken=0
for target in "$@"; do
    work=target/fuzz/$target
    if wait "${pids[$target]}"; then
        echo "fuzzing $target: none of $(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log") inputs broke it," \
            "$(grep -o 'cov: [0-9]*' "$work/log" | tail -n 1 | cut -d ' ' -f 2) edges reached"
        continue
    fi
    broken=1
    tail -n 40 "$work/log"
    echo "fuzzing $target: $(grep -o 'Test unit written to .*' "$work/log" || echo "it did not start")"
    echo "To see it again, run target/debug/fuzz-$target with that file. Keep it in tests/fuzz/seeds/$target."
done
exit "$broken"
