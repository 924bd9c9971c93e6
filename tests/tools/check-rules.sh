#!/usr/bin/env bash
# Checks the alert rules with promtool, and runs their own tests.
set -euo pipefail
cd "$(dirname "$0")/../../k8s/components/monitoring/rules"
if ! command -v promtool >/dev/null; then
    echo "SKIPPED: alert rules: promtool is not installed (Debian's package prometheus has it)"
    exit 0
fi
promtool check rules ./*.rules.yml
promtool test rules ./*.rules.test.yml
