#!/usr/bin/env python3
"""Checks with a real Prometheus that scrapes both services under load. It has the
operators' configuration and rules. Every alert rule is evaluated without an error
and none fires, and every panel of the dashboard has something to show.

Needs the built programs, and Debian's prometheus.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

DASHBOARD = "k8s/components/monitoring/dashboards/sentry-bot.json"
RULES = "k8s/components/monitoring/rules"
PATIENCE = 90  # seconds, for a busy machine; some ten are needed
# A healthy bot has none of these, so the queries may have an empty answer.
RARE = {
    "sentry_bot_ingress_without_verdict_total",
    "sentry_bot_dead_letters_total",
    "sentry_bot_discord_rate_limited_total",
    "sentry_bot_store_calls_total",
}


def wait_for(what, probe):
    end, found = time.monotonic() + PATIENCE, None
    while time.monotonic() < end:
        found = probe()
        if found is True:
            return
        time.sleep(0.3)
    sys.exit(f"Prometheus: waited {PATIENCE} s in vain: {what}: {found}")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def configuration(targets):
    """Prometheus' configuration in Compose, with other addresses and intervals."""
    text = pathlib.Path("compose/prometheus.yml").read_text()
    text = text.replace("scrape_interval: 15s", "scrape_interval: 1s\n  evaluation_interval: 1s")
    text = text.replace("/etc/prometheus/rules", str(pathlib.Path(RULES).resolve()))
    for service, target in targets.items():
        found = rf"dns_sd_configs:\n( +)- \{{names: \[{service}\], .*\}}"
        text, replaced = re.subn(found, rf"static_configs:\n\1- targets: ['{target}']", text)
        assert replaced == 1, f"compose/prometheus.yml does not look for {service}"
    return text


def start_bot(scratch, output):
    """Starts everything with an authorized channel. Returns where to scrape, send and type."""
    environment = {k: v for k, v in os.environ.items() if k not in ("DISCORD_TOKEN", "DISCORD_TOKEN_FILE")}
    run = subprocess.Popen(
        ["tests/tools/run.sh"], stdout=output, stderr=output, env={**environment, "TMPDIR": scratch},
        start_new_session=True,
    )  # fmt: skip
    said = lambda: pathlib.Path(output.name).read_text()
    try:
        wait_for("the bot runs", lambda: run.poll() is not None or "Ctrl-C stops everything" in said())
        assert run.poll() is None, said()
        targets = dict(re.findall(r"^(\w+-service) .*http://(.*)/readyz$", said(), re.M))
        url = re.search(r"sentry-sender '(.*)' tests", said())[1]
        return run, targets, url, re.search(r"^sandbox Discord +(\S+)", said(), re.M)[1]
    except BaseException:
        stop(run)
        raise


def stop(process):
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
    process.wait()


class Load:
    """Acts as people and Sentry do, so that there is something to measure."""

    def __init__(self, url, sandbox):
        self.url, self.sandbox = url, sandbox
        with urllib.request.urlopen(f"{sandbox}/sandbox/state", timeout=10) as state:
            guild = json.load(state)["guilds"][0]
        channel = next(channel["id"] for channel in guild["channels"] if channel["name"] == "alerts")
        self.said = {"user": guild["owner"], "channel": channel, "content": "!sentry project register rounds"}

    def once(self):
        sender = ["target/debug/sentry-sender", self.url, "tests/fixtures/legacy"]
        subprocess.run(sender, stdout=subprocess.DEVNULL, check=False)
        unknown = ["curl", "-sk", "-H", "Sentry-Hook-Resource: novelty", "-d", "{}", self.url]
        subprocess.run(unknown, stdout=subprocess.DEVNULL, check=True)
        typed, kind = json.dumps(self.said).encode(), {"Content-Type": "application/json"}
        urllib.request.urlopen(urllib.request.Request(f"{self.sandbox}/sandbox/say", typed, kind), timeout=10).close()


def check(prometheus, load):
    def ask(path, **query):
        try:
            with urllib.request.urlopen(f"{prometheus}/api/v1/{path}?{urllib.parse.urlencode(query)}", timeout=10) as got:
                return json.load(got)["data"]
        except urllib.error.HTTPError as error:
            if error.code == 503:  # it starts
                return None
            sys.exit(f"Prometheus: {query}: {error.read().decode()}")
        except OSError:
            return None

    def scraped():
        active = (ask("targets") or {"activeTargets": []})["activeTargets"]
        return len(active) == 2 and all(target["health"] == "up" for target in active) or str(active)

    wait_for("both services are scraped", scraped)

    panels = json.loads(pathlib.Path(DASHBOARD).read_text())["panels"]
    queries = [(panel["title"], target["expr"]) for panel in panels for target in panel.get("targets", [])]

    def empty(query):
        found = ask("query", query=query.replace("$__rate_interval", "20s"))["result"]
        return not any(sample["value"][1] != "NaN" for sample in found)

    def panels_have_data():
        load.once()
        missing = [f"{title}: {query}" for title, query in queries if empty(query)]
        missing = [line for line in missing if not any(name in line for name in RARE)]
        return missing or True

    wait_for("each panel shows something", panels_have_data)

    def rules_are_well():
        rules = [rule for group in ask("rules")["groups"] for rule in group["rules"]]
        bad = [f"{rule['name']}: {rule['health']} {rule.get('lastError', '')}" for rule in rules if rule["health"] != "ok"]
        return bad or bool(rules)

    wait_for("each rule is evaluated", rules_are_well)
    firing = ask("query", query='ALERTS{alertstate="firing"}')["result"]
    assert not firing, f"a healthy bot raises alerts: {firing}"
    rules = sum(len(group["rules"]) for group in ask("rules")["groups"])
    print(f"Prometheus: {len(queries)} queries of the dashboard and {rules} rules work on what both services export")


def main():
    program = shutil.which("prometheus")
    if not program:
        print("SKIPPED: Prometheus is not installed (Debian's package prometheus has it)")
        return
    with tempfile.TemporaryDirectory() as scratch, tempfile.NamedTemporaryFile("w") as output:
        bot, targets, url, sandbox = start_bot(scratch, output)
        prometheus = None
        try:
            config, port = pathlib.Path(scratch, "prometheus.yml"), free_port()
            config.write_text(configuration(targets))
            with open(pathlib.Path(scratch, "prometheus.log"), "w") as log:
                prometheus = subprocess.Popen(
                    [program, f"--config.file={config}", f"--storage.tsdb.path={scratch}/tsdb",
                     f"--web.listen-address=127.0.0.1:{port}"],
                    stdout=log, stderr=log, start_new_session=True,
                )  # fmt: skip
            check(f"http://127.0.0.1:{port}", Load(url, sandbox))
        finally:
            if prometheus:
                stop(prometheus)
            stop(bot)


main()
