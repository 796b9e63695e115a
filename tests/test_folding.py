"""Names in base letters: the browser, which searches where it has no network, finds whom the server would find."""
import json
import subprocess
import unicodedata

import pytest

from chat.accounts.usernames import search_key
from tools import ROOT, node

NODE_SECONDS = 60
BLOCKS = [range(0x41, 0x2B0), range(0x1E00, 0x1F00)]      # the letters of Latin alphabets that are in use, and those of phonetics
SIGNS = "'’‘‛`´ʼʻʽʹ\"“”·•‧:"


def in_the_browser(names):
    result = subprocess.run([*node.node_command(), str(ROOT / "tests" / "js" / "folded.mjs")], input=json.dumps(names), capture_output=True,
                            text=True, encoding="utf-8", timeout=NODE_SECONDS)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize("typed, name", [
    ("lukasz", "Łukasz"), ("soren", "Søren"), ("dang", "Đặng"), ("oeuvre", "Œuvre"), ("isik", "ışık"), ("ISIK", "Işık"), ("obrien", "O’Brien"),
    ("o'brien", "O’Brien"), ("strasse", "Straße"), ("thor", "Þór"), ("bala", "Ɓala"), ("kaiulani", "Kaʻiulani"), ("galla", "Gal·la"), ("қасым", "Касым"),
    ("маряна", "Марʼяна"), ("كريم", "کریم"), ("فاطمه", "فاطمة"), ("محمد", "محـمد"), ("고", "곡철"), ("ΟΔΥΣΣΕΥΣ", "οδυσσευς")])
def test_it_works(typed, name):
    wanted, found = in_the_browser([typed, name])
    assert wanted and wanted in found
    assert search_key(typed) in search_key(name)


def test_the_browser_folds_latin_letters_as_the_server_does():
    letters = [chr(code) for block in BLOCKS for code in block if unicodedata.category(chr(code))[0] == "L"]
    names = [*letters, *(f"a{letter.upper()}b" for letter in letters), *(f"O{sign}Brien x{sign}" for sign in SIGNS)]
    assert len(letters) > 700
    different = [(name, folded, search_key(name)) for name, folded in zip(names, in_the_browser(names)) if folded.strip() != search_key(name)]
    assert different == []
