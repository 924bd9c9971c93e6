"""Checks that every name in the rendered manifests refers to something that exists.

    k8s_references.py RENDERED.yaml...

Writes the resources of Kubernetes' own kinds to builtin/ beside each file, for the
tools that know no others. k8s-check.sh runs this, after the services were built.
"""

import pathlib
import re
import subprocess
import sys

import yaml

# Kinds without a schema for validators, and who defines them.
FOREIGN = {
    "Certificate": "cert-manager",
    "Issuer": "cert-manager",
    "PrometheusRule": "the Prometheus operator",
    "ScaledObject": "KEDA",
    "ServiceMonitor": "the Prometheus operator",
}
SERVICES = ("ingress-service", "discord-service")
# What an operator makes by hand, as docs/OPERATIONS.md says.
BY_HAND = {
    "discord-token": {"discord-token"},
    "nats-users": {"ingress-service", "discord-service", "operator", "system"},
    "secrets-key": {"secrets-key"},
    "sentry-dsn": {"sentry-dsn"},
}
CERTIFICATE_KEYS = {"ca.crt", "tls.crt", "tls.key"}


def settings(program):
    """The variables that `--help` names: settings, and secrets, which are no flags."""
    run = subprocess.run([f"target/debug/{program}", "--help"], capture_output=True, text=True, check=True)
    options, _, secrets = run.stdout.partition("Secrets are no flags")
    return set(re.findall(r"\[env: (\w+)", options)) | set(re.findall(r"^  ([A-Z_]+)   ", secrets, re.M)) | {"RUST_LOG"}


def admin_paths():
    return set(re.findall(r'\.route\("([^"]+)"', pathlib.Path("shared/src/admin/mod.rs").read_text()))


def matches(selector, labels):
    wanted = selector.get("matchLabels", {}).items() <= labels.items()
    return wanted and all(
        rule["operator"] == "In" and labels.get(rule["key"]) in rule["values"]
        for rule in selector.get("matchExpressions", [])
    )


