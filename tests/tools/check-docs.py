#!/usr/bin/env python3
"""The documents name only files and headings that exist. Their sentences, and
those of the comments in the code, are short and plain. docs/CONVENTIONS.md has
the rules."""

import pathlib
import re
import subprocess
import sys

MOST_WORDS = 25
BANNED = re.compile(
    r"\b(anew|of which|whoever|told of|stands(?! (?:in )?for)|only then (?:is|are|does|do|can|may)"
    r"|hereby|thereof|wherein)\b",
    re.I,
)
# How an error or a log line of ours must not begin: "cannot …" is enough.
FAILURE = re.compile(r"\b(?:(?:with_)?context|bail!|ensure!|anyhow!|error!|warn!|info!|debug!)\W.*\"(?:Failed to|Could not|Cannot) ")
COMMENT = {".rs": r"//[/!]?", ".js": "//", ".py": "#", ".sh": "#", ".yml": "#", ".yaml": "#", ".toml": "#", ".conf": "#", "": "#"}
GENERATED = ("tests/fixtures/", "tests/fuzz/seeds/", "Cargo.lock", "LICENSE")

tracked = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard"], capture_output=True, text=True, check=True
).stdout.split()
files = {path for path in tracked if pathlib.Path(path).exists()}
paths = files | {str(folder) for path in files for folder in pathlib.PurePath(path).parents}
tops = {path.split("/")[0] for path in files if "/" in path}
written = [path for path in sorted(files) if not path.startswith(GENERATED)]
documents = [path for path in written if path.endswith(".md")]
sources = [path for path in written if pathlib.PurePath(path).suffix in COMMENT]
wrong = []


def prose(text):
    """The text without blocks of code."""
    text = re.sub(r"^( *)```.*?^\1```", "", text, flags=re.M | re.S)
    return re.sub(r"(?<=\n)\n(?: {4}.*\n)+", "\n", text)


def anchors(path):
    """What GitHub makes of the headings."""
    headings = re.findall(r"^#+ (.*)$", prose(pathlib.Path(path).read_text()), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def comments(text, mark):
    """Each block of comment lines with its line number, and each comment at a
    line's end. Another mark or indentation begins another block."""
    block = (None, 0, [])
    for number, line in enumerate([*text.splitlines(), ""], 1):
        own = re.match(rf"(\s*{mark})(?: (.*))?$", line)
        if block[0] is not None and (not own or own[1] != block[0]):
            yield block[1], "\n".join(block[2])
            block = (None, 0, [])
        if own:
            words = own[2] or ""
            columns = mark == "#" and words.startswith("  ")
            block = (own[1], block[1] or number, [*block[2], "" if columns else words])
        elif (end := re.match(rf"(.*\S)\s+{mark} (.*)", line)) and end[1].count('"') % 2 == end[1].count("'") % 2 == 0:
            yield number, end[2]


def sentences(text):
    """Each sentence of each paragraph, item and cell. Code is one word."""
    text = re.sub(r"`[^`]+`", "code", text)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"<[^>]+>|\*\*", "", text)
    text = re.sub(r"^#.*$", "", text, flags=re.M)
    text = re.sub(r"^ *\|(.*)\|$", lambda row: "\n\n" + row[1].replace("|", "\n\n") + "\n\n", text, flags=re.M)
    for block in re.split(r"\n\s*\n|\n\s*(?:[-*]|\d+\.) ", text):
        yield from re.split(r"(?<=[.!?])\s+", " ".join(block.split()))


def check_words(place, text):
    """The sentences are short, and none has a banned word."""
    for sentence in sentences(prose(text)):
        words = [word for word in sentence.split() if re.search(r"\w", word)]
        if len(words) > MOST_WORDS:
            wrong.append(f"{place}: {len(words)} words: {sentence}")
        if banned := BANNED.search(sentence):
            wrong.append(f"{place}: “{banned[0]}” in: {sentence}")


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
    check_words(path, text)

for path in sources:
    text = pathlib.Path(path).read_text()
    for line, comment in comments(text, COMMENT[pathlib.PurePath(path).suffix]):
        check_words(f"{path}:{line}", comment)
    for docstring in re.findall(r'^ *"""(.*?)"""', text, re.M | re.S) if path.endswith(".py") else []:
        check_words(path, docstring)
    for line, code in enumerate(text.splitlines() if path.endswith(".rs") else [], 1):
        if FAILURE.search(code):
            wrong.append(f"{path}:{line}: begin with “cannot …”: {code.strip()}")

print("\n".join(wrong), end="\n" if wrong else "")
sys.exit(bool(wrong))
