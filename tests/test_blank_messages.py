"""A message of which nothing is seen is empty, for the server and for the page alike."""
import json
import re
import subprocess
import time

import pytest

from chat.accounts import characters
from chat.conversations import message_text
from chat.errors import Invalid, TooLong
from tests.server import ROOT
from tools import node

BLANK = ROOT / "chat" / "static" / "js" / "blank.js"
# A character that one of the two versions of Unicode does not know yet is left out.
ALL_BLANK_IN_JS = """
const isBlank = RegExp(%s, 'u');
const blank = [], unassigned = [];
for (let point = 0; point < 0x110000; point++) {
  if (point >= 0xd800 && point < 0xe000) continue;
  const character = String.fromCodePoint(point);
  if (isBlank.test(character)) blank.push(point);
  if (/\\p{Cn}/u.test(character)) unassigned.push(point);
}
console.log(JSON.stringify({ blank, unassigned }));
"""


@pytest.mark.parametrize("text", [
    "", " ", "\n\t", "\u3164", "\u2800", "\uFE0F", "\u3164 \u2800\n\uFE0F", "\u200B", "\u2060\u00AD", "\u115F\u1160", "\U000E0041",
    "\u034F", "\uFFFC", "\U0001D159", "\U00016FE4", "\U00013441", "\u180E", "\u2028", "\uFFA0" * 4000, "\u202E\u2066\u2069",
    "\x01\x7F\x9F", "\u3000\u00A0"])
def test_it_works(text):
    with pytest.raises(Invalid, match="empty"):
        message_text.validate_text(text)


@pytest.mark.parametrize("text", ["a", ".", "\u0301", "❤\uFE0F", "👩\u200D💻", "क्\u200D", "\u2800x", "⠁", "㋐", "ㅤㄱ", "-", "\u0E34", "♪"])
def test_what_is_seen_is_sent(text):
    assert message_text.validate_text(text) == text.strip()


@pytest.mark.slow
def test_the_page_and_the_server_judge_every_character_alike():
    pattern = re.search(r"const BLANK =\s+/(.+)/u;", BLANK.read_text(encoding="utf-8"))[1]
    said = subprocess.run([*node.node_command(), "-"], input=ALL_BLANK_IN_JS % json.dumps(pattern),
                          capture_output=True, text=True, check=True)
    found = json.loads(said.stdout)
    here = {point for point in range(0x110000) if not 0xD800 <= point < 0xE000 and characters.is_blank(chr(point))}
    assert here - set(found["unassigned"]) == set(found["blank"]) - set(found["unassigned"])
    assert len(here) > 4000, "the whole range of ignorable ones too"


@pytest.mark.parametrize("text", ["\u3164" * 64_000, " \u2800" * 32_000, "\U000E0100" * 64_000, "\u3164" * 64_000 + "x"])
def test_a_long_one_costs_little(text):
    times = []
    for _time in range(5):
        started = time.thread_time()
        with pytest.raises((Invalid, TooLong)):
            message_text.validate_text(text)
        times.append(time.thread_time() - started)
    assert min(times) < len(text.encode()) / 1024 / 1000    # 1 ms for each KB at most