class Manifests:
    """One rendered overlay, and what is wrong with it."""

    def __init__(self, path):
        self.name = path.stem
        self.all = [document for document in yaml.safe_load_all(path.read_text()) if document]
        self.workloads = self.of("Deployment") + self.of("StatefulSet")
        self.wrong = []

    def of(self, kind):
        return [document for document in self.all if document["kind"] == kind]

    def named(self, kind, name):
        return next((document for document in self.of(kind) if document["metadata"]["name"] == name), None)

    def expect(self, holds, what):
        if not holds:
            self.wrong.append(f"{self.name}: {what}")

    def selected(self, selector):
        """Pod templates of the workloads that the selector fits."""
        templates = [workload["spec"]["template"] for workload in self.workloads]
        return [pod for pod in templates if matches(selector, pod["metadata"]["labels"])]

    def check(self):
        for document in self.all:
            where = f"{document['kind']} {document['metadata']['name']}"
            cluster_wide = document["kind"] == "Namespace"
            namespace = document["metadata"].get("namespace")
            self.expect(cluster_wide or namespace == "sentry-bot", f"{where} is in namespace {namespace}")
        self.check_services()
        self.check_selectors()
        self.check_policies()
        for workload in self.workloads:
            for container in workload["spec"]["template"]["spec"]["containers"]:
                self.check_container(workload, container)

    def check_services(self):
        for service in self.of("Service"):
            name, spec = service["metadata"]["name"], service["spec"]
            pods = self.selected({"matchLabels": spec["selector"]})
            self.expect(pods, f"Service {name} selects no pod")
            for port, pod in ((port, pod) for port in spec["ports"] for pod in pods):
                numbers = ports_of(pod)
                self.expect(port["targetPort"] in numbers, f"Service {name}: no port {port['targetPort']}")
                same = numbers.get(port["targetPort"]) == port["port"]
                self.expect(same, f"Service {name}: {port['name']} has another number than the container")
        for monitor in self.of("ServiceMonitor"):
            found = [one for one in self.of("Service") if matches(monitor["spec"]["selector"], one["metadata"]["labels"])]
            self.expect(len(found) == len(SERVICES), f"ServiceMonitor selects {len(found)} Services")
            for endpoint in monitor["spec"]["endpoints"]:
                named = all(endpoint["port"] in [port["name"] for port in one["spec"]["ports"]] for one in found)
                self.expect(named and endpoint["path"] in admin_paths(), f"ServiceMonitor: {endpoint}")

    def check_selectors(self):
        for workload in self.workloads:
            name, template = workload["metadata"]["name"], workload["spec"]["template"]
            selectors = [workload["spec"]["selector"]]
            selectors += [one["labelSelector"] for one in template["spec"].get("topologySpreadConstraints", [])]
            for selector in selectors:
                self.expect(matches(selector, template["metadata"]["labels"]), f"{name}: selects other pods")
            account = template["spec"].get("serviceAccountName", "default")
            self.expect(account == "default" or self.named("ServiceAccount", account), f"{name}: no account {account}")
            headless = workload["spec"].get("serviceName")
            self.expect(not headless or self.named("Service", headless), f"{name}: no Service {headless}")
        for budget in self.of("PodDisruptionBudget"):
            self.expect(self.selected(budget["spec"]["selector"]), f"the budget {budget['metadata']['name']} is for no pod")
        for scaler in self.of("HorizontalPodAutoscaler") + self.of("ScaledObject"):
            target = self.named("Deployment", scaler["spec"]["scaleTargetRef"]["name"])
            self.expect(target, f"{scaler['kind']}: no such Deployment")
            self.expect(target and "replicas" not in target["spec"], f"{scaler['kind']}: its Deployment sets replicas")
            for trigger in scaler["spec"].get("triggers", []):
                self.check_metrics("ScaledObject", trigger["metadata"]["query"])

    def check_metrics(self, where, query):
        for metric in re.findall(r"\bsentry_bot_\w+", query):
            found = subprocess.run(["git", "grep", "-qF", f'"{metric}"', "--", "*.rs"], check=False)
            self.expect(found.returncode == 0, f"{where}: no metric {metric}")

    def check_policies(self):
        for policy in self.of("NetworkPolicy"):
            name, spec = policy["metadata"]["name"], policy["spec"]
            own = self.selected(spec["podSelector"])
            self.expect(own, f"NetworkPolicy {name} is for no pod")
            for direction, other in (("ingress", "from"), ("egress", "to")):
                for rule in spec.get(direction, []):
                    peers = [peer["podSelector"] for peer in rule.get(other, []) if set(peer) == {"podSelector"}]
                    pods = [pod for peer in peers for pod in self.selected(peer)]
                    self.expect(not peers or pods, f"NetworkPolicy {name}: a peer that is no pod")
                    # If both ends are ours, the port must be open on the one that listens.
                    listeners = own if direction == "ingress" else pods
                    numbers = {number for pod in listeners for number in ports_of(pod).values()}
                    for port in rule.get("ports", []):
                        self.expect(not listeners or port["port"] in numbers, f"NetworkPolicy {name}: nobody has {port}")

    def check_container(self, workload, container):
        where = f"{workload['kind']} {workload['metadata']['name']}"
        pod = workload["spec"]["template"]
        numbers = ports_of(pod)
        for kind in ("livenessProbe", "readinessProbe", "startupProbe"):
            probe = container.get(kind, {})
            action = probe.get("httpGet") or probe.get("tcpSocket") or {}
            self.expect(not action or action["port"] in numbers, f"{where}: {kind} asks no port of its own")
            if container["name"] in SERVICES and probe:
                self.expect(action["path"].split("?")[0] in admin_paths(), f"{where}: {kind} asks {action['path']}")
        files = self.files(where, pod, container)
        variables = self.variables(where, container)
        if container["name"] not in SERVICES:
            return
        unknown = variables.keys() - settings(container["name"])
        self.expect(not unknown, f"{where}: no settings of {container['name']}: {sorted(unknown)}")
        for name, value in variables.items():
            if name.endswith("_FILE"):
                self.expect(value in files, f"{where}: {name}: nothing puts {value} there")
            if name in ("ADMIN_ADDR", "INGRESS_ADDR"):
                port = numbers.get("admin" if name == "ADMIN_ADDR" else "https")
                self.expect(value == f"0.0.0.0:{port}", f"{where}: {name} is {value}, its port {port}")

    def variables(self, where, container):
        found = {}
        for source in container.get("envFrom", []):
            config = self.named("ConfigMap", source["configMapRef"]["name"])
            self.expect(config, f"{where}: no ConfigMap {source['configMapRef']['name']}")
            found.update(config["data"] if config else {})
        for variable in container.get("env", []):
            found[variable["name"]] = variable.get("value")
            reference = variable.get("valueFrom", {}).get("secretKeyRef")
            self.expect(not reference or reference["key"] in self.secret(reference["name"]), f"{where}: {reference}")
        return found

    def files(self, where, pod, container):
        """Paths that the container's volumes put there."""
        mounts = {mount["name"]: mount["mountPath"] for mount in container.get("volumeMounts", [])}
        claims = {one["metadata"]["name"] for one in self.claims(pod)}
        volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes", [])}
        self.expect(mounts.keys() <= volumes.keys() | claims, f"{where}: mounts {sorted(mounts)}, has {sorted(volumes)}")
        found = set()
        for name, volume in volumes.items():
            sources = [one["secret"] for one in volume.get("projected", {}).get("sources", [])]
            for source in sources:
                keys = self.secret(source["name"])
                for item in source["items"]:
                    self.expect(item["key"] in keys, f"{where}: Secret {source['name']} has no {item['key']}")
                    found.add(f"{mounts.get(name)}/{item['path']}")
            if "secret" in volume:
                found |= {f"{mounts.get(name)}/{key}" for key in self.secret(volume["secret"]["secretName"])}
            if "configMap" in volume:
                self.expect(self.named("ConfigMap", volume["configMap"]["name"]), f"{where}: no ConfigMap for {name}")
        return found

    def claims(self, pod):
        owner = next(one for one in self.workloads if one["spec"]["template"] is pod)
        return owner["spec"].get("volumeClaimTemplates", [])

    def secret(self, name):
        """The keys of a Secret: rendered, made by cert-manager, or by hand."""
        rendered = self.named("Secret", name)
        if rendered:
            return rendered["data"].keys()
        if any(one["spec"]["secretName"] == name for one in self.of("Certificate")):
            return CERTIFICATE_KEYS
        self.expect(name in BY_HAND, f"nobody makes the Secret {name}")
        told = f"secret generic {name} " in pathlib.Path("docs/OPERATIONS.md").read_text()
        self.expect(told, f"docs/OPERATIONS.md does not say how to make the Secret {name}")
        return BY_HAND.get(name, set())


def ports_of(pod):
    """Names and numbers of the ports that its containers have."""
    return {port["name"]: port["containerPort"] for one in pod["spec"]["containers"] for port in one.get("ports", [])}


def main(paths):
    wrong = []
    for path in map(pathlib.Path, paths):
        manifests = Manifests(path)
        manifests.check()
        wrong += manifests.wrong
        builtin = path.parent / "builtin"
        builtin.mkdir(exist_ok=True)
        ours = [document for document in manifests.all if document["kind"] not in FOREIGN]
        (builtin / path.name).write_text(yaml.safe_dump_all(ours))
        left = sorted({document["kind"] for document in manifests.all} & FOREIGN.keys())
        for kind in left:
            print(f"{path.stem}: {kind} is a kind of {FOREIGN[kind]}, without a schema at hand: only its references are checked")
    print(*dict.fromkeys(wrong), sep="\n")
    return bool(wrong)


sys.exit(main(sys.argv[1:]))
