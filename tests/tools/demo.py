#!/usr/bin/env python3
"""Brings the sandbox's page to life: demo.py SANDBOX_URL.

Types the command that authorizes #alerts, sends some webhooks as Sentry would,
and prints the first message that Discord received.
"""

import json
import re
import sys
import time
import urllib.error
import urllib.request

FIRST = "legacy/11_python_exception.json"
MORE = [
    "platform/event_alert.triggered_cron.json",
    "platform/metric_alert.critical.json",
    "legacy/74_minified_js.json",
    "legacy/42_non_ascii.json",
    "platform/issue.created.json",
    "platform/issue.resolved.json",
]
PATIENCE = 30  # seconds


def call(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        sys.exit(f"run: {url} answered {error.code}: {error.read().decode()}")


def wait_for(what, probe):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = probe()
        if found:
            return found
        time.sleep(0.05)
    sys.exit(f"run: waited {PATIENCE} s in vain: {what}")


def plain(text):
    """The text as Discord shows it: without the escapes of its markdown."""
    return re.sub(r"\\([^A-Za-z0-9\s])", r"\1", text)


def show(message):
    """Prints a message as Discord received it, short."""
    sent = message["received"]
    if sent.get("content"):
        print(f"  {sent['content']}")
    for embed in sent.get("embeds", []):
        if embed.get("author"):
            print(f"  {embed['author']['name']}")
        print(f"  {plain(embed.get('title', ''))}   {embed.get('url', '')}".rstrip())
        for line in embed.get("description", "").splitlines():
            print(f"  {plain(line)}")
        for field in embed.get("fields", []):
            value = plain(field["value"]).replace("\n", "\n" + " " * 21)
            print(f"    {field['name']:<16} {value}")
        if embed.get("footer"):
            print(f"  {embed['footer']['text']}")
    for row in sent.get("components", []):
        for button in row["components"]:
            print(f"  [{button.get('label')}] {button.get('url', '')}".rstrip())


def main(sandbox):
    state = wait_for(
        "the bot is online in the sandbox",
        lambda: (state := call(f"{sandbox}/sandbox/state")) and state["sessions"] and state,
    )
    guild = state["guilds"][0]
    alerts = next(channel["id"] for channel in guild["channels"] if channel["name"] == "alerts")

    def answers():
        messages = call(f"{sandbox}/sandbox/channels/{alerts}/messages")
        return [message for message in messages if message["received"]]

    def send(fixture):
        body = {"channel": alerts, "payload": {"fixture": fixture}, "as_now": True}
        answer = call(f"{sandbox}/sandbox/demo/send", body)["answers"][0]
        print(f"  {answer['status']}  {fixture}  {answer['body']}", flush=True)
        if answer["status"] not in (200, 202):
            sys.exit("run: the ingress did not take the alert")

    command = "!sentry channel authorize #alerts"
    call(f"{sandbox}/sandbox/say", {"user": guild["owner"], "channel": alerts, "content": command})
    reply = wait_for("the bot answers a command", answers)[0]
    print(f"\ntyped in #alerts: {command}")
    print(f"the bot answers:  {reply['received']['content'].splitlines()[0]}")

    print("\nsending as Sentry does:")
    send(FIRST)
    alert = wait_for("the alert arrives in #alerts", lambda: answers()[1:])[0]
    print("\nthe message as Discord received it, in #alerts:\n")
    show(alert)
    print("\nsending alerts of other kinds:")
    for fixture in MORE:
        send(fixture)


main(*sys.argv[1:])
