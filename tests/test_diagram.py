"""The class diagram of the report, found in the tree: one class one file, each method by its name."""
import importlib
import inspect
import re
from dataclasses import fields
from pathlib import Path

import pytest

from chat import AuthController, ChatController, Database, Message, Socket, User

SCRIPTS = Path(__file__).parent.parent / "chat" / "static" / "js"
SCHEMA = Path(__file__).parent.parent / "sql" / "schema.sql"

# As the report writes them. Its Utilisateur is User here, and `socket.py` would hide the standard library's.
ATTRIBUTES = {
    "User": ("id", "username", "password"),
    "Message": ("id", "sender_id", "receiver_id", "message", "timestamp"),
}
METHODS = {
    "Socket": ("initializeSocket", "sendMessage", "receiveMessage", "updateOnlineUsers"),
    "ChatController": ("getHomePage", "getMessages", "sendMessage"),
    "AuthController": ("register", "login", "logout"),
    "Database": ("query",),
}
FILES = {"User": "accounts.user", "Message": "conversations.message", "Socket": "live.sockets",
         "ChatController": "conversations.chat_controller", "AuthController": "accounts.auth_controller", "Database": "storage.database"}


def named(class_name):
    return getattr(importlib.import_module(f"chat.{FILES[class_name]}"), class_name)


def in_python(name):
    """Return `getHomePage` as Python writes it, `get_home_page`."""
    return re.sub(r"[A-Z]", lambda capital: "_" + capital[0].lower(), name)


def test_it_works():
    assert {named(name) for name in FILES} == {User, Message, Socket, ChatController, AuthController, Database}
    assert in_python("getHomePage") == "get_home_page"


@pytest.mark.parametrize("class_name", FILES)
def test_each_class_is_written_in_its_own_file(class_name):
    assert named(class_name).__module__ == f"chat.{FILES[class_name]}"
    assert named(class_name).__doc__


@pytest.mark.parametrize("class_name, method", [(name, method) for name, methods in METHODS.items() for method in methods])
def test_each_method_is_there_by_its_name(class_name, method):
    assert inspect.isfunction(vars(named(class_name)).get(in_python(method)))


@pytest.mark.parametrize("class_name, attribute", [(name, a) for name, attributes in ATTRIBUTES.items() for a in attributes])
def test_each_attribute_is_a_field_and_a_column(class_name, attribute):
    assert attribute in {field.name for field in fields(named(class_name))}
    table = re.search(rf"CREATE TABLE IF NOT EXISTS {class_name.lower()}s \((.*?)\n\)", SCHEMA.read_text(encoding="utf-8"), re.S)[1]
    assert re.search(rf"^\s+{attribute}\s", table, re.M)


def test_the_database_is_asked_as_in_the_report():
    assert list(inspect.signature(Database.query).parameters) == ["self", "sql", "params", "callback"]


@pytest.mark.parametrize("method", METHODS["Socket"])
def test_the_browser_has_the_four_methods_of_socket_too(method):
    script = (SCRIPTS / "socket.js").read_text(encoding="utf-8")
    assert re.search(rf"^export (async )?function {method}\(", script, re.M)


@pytest.mark.parametrize("event", ["sendMessage", "receiveMessage", "updateOnlineUsers"])
def test_the_events_have_the_names_of_the_methods(event):
    assert f'"{event}"' in inspect.getsource(Socket)
    assert f"'{event}'" in (SCRIPTS / "socket.js").read_text(encoding="utf-8")
