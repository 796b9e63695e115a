"""The table of budgets in docs/operations.md says what the code does."""
import re
from pathlib import Path

import pytest

from chat import auth_controller, deadlines, forms, message, runtime, sockets, transport

TABLE = re.search(r"## What anybody may do\n(.*?)\n## ", Path("docs/operations.md").read_text(encoding="utf-8"), re.S)[1]


@pytest.mark.parametrize("row", [
    f"| a transport | packets | {transport.EVENT_BURST} at once, {transport.EVENTS_PER_SECOND} a second |",
    f"| a transport | from opening to being connected | {transport.CONNECT_TIMEOUT} s,",
    f"| a transport | bytes that wait for it | {transport.MOST_WAITING // 2**20} MiB |",
    f"| a person | messages | {sockets.MOST_MESSAGES} in {sockets.MESSAGE_WINDOW} s |",
    f"| a person | connections to one process | {sockets.MOST_CONNECTIONS} |",
    f"| an account | wrong passwords | {auth_controller.ACCOUNT_FAILURES} in {auth_controller.FAILURE_WINDOW} s |",
    f"| an address | wrong passwords | {auth_controller.ADDRESS_FAILURES} in {auth_controller.FAILURE_WINDOW} s |",
    f"| an address | tries to register | {auth_controller.REGISTRATIONS} in {auth_controller.REGISTRATION_WINDOW} s |",
    f"| everybody | tries to register | {auth_controller.ALL_REGISTRATIONS} in {auth_controller.REGISTRATION_WINDOW} s |",
    f"| the process | registrations that wait for their hash | {runtime.MAX_REGISTRATIONS_WAITING} |",
    f"| an address | transports by which nobody has logged in | {transport.MOST_FROM_ADDRESS}, and {transport.HANDSHAKES} new ones in {transport.HANDSHAKE_WINDOW} s |",
    f"| an address | connections whose request has not come | {deadlines.MAX_WAITING} |",
    f"| a connection | the head of its first request | {deadlines.HEAD_SECONDS} s |",
    f"| a connection | the head of a further request | {deadlines.IDLE_SECONDS} s |",
    f"| a connection | a body | {deadlines.BODY_SECONDS} s, and 1 s for each {deadlines.BODY_BYTES_PER_SECOND // 1024} KiB |",
    f"| a connection | an answer, not read | {deadlines.ANSWER_SECONDS} s |",
    f"| an answer | text of messages | {message.MAX_PAGE_BYTES // 1024} KiB |",
    f"| a form | fields | {forms.MAX_FIELDS} |",
])
def test_the_table_says_what_holds(row):
    assert row in TABLE
