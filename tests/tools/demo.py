#!/usr/bin/env python3
"""Shows one alert's way through a running bot: demo.py SANDBOX_URL INGRESS_URL.

Types the command that authorizes #alerts into the sandbox Discord, sends one
webhook as Sentry would, and prints the message that Discord received.
"""

import json
import subprocess
import sys
import time
import urllib.request

FIXTURE = "tests/fixtures/legacy/11_python_exception.json"
PATIENCE = 30  # seconds


def call(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


def wait_for(what, probe):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = probe()
        if found:
            return found
        time.sleep(0.05)
    sys.exit(f"run: waited {PATIENCE} s in vain: {what}")


def show(message):
    """Prints a message as Discord received it, short."""
    sent = message["received"]
    if sent.get("content"):
        print(f"  {sent['content']}")
    for embed in sent.get("embeds", []):
        print(f"  {embed.get('title', '')}   {embed.get('url', '')}".rstrip())
        if embed.get("description"):
            print(f"  {embed['description']}")
        for field in embed.get("fields", []):
            value = field["value"].replace("\n", "\n" + " " * 21)
            print(f"    {field['name']:<16} {value}")
        if embed.get("footer"):
            print(f"  {embed['footer']['text']}")
    for row in sent.get("components", []):
        for button in row["components"]:
            print(f"  [{button['label']}] {button['url']}")


def main(sandbox, ingress):
    state = wait_for(
        "the bot is online in the sandbox",
        lambda: (state := call(f"{sandbox}/sandbox/state")) and state["sessions"] and state,
    )
    guild = state["guilds"][0]
    alerts = next(channel["id"] for channel in guild["channels"] if channel["name"] == "alerts")

    def answers():
        messages = call(f"{sandbox}/sandbox/channels/{alerts}/messages")
        return [message for message in messages if message["received"]]

    command = "!sentry channel authorize #alerts"
    call(f"{sandbox}/sandbox/say", {"user": guild["owner"], "channel": alerts, "content": command})
    reply = wait_for("the bot answers a command", answers)[0]
    print(f"\ntyped in #alerts: {command}")
    print(f"the bot answers:  {reply['received']['content'].splitlines()[0]}")

    url = f"{ingress}/sentry-bot/channel?id={alerts}"
    sender = ["target/debug/sentry-sender", url, FIXTURE]
    print(f"\nsending as Sentry does: {sender[0]} '{url}' {FIXTURE}", flush=True)
    if subprocess.run(sender).returncode != 0:
        sys.exit("run: the ingress did not take the alert")
    alert = wait_for("the alert arrives in #alerts", lambda: answers()[1:])[0]
    print("\nthe message as Discord received it, in #alerts:\n")
    show(alert)


main(*sys.argv[1:])
