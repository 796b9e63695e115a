"""The table of budgets in docs/operations.md says what the code does."""
import re
from pathlib import Path

import pytest
import requests

import config
from chat import budgets
from chat.live import bodies, deadlines, transports
from chat.web import forms
from chat.conversations import answer_size, file, images, transfers
from chat.storage import partial_files
from chat.storage.limits import MemoryLimits
from tests.people import Person

TABLE = re.search(r"## What anybody may do\n(.*?)\n## ", Path("docs/operations.md").read_text(encoding="utf-8"), re.S)[1]


@pytest.mark.parametrize("budget", budgets.TABLE, ids=lambda budget: budget.name)
def test_the_table_shows_each_budget(budget):
    limit = f"{budget.limit} in {budget.window} s" if budget.window else str(budget.limit)
    [row] = [line for line in TABLE.splitlines() if line.startswith(f"| {budget.who} | {budget.what} | {limit} |")]
    assert row.endswith(f"| `{budget.name}`, `{budget.setting}` |" if budget.setting else f"| `{budget.name}` |")


def test_each_budget_is_in_the_table_of_the_code():
    assert set(budgets.TABLE) == {value for value in vars(budgets).values() if isinstance(value, budgets.Budget)}
    assert len({budget.name for budget in budgets.TABLE}) == len(budgets.TABLE)
    assert f"; {transports.PACKETS_PER_SECOND} a second" in budgets.PACKETS.what


@pytest.mark.parametrize("row", [
    f"| a transport | from opening to being connected | {transports.CONNECT_TIMEOUT} s,",
    f"| a transport | bytes that wait for it | {transports.MAX_UNSENT_BYTES // 2**20} MiB |",
    *(f"| an address | connections whose {what} | {deadlines.MAX_WAITING} | the oldest is cut once it has had {deadlines.FAIR_SECONDS} s, or at once beyond {deadlines.MAX_WAITING_AT_ONCE} " for what in ("request has not come", "body has not come", "answer is not read")),
    f"| a connection | the head of its first request | {deadlines.HEAD_SECONDS} s |",
    f"| a connection | the head of a further request | {deadlines.IDLE_SECONDS} s |",
    f"| a connection | a body | {bodies.BODY_SECONDS} s, and 1 s for each {bodies.BODY_BYTES_PER_SECOND // 1024} KiB |",
    f"| a connection | an answer, not read | {deadlines.ANSWER_SECONDS} s |",
    f"| an answer | what people wrote | {answer_size.MAX_PAGE_BYTES // 1024} KiB |",
    f"| a form | fields | {forms.MAX_FIELDS} |",
    f"| an upload | the next byte | {bodies.STALL_SECONDS} s |",
    f"| an upload | all of it | {bodies.UPLOAD_SECONDS} s, and 1 s for each KiB",
    f"| a person | uploads that are not complete | {partial_files.MAX_PARTIALS}, of {transfers.PARTIALS_PER_PERSON} × `MAX_FILE_BYTES`",
    f"| a message | files | {file.MAX_FILES} |",
    f"| an image | pixels | {images.MAX_PIXELS // 1_000_000} million |",
    f"| an image that moves | frames | {images.MAX_FRAMES} |",
])
def test_the_table_says_what_holds(row):
    assert row in TABLE


@pytest.mark.parametrize("budget", [budget for budget in budgets.TABLE if budget.setting], ids=lambda budget: budget.name)
def test_an_operator_changes_a_budget(budget):
    settings = config.load({budget.setting: "2"})
    some = budgets.Budgets(settings, MemoryLimits(), MemoryLimits())
    if budget.window:
        assert [some.hit(budget, "one") > 0 for _n in range(3)] == [False, False, True]
        some.undo(budget, "one")
        assert not some.hit(budget, "one") and not some.hit(budget, "another")
    else:
        assert [some.is_spent(budget, there) for there in (1, 2)] == [False, True]
    assert some.refused[budget.name] == 1


def test_what_was_refused_is_counted_in_metrics(start_server):
    server = start_server(RATELIMIT_ENABLED="1", ADDRESS_REGISTRATIONS="1")
    first, second = Person(server.url), Person(server.url)
    assert [first.register().status_code, second.register().status_code] == [302, 429]
    text = requests.get(server.url + "/metrics", timeout=10).text
    assert 'chat_budget_refused_total{budget="address_registrations"} 1.0' in text
    first.leave()
    second.leave()
