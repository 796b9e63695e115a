"""Writing: what a page of formatted messages costs against one of plain messages."""
from . import seed_data
from .store import browser, get

PAGE = 50                   # messages on a page
BLOCKS_OF_OPENINGS = 5      # in turns, so that what else the machine does falls on both

# As people write them: a fifth has a block of code, a fifth a list, the others marks within a line.
TEXTS = ("See **this** at some length, `read_seq` and more.", "*Maybe* use `members`, or https://example.org/x?y=1", "- one thing\n- another **thing**",
         "What was ~~said~~ as `number`, at [some](https://example.org/) length.", "```python\nprint(sum(values) / len(values))\n```\nwhat do you say?")


def pages(subject, scope):
    """Return the CPU milliseconds of a page of formatted messages, and of one of plain ones."""
    me, formatted, plain = subject.people(3)
    for conversation_id, other in enumerate((formatted, plain), 1):
        seed_data.talk(subject, conversation_id, me["id"], other["id"], PAGE)
    for number, text in enumerate(TEXTS):
        subject.run(f"UPDATE messages SET message = %s WHERE conversation_id = 1 AND seq %% {len(TEXTS)} = %s", (text, number))
    subject.run("ANALYZE TABLE messages, members, conversations")
    spent = {"formatted": 0, "plain": 0}
    with browser(me) as http:
        for _block in range(BLOCKS_OF_OPENINGS):
            for kind, person in (("formatted", formatted), ("plain", plain)):
                before = sum(subject.cpu_seconds().values())
                for _n in range(scope.openings):
                    get(http, f"{subject.url}/chat/{person['username']}")
                spent[kind] += sum(subject.cpu_seconds().values()) - before
    return {f"{kind}_cpu_ms": 1000 * seconds / BLOCKS_OF_OPENINGS / scope.openings for kind, seconds in spent.items()}
