#!/usr/bin/env bash
# Checks that the overlays of k8s/ render, and that the result fits Kubernetes'
# schemas and checkov's policies. All names in it must refer to something that
# exists. Needs the built services for their --help. `k8s-check.sh --write`
# makes the PrometheusRule from the plain rule file.
set -euo pipefail
cd "$(dirname "$0")/../.."

plain=k8s/components/monitoring/rules/sentry-bot.rules.yml
wrapped=k8s/components/monitoring/prometheus-rule.yaml

# The resource of the Prometheus operator with the plain rules in it.
wrap() {
    cat <<TEXT
# Made from rules/sentry-bot.rules.yml by tests/tools/k8s-check.sh --write.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: sentry-bot
spec:
TEXT
    sed 's/^\(.\)/  \1/' "$plain"
}

if [ "${1:-}" = --write ]; then
    wrap >"$wrapped"
fi
if ! wrap | diff "$wrapped" -; then
    echo "$wrapped is not made from $plain: run tests/tools/k8s-check.sh --write"
    exit 1
fi

if ! tests/tools/setup.sh k8s; then
    echo "SKIPPED: the manifests in k8s/: the tools that check them cannot be installed"
    exit 0
fi
bin=$PWD/.tools/venv/bin
rendered=target/k8s/rendered
rm -rf target/k8s
mkdir -p "$rendered" target/k8s/complete

# Production with the components that it leaves to the operator.
cat >target/k8s/complete/kustomization.yaml <<'TEXT'
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: sentry-bot
resources: [../../../k8s/overlays/production]
components:
  - ../../../k8s/components/own-sentry
  - ../../../k8s/components/workload-identity
TEXT
for overlay in k8s/overlays/* target/k8s/complete; do
    "$bin/kubectl" kustomize "$overlay" >"$rendered/$(basename "$overlay").yaml"
done

"$bin/python" tests/tools/k8s_references.py "$rendered"/*.yaml
"$bin/kubernetes-validate" --strict --quiet "$rendered"/builtin/*.yaml
"$bin/checkov" --config-file k8s/checkov.yaml --skip-download --directory "$rendered/builtin"
echo "checked: $(cd "$rendered" && echo *.yaml)"
