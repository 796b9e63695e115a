"""Messages in which it takes long to find the formatting: of 4,000 characters, of which a page may have fifty.

A search of ten seconds changes texts at random and goes on with those that cost most, in steps: the lines of Python that are run. Where a
regular expression is what takes long, the lines do not tell; so the worst are timed too, and in the browser's engine, against a text that is
sixteen times as long.
"""
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import config
import pytest

from chat import create_app
from chat.conversations import emphasis, formatting, inline_formatting, links
from chat.conversations.formatting import plain_of, tree_of
from chat.conversations.text_look import TextLook
from tools import ROOT, node

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parent / "slow_formatting.mjs"
NODE_SECONDS = 120
SHORT, TIMES = 4_000, 16    # characters of a message; how much longer the long text is
SEARCH_SECONDS = 10
KEPT = 12                   # of the worst kinds so far, from which others are made
MAX_STEPS = 25              # lines for each character
MAX_MS = 5                  # for a message
MAX_ROUNDS = 300            # one of which even a busy machine does at its full speed
PAGE = 50                   # messages of a page
MAX_GROWTH = 8              # of the work for the same text in one piece instead of sixteen; 16 where it is quadratic
FILES = {module.__file__ for module in (emphasis, formatting, inline_formatting, links)}

PIECES = ("*", "**", "***", "~~", "`", "``", "```", "~~~", "[", "](", "]", ")", "(", "http://", "http://a", "https://b.c/d", "[a](https://e.f)", "> ", ">",
          "- ", "* ", "-", "1. ", "9", "\n", "\n\n", " ", "    ", "\t", "a", "é", "„", "”", "😀", "\u202e", "日", "。", "_", "!", ".", "@", "\\", "{", "}", "\r")

# What one would try by hand: (start, again, end).
KINDS = [("", again, "") for again in (
    "*a", "**a ", "*a**b", "***a", "a*", " a*", "*a _", "~~a", "`", "` ", "`a``b```c", "[", "]", "[]", "[a](", "[a](http://x", "[a](http://x) ", "[a](http://x(",
    "> ", "> - ", "- ", "- a\n", "1. a\n", "- - ", "* ", "- \n", "```\n", "```a\n", "~~~\n", "    ", "\n", "\t", "http://a ", "http://a(", "**http://a", "*(*", "'*\"",
    "a\n\n", "  - a\n    - b\n", "> a\n\n", "*\n", "[*a](", "_*", "*a b~~ ", "~~a b* ")] + [("http://a", "(", ""), ("[a](http://a", "()", ""), ("*", "a", ""), ("`", "a", ""), ("> ", "a", ""),
    ("```\n", " ", "`"), ("```", "`", "x"), ("- ", " ", "a"), ("", "-", "a"), ("", "- ", "a"), ("[", "(", "]"), ("[a](http://a", "\\", ")"),
    ("", "`\n", "http://a]"), ("", "*\n- > > a", ""), ("`@", "\n\n[\n", ""), ("", "\n`\\\n", ""), ("", "\n\n}[\n", "``\n\n\\``* "),
    ("*" * 1_900, "a", "*" * 1_900), ("*a " * 250, "a", "a* " * 250), ("**" * 200 + "[" + "*a " * 100, "a", "a* " * 100 + "](https://a.b)" + "**" * 200)]


