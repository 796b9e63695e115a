"""The table of collation weights: what is read of it is what the package's own reader reads."""
import random

from pyuca.collator import Collator_10_0_0

from chat.accounts.collation_table import Collator

TEXTS = 2000


def rows_of(node, key=()):
    """Yield (code points, elements) for each row of pyuca's own table, which is a tree."""
    if node.value:
        yield key, node.value
    for code_point, child in (node.children or {}).items():
        yield from rows_of(child, (*key, code_point))


def test_it_works():
    ours, theirs = Collator(), Collator_10_0_0()
    rows = dict(rows_of(theirs.table.root))
    assert len(ours.table.rows) == len(rows) > 30_000
    assert ours.implicit_weights == theirs.implicit_weights != []
    for key, elements in rows.items():
        assert ours.table.find_prefix(list(key)) == (list(key), elements, [])
    smallest = {}
    for key, elements in rows.items():
        if len(key) == len(elements) == 1:
            weight, *rest = elements[0]
            smallest[weight] = min(smallest.get(weight, (rest, key)), (rest, key))
    assert ours.table.base_letters == {weight: chr(key[0]) for weight, (_rest, key) in smallest.items()}
    rng, keys = random.Random(1), list(rows)
    for _n in range(TEXTS):     # letters that are sorted together, others between them, and what is in no row
        text = [code_point for _key in range(rng.randint(1, 5)) for code_point in rng.choice(keys)] + [rng.randrange(0x110000)]
        if rng.random() < 0.3:
            rng.shuffle(text)
        assert ours.table.find_prefix(text) == theirs.table.find_prefix(text)
        assert ours.sort_key("".join(map(chr, text))) == theirs.sort_key("".join(map(chr, text)))
