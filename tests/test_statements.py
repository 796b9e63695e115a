"""How many SQL statements a request costs: counted at the door, and the same however much is stored."""
import uuid

import pytest

import config
from chat import create_app
from chat.accounts.user import User
from tests.databases import RecordingDatabase, Sender, person

JSON = {"Accept": "application/json"}
PASSWORD = "eight chars and more"
MANY = 45       # people and messages: nearly a page of each


@pytest.fixture(params=["sqlite", "mariadb"])
def application(request, tmp_path):
    settings = {"INSTANCE_PATH": str(tmp_path), "ASYNC_MODE": "threading", "BCRYPT_ROUNDS": "4", "LOG_MESSAGES": "0",
                "RATELIMIT_ENABLED": "0", "SECRET_KEY": "for the counting of statements: thirty-two bytes"}
    if request.param == "mariadb":
        settings["DATABASE_URL"] = request.getfixturevalue("mariadb").url.replace("/chat", "/test_statements")
    app = create_app(config.load(settings))
    app.config["WTF_CSRF_ENABLED"] = False
    app.chat.database.__class__ = RecordingDatabase
    app.chat.database.statements = []
    yield app
    app.chat.database.engine.close()


@pytest.fixture
def town(application):
    """The browser of somebody to whom talk() lets so many people write, and the last of them at length; count() counts."""
    browser, database = application.test_client(), application.chat.database
    me = browser.username = f"me {uuid.uuid4().hex[:12]}"
    assert browser.post("/register", data={"username": me, "password": PASSWORD}).status_code == 302
    sender, myself = Sender(database), User.named(database, me)

    def talk(people, messages):
        others = [person(database) for _n in range(people)]
        for other in others + messages * others[-1:]:
            sender.send(other, myself)
        return others[-1].username
    browser.talk = talk

    def count(method, path, headers=JSON):
        seen = []
        body = {"message": "bonjour", "clientId": uuid.uuid4().hex} if method == "POST" else None
        asked = database.asked_by(lambda: seen.append(browser.open(path, method=method, headers=headers, json=body)))
        assert seen[0].status_code in (200, 201), seen[0].text
        return len(asked)
    browser.count = count
    return browser


@pytest.mark.parametrize("method, path, statements", [
    ("GET", "/", 5), ("GET", "/users?q=person", 4), ("GET", "/messages/{}", 6), ("GET", "/chat/{}", 10), ("POST", "/messages/{}", 3)])
def test_a_request_costs_the_same_statements_however_much_is_stored(town, method, path, statements):
    counts = []
    for people, messages in ((1, 1), (MANY, MANY)):
        other = town.talk(people, messages)
        town.count(method, path.format(other))      # what a process looks up once it remembers
        counts.append(town.count(method, path.format(other)))
    assert counts == [statements] * 2


@pytest.mark.parametrize("path, statements, mentions_elsewhere", [
    ("/", 7, 1), ("/rooms", 11, 1), ("/rooms/{}", 19, 1), ("/rooms/{}?info", 22, 1), ("/conversations/{}/messages", 5, 0)])
def test_rooms_cost_the_same_statements_however_many_there_are(town, application, path, statements, mentions_elsewhere):
    """One more where the list of rooms is not whole: it counts the mentions in the others."""
    rooms, messaging, gate = application.chat.rooms, application.chat.messaging, application.chat.gate
    database, counts = application.chat.database, []
    me = User.named(database, town.username)
    town.talk(1, 1)
    for how_many, members, messages in ((1, 2, 3), (MANY, MANY, MANY)):
        for _n in range(how_many):
            creator = person(database)
            room = rooms.create(creator, {"name": "maths"})
            rooms.add(creator, room.id, me.username)
        for _n in range(members):
            rooms.add(creator, room.id, person(database).username)
        for _n in range(messages):
            messaging.send(creator, gate.to_room(creator, room.id), f"@{me.username}", uuid.uuid4().hex)
        counts.append(town.count("GET", path.format(room.id), {"Accept": "text/html"}))
    assert counts == [statements, statements + mentions_elsewhere]
