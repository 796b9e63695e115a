"""The table of pyuca, read at once by two expressions and taken apart row by row when it is asked: that takes half as long as its own reader."""
import functools
import re

from pyuca.collator import Collator_10_0_0

# A row: code points, then an element of weights for each letter that they sort as.   0F71 0F72 ; [.2CF6.0020.0002][.2CF8.0020.0002]
_ROW = re.compile(r"^([0-9A-F]+(?: [0-9A-F]+)*) *; (\[.+\]) ", re.M)
_LETTER = re.compile(r"^([0-9A-F]+) *; \[[.*]([0-9A-F]{4})\.([0-9A-F]{4})\.([0-9A-F]{4})\] ", re.M)     # of one code point and one element
_IMPLICIT = re.compile(r"^@implicitweights (\w+)\.\.(\w+); (\w+)", re.M)


class Collator(Collator_10_0_0):
    """pyuca's collator; not its Collator, whose table differs between versions of Python."""

    def load(self, filename):
        with open(filename, encoding="ascii") as file:
            text = file.read()
        self.table = Table(text)
        self.implicit_weights += [[int(number, 16) for number in row] for row in _IMPLICIT.findall(text)]


class Table:
    """What pyuca's collator asks a table for, and the base letters."""

    def __init__(self, text):
        self.rows = dict(_ROW.findall(text))
        several = [key.split() for key in self.rows if " " in key]
        self.firsts, self.longest = {int(key[0], 16) for key in several}, max(map(len, several))    # of the rows of several code points
        self.base_letters = _base_letters(text)

    def find_prefix(self, key):
        """Return the longest beginning of these code points that has a row, its elements or None, and the rest."""
        longest = min(len(key), self.longest if key[0] in self.firsts else 1)
        for length in range(longest, 0, -1):
            row = self.rows.get(" ".join(f"{code_point:04X}" for code_point in key[:length]))
            if row:
                return key[:length], _elements(row), key[length:]
        return key[:0], None, key


@functools.lru_cache(maxsize=4096)
def _elements(row):
    return [[int(weight, 16) for weight in element[1:].split(".")] for element in row[1:-1].split("][")]


def _base_letters(text):
    """Return {primary weight: its base letter}: the letter with this weight alone and the smallest accent and case weights."""
    found = {}
    for key, weight, accent, case in _LETTER.findall(text):
        letter = accent, case, len(key), key        # numbers of one length compare as their texts do
        if letter < found.get(weight, ("G",)):      # G is behind every hexadecimal digit
            found[weight] = letter
    return {int(weight, 16): chr(int(key, 16)) for weight, (_accent, _case, _length, key) in found.items()}
