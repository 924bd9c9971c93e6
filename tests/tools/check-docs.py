#!/usr/bin/env python3
"""The documents name only files and headings that exist, and their sentences
are short. docs/CONVENTIONS.md has the rules."""

import pathlib
import re
import subprocess
import sys

MOST_WORDS = 25
BANNED = re.compile(r"\b(anew|of which|whoever|told of|hereby|thereof|wherein)\b", re.I)

tracked = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard"], capture_output=True, text=True, check=True
).stdout.split()
files = {path for path in tracked if pathlib.Path(path).exists()}
paths = files | {str(folder) for path in files for folder in pathlib.PurePath(path).parents}
tops = {path.split("/")[0] for path in files if "/" in path}
documents = [path for path in sorted(files) if path.endswith(".md") and not path.startswith("tests/fixtures/")]
wrong = []


def prose(text):
    """The text without blocks of code."""
    text = re.sub(r"^( *)```.*?^\1```", "", text, flags=re.M | re.S)
    return re.sub(r"(?<=\n)\n(?: {4}.*\n)+", "\n", text)


def anchors(path):
    """What GitHub makes of the headings."""
    headings = re.findall(r"^#+ (.*)$", prose(pathlib.Path(path).read_text()), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def sentences(text):
    """Each sentence of each paragraph, item and cell. Code is one word."""
    text = re.sub(r"`[^`]+`", "code", text)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"<[^>]+>|\*\*", "", text)
    text = re.sub(r"^#.*$", "", text, flags=re.M)
    text = re.sub(r"^ *\|(.*)\|$", lambda row: "\n\n" + row[1].replace("|", "\n\n") + "\n\n", text, flags=re.M)
    for block in re.split(r"\n\s*\n|\n\s*(?:[-*]|\d+\.) ", text):
        yield from re.split(r"(?<=[.!?])\s+", " ".join(block.split()))


for path in documents:
    text = prose(pathlib.Path(path).read_text())
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)", text):
        file = str(pathlib.PurePath(path).parent / target) if target else path
        file = re.sub(r"[^/]+/\.\./", "", re.sub(r"^\./", "", file))
        if file.rstrip("/") not in paths:
            wrong.append(f"{path}: the link's target {target} does not exist")
        elif anchor and anchor not in anchors(file):
            wrong.append(f"{path}: {file} has no heading #{anchor}")
    for code in re.findall(r"`([\w./-]+/[\w./-]*)`", text):
        if code.split("/")[0] in tops and code.rstrip("/") not in paths:
            wrong.append(f"{path}: {code} does not exist")
    for sentence in sentences(text):
        words = [word for word in sentence.split() if re.search(r"\w", word)]
        if len(words) > MOST_WORDS:
            wrong.append(f"{path}: {len(words)} words: {sentence}")
        if banned := BANNED.search(sentence):
            wrong.append(f"{path}: “{banned[0]}” in: {sentence}")

print("\n".join(wrong), end="\n" if wrong else "")
sys.exit(bool(wrong))
