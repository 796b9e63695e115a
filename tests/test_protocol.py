"""docs/protocol.md says what the code does: every route, event, error and limit stands in it."""
import inspect
import json
import re
from pathlib import Path

import pytest

import config
from chat import MAX_FORM_BYTES, budgets, create_app, errors
from chat.conversations import (change_effects, members, mentions, message, message_text, messaging, previews, receipts, room, room_list,
                                rooms)
from chat.conversations.file import MAX_FILES, File
from chat.conversations.images import MAX_PIXELS, PREVIEW_SIZE
from chat.live import bodies, events, packets, sockets

DOCUMENT = (Path(__file__).parent.parent / "docs" / "protocol.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    app = create_app(config.load({"INSTANCE_PATH": str(tmp_path_factory.mktemp("instance")), "ASYNC_MODE": "threading"}))
    yield app
    app.chat.database.engine.close()


def rows(first_cell):
    """Return the cells of all table rows whose first cell matches."""
    found = [line.strip("| \n").split(" | ") for line in DOCUMENT.splitlines() if re.match(rf"\| {first_cell}", line)]
    assert found, f"no table row begins with {first_cell}"
    return found


def test_it_works():
    assert DOCUMENT.startswith("# The protocol")


def test_every_route_is_documented_with_its_methods(app):
    documented = set(re.findall(r"`(GET|POST) (/[^`?]*)`", DOCUMENT))
    names = {"<int:user_id>": "<id>", "<int:room_id>": "<id>", "<int:conversation_id>": "<id>", "<int:seq>": "<seq>", "<path:name>": "<path>", "<hashed>": "<hash>", "<int:file_id>": "<id>",
             "<text:client_id>": "<clientId>", "<text:other>": "<id>"}
    real = {(method, re.sub("<.*?>", lambda part: names.get(part[0], part[0]), rule.rule))
            for rule in app.url_map.iter_rules() for method in rule.methods & {"GET", "POST"}}
    assert documented - {("GET", "/login?next=…")} == real


def test_every_event_is_documented(app):
    documented = {row[0].strip("`") for row in rows(r"`\w+` \| (client|server) ")}
    taken_in = set(app.chat.server.handlers["/"]) - {"connect", "disconnect", "*"}
    sent = set(re.findall(r'(?:emit|broadcast)\("(\w+)"', "".join(map(inspect.getsource, (sockets, events, messaging))))) | {rooms.CHANGED, rooms.LEFT}
    assert documented == taken_in | sent


def test_every_error_is_documented():
    documented = {(row[0].strip("`"), int(row[1]), row[2] == "yes") for row in rows(r"`\w+` \| \d{3}")}
    real = {(kind.code, kind.status, kind.retry) for kind in vars(errors).values()
            if inspect.isclass(kind) and issubclass(kind, errors.ChatError)}
    assert documented == real


@pytest.mark.parametrize("sentence", [
    f"1 to {message_text.MAX_LENGTH:,} characters", f"1 to\n{message_text.MAX_CLIENT_ID_LENGTH} visible ASCII characters",
    f"{message.MAX_ROWS} at most",
    f"{budgets.MESSAGES.limit} messages in {budgets.MESSAGES.window} seconds, or {budgets.CONNECTIONS.limit} connections of a person",
    f"may have {budgets.ADDRESS_TRANSPORTS.limit} transports", f"open {budgets.ADDRESS_HANDSHAKES.limit} in {budgets.ADDRESS_HANDSHAKES.window} seconds",
    f"more than {MAX_FORM_BYTES // 1024} KiB is `too_long`",
    f"up to {members.MAX_MEMBERS:,} members", f"1 to {room.MAX_NAME_LENGTH} characters), `topic` ({room.MAX_TOPIC_LENGTH} at most)",
    f"A message can mention {mentions.MAX_MENTIONS} people", f"a room of more than {messaging.MAX_LIVE_MEMBERS} members",
    f"by name, {members.PAGE} at a time", f"{room_list.PAGE} of each", f"first {receipts.MAX_READERS} members", f"(0 to {room.COLORS - 1})",
    f"more than {packets.MAX_BODY_BYTES // 1024} KiB", f"at most once in {budgets.TYPING.window} seconds",
    f"{budgets.CHANGES.limit} changes of messages in {budgets.CHANGES.window} seconds", f"at most {change_effects.MAX_EMOJI} different ones",
    f"the first {previews.MAX_PREVIEW_LENGTH}\n", f"{message.MAX_PINS} at most: a page",
    f"up to {MAX_FILES} of one's own", f"at most {PREVIEW_SIZE[0]} × {PREVIEW_SIZE[1]} pixels", f"more than {MAX_PIXELS // 1_000_000} million pixels",
    f"no byte comes for {bodies.STALL_SECONDS} seconds", f"or {budgets.UPLOADS.limit} uploads at once",
])
def test_the_limits_are_the_real_ones(sentence):
    assert sentence in DOCUMENT


def examples():
    return [json.loads(found) for found in re.findall(r"```json\n(\{.*?\})\n```", DOCUMENT, re.S)]


def test_the_message_is_the_real_one():
    assert list(examples()[0]) == list(message.Message(1, 2, "x", "c", "alice").as_json())


def test_the_room_is_the_real_one():
    assert list(examples()[1]) == list(room_list.RoomSummary(room.Room(1, "x", "", "hash", 0, False, 1)).as_json())


def test_the_file_is_the_real_one():
    file = File(1, "c", "h", "n", "t", 1, 2, 3, "a", 4200, True, True)
    assert [list(example) for example in examples() if "hasPreview" in example] == [list(file.as_json())]


def test_each_notice_is_documented():
    source = inspect.getsource(rooms)
    calls = re.findall(r"(?:_store_notice|_add|_end)\((?:\w+(?:\.\w+)?, )+(.*)\)\n", source)
    notices = {word for call in calls for word in re.findall(r'"(\w+)"', call)} - {"member"}
    listed = re.search(r"with `what` one of (.*?), `whom`", DOCUMENT, re.S).group(1)
    assert set(re.findall(r"`(\w+)`", listed)) == notices
