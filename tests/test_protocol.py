"""docs/protocol.md says what the code does: every route, event, error and limit stands in it."""
import inspect
import json
import re
from pathlib import Path

import pytest

import config
from chat import MAX_FORM_BYTES, budgets, create_app, errors
from chat.conversations import message, messaging
from chat.live import events, packets, sockets

DOCUMENT = (Path(__file__).parent.parent / "docs" / "protocol.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    return create_app(config.load({"INSTANCE_PATH": str(tmp_path_factory.mktemp("instance")), "ASYNC_MODE": "threading"}))


def rows(first_cell):
    """Return the cells of all table rows whose first cell matches."""
    found = [line.strip("| \n").split(" | ") for line in DOCUMENT.splitlines() if re.match(rf"\| {first_cell}", line)]
    assert found, f"no table row begins with {first_cell}"
    return found


def test_it_works():
    assert DOCUMENT.startswith("# The protocol")


def test_every_route_is_documented_with_its_methods(app):
    documented = set(re.findall(r"`(GET|POST) (/[^`?]*)`", DOCUMENT))
    names = {"<int:user_id>": "<id>", "<int:seq>": "<seq>", "<path:name>": "<path>", "<hashed>": "<hash>"}
    real = {(method, re.sub("<.*?>", lambda part: names.get(part[0], part[0]), rule.rule))
            for rule in app.url_map.iter_rules() for method in rule.methods & {"GET", "POST"}}
    assert documented - {("GET", "/login?next=…")} == real


def test_every_event_is_documented(app):
    documented = {row[0].strip("`") for row in rows(r"`\w+` \| (client|server) ")}
    taken_in = set(app.chat.server.handlers["/"]) - {"connect", "disconnect", "*"}
    sent = set(re.findall(r'(?:emit|broadcast)\("(\w+)"', "".join(map(inspect.getsource, (sockets, events, messaging)))))
    assert documented == taken_in | sent


def test_every_error_is_documented():
    documented = {(row[0].strip("`"), int(row[1]), row[2] == "yes") for row in rows(r"`\w+` \| \d{3}")}
    real = {(kind.code, kind.status, kind.retry) for kind in vars(errors).values()
            if inspect.isclass(kind) and issubclass(kind, errors.ChatError)}
    assert documented == real


@pytest.mark.parametrize("sentence", [
    f"1 to {message.MAX_LENGTH:,} characters", f"1 to\n{message.MAX_CLIENT_ID_LENGTH} visible ASCII characters",
    f"{message.MAX_ROWS} at most",
    f"{budgets.MESSAGES.limit} messages in {budgets.MESSAGES.window} seconds, or {budgets.CONNECTIONS.limit} connections of a person",
    f"beyond {budgets.ADDRESS_TRANSPORTS.limit} of one address", f"more than {MAX_FORM_BYTES // 1024} KiB is `too_long`",
    f"more than {packets.MAX_BODY_BYTES // 1024} KiB", f"at most once in {budgets.TYPING.window} seconds",
])
def test_the_limits_are_the_real_ones(sentence):
    assert sentence in DOCUMENT


def test_the_message_is_the_real_one():
    example = re.search(r"```json\n(\{.*?\})\n```", DOCUMENT, re.S).group(1)
    assert list(json.loads(example)) == list(message.Message(1, 2, "x", "c", "alice").as_json())