def text_of(kind, length):
    start, again, end = kind
    return start + again * ((length - len(start) - len(end)) // len(again)) + end


def steps_of(text):
    """Return how many lines of these modules reading a text runs."""
    count = 0

    def on_line(_frame, event, _argument):
        nonlocal count
        count += event == "line"
        return on_line

    before = sys.gettrace()
    sys.settrace(lambda frame, _event, _argument: on_line if frame.f_code.co_filename in FILES else None)
    try:
        tree_of(text)
    finally:
        sys.settrace(before)
    return count


def changed(kind, rng):
    """Return another kind, made from one."""
    parts = [list(part) if rng.random() < 0.8 else [] for part in kind]
    which = parts[rng.choice((0, 1, 1, 1, 2))]
    which[rng.randint(0, len(which)):rng.randint(0, len(which))] = rng.choices(PIECES, k=rng.randint(0, 3))
    start, again, end = ("".join(part)[:200] for part in parts)
    return start, again or rng.choice(PIECES), end


@pytest.fixture(scope="module")
def worst():
    """Return the kinds of texts that cost most, as [(steps for 4,000 characters, kind)], the worst first."""
    rng, until = random.Random(SCRIPT.name), time.monotonic() + SEARCH_SECONDS
    found = {kind: steps_of(text_of(kind, SHORT)) for kind in KINDS}
    while time.monotonic() < until:
        kept = sorted(found, key=found.get)[-KEPT:]
        kind = changed(rng.choice(kept), rng) if rng.random() < 0.8 else changed(rng.choice(KINDS), rng)
        if kind not in found:
            found[kind] = steps_of(text_of(kind, SHORT))
    assert len(found) > len(KINDS) + 10
    return sorted(((steps, kind) for kind, steps in found.items()), reverse=True)


def test_no_text_takes_many_steps(worst, record):
    record(None, "most lines of Python for a character of formatted text", worst[0][0] / SHORT, "lines")
    assert [(steps / SHORT, kind) for steps, kind in worst if steps > MAX_STEPS * SHORT] == []


def test_the_steps_grow_with_the_text_even_without_a_limit_of_marks(monkeypatch):
    monkeypatch.setattr(inline_formatting, "MAX_MARKS", SHORT * TIMES)
    growth = {kind: steps_of(text_of(kind, 4 * SHORT)) / steps_of(text_of(kind, SHORT)) for kind in KINDS}
    assert {kind: times for kind, times in growth.items() if times > 6} == {}


def test_no_text_takes_long(worst, record):
    times = {kind: milliseconds(text_of(kind, SHORT), 5, MAX_MS) for kind in [kind for _steps, kind in worst[:KEPT]] + KINDS}
    slowest = max(times.values())
    record(None, "slowest formatted text of 4,000 characters, on the server", slowest, "ms")
    assert {kind: ms for kind, ms in times.items() if ms > MAX_MS} == {}


def test_the_worst_are_shown_too(worst, record, tmp_path):
    """Each is made into elements, and into words for a preview, without an error; of the one that takes longest there is a whole page."""
    app = create_app(config.load({"INSTANCE_PATH": str(tmp_path), "ASYNC_MODE": "threading"}))
    page = app.jinja_env.from_string("{% from 'chat/_text.html' import text_of %}{% for tree in trees %}{{ text_of(tree, 0) }}{% endfor %}")

    def shown(text, count):
        began = time.process_time()
        page.render(trees=[TextLook(text).tree for _n in range(count)])
        return 1000 * (time.process_time() - began)

    texts = [text_of(kind, SHORT) for kind in [kind for _steps, kind in worst[:KEPT]] + KINDS]
    assert all(len(plain_of(tree_of(text))) <= 2 * SHORT for text in texts)
    with app.test_request_context():
        slowest = max(texts, key=lambda text: min(shown(text, 1) for _round in range(3)))
        record(None, "a page of fifty of the slowest formatted text, on the server", shown(slowest, PAGE), "ms")
    app.chat.database.engine.close()


def test_the_work_grows_with_the_text_alone(worst):
    kinds = [kind for _steps, kind in worst[:KEPT]] + KINDS
    times = {kind: (TIMES * milliseconds(text_of(kind, SHORT), 3), milliseconds(text_of(kind, SHORT * TIMES), 3)) for kind in kinds}
    assert {kind: in_one / in_many for kind, (in_many, in_one) in times.items() if in_one > MAX_GROWTH * in_many} == {}


def test_nor_in_the_browser(worst, record):
    kinds = [kind for _steps, kind in worst[:KEPT]] + KINDS
    result = subprocess.run([*node.node_command(), str(SCRIPT)], input=json.dumps(kinds), cwd=ROOT, capture_output=True, text=True, timeout=NODE_SECONDS)
    assert result.returncode == 0, result.stderr
    times = dict(zip(kinds, json.loads(result.stdout)))
    record(None, "slowest formatted text of 4,000 characters, in the browser", max(ms for ms, _in_one in times.values()) / TIMES, "ms")
    assert {kind: ms / TIMES for kind, (ms, _in_one) in times.items() if ms > MAX_MS * TIMES} == {}
    assert {kind: in_one / ms for kind, (ms, in_one) in times.items() if in_one > MAX_GROWTH * max(ms, 1)} == {}


def milliseconds(text, rounds, most=float("inf")):
    """Return the processor's time for reading a text: the fastest of some rounds, and of up to MAX_ROUNDS if that is more than `most`."""
    fastest, count = float("inf"), 0
    while count < rounds or fastest > most and count < MAX_ROUNDS:
        began = time.process_time()
        tree_of(text)
        fastest, count = min(fastest, 1000 * (time.process_time() - began)), count + 1
    return fastest
