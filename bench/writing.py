"""Writing: what a page of formatted messages costs against one of plain messages, and what the upload of a file costs."""
import secrets

from . import seed_data
from .store import browser, get

PAGE = 50                   # messages on a page
FILE_BYTES = 25_000_000     # the largest that may be uploaded
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


def uploads(subject, scope):
    """Return the CPU milliseconds of a file of 25 MB that is sent as a form, and by how many KB the process grew meanwhile."""
    senders = [(person, subject.form_headers(person)) for person in subject.people(scope.uploads)]      # each has a quota
    _upload(subject, *senders[0])       # the first one loads what it needs
    memory, before = subject.memory_kb(), sum(subject.cpu_seconds().values())
    for sender in senders:
        _upload(subject, *sender)
    return {"cpu_ms": 1000 * (sum(subject.cpu_seconds().values()) - before) / len(senders), "growth_kb": subject.memory_kb() - memory}


def _upload(subject, person, headers):
    """Send a file that nobody has sent yet."""
    with browser(person) as http:
        http.post(f"{subject.url}/files", {"clientId": secrets.token_urlsafe(16)}, headers=headers, timeout=60,
                  files={"file": ("data.bin", secrets.token_bytes(FILE_BYTES))}).raise_for_status()
