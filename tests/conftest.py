"""What all tests share: the two databases' servers, the chat in each of its modes, and the cast."""
import importlib.util
import os
import re
import warnings

warnings.filterwarnings("ignore", message="\\s*Eventlet is deprecated")

import pytest

from tests import services
from tests.people import Person
from tests.server import PATIENT, Server

SECRET_KEY = "for the tests alone: thirty-two bytes and more"
FAST_MODE = "embedded"              # of MODES, the one that --fast runs the chat in
LEFT_OUT = ("slow", "browser")      # the marks of what it leaves out
OTHER_SERVERS = {"start_server", "patient_chat"}
HAS_NOTHING_FAST = re.compile(rf"^pytestmark = .*\b({'|'.join(LEFT_OUT)})\b", re.M)     # a file of tests that all have such a mark


def pytest_addoption(parser):
    parser.addoption("--fast", action="store_true",
                     help="what takes about two minutes on two processors: one server in one mode, nothing slow, and no browser")


def pytest_ignore_collect(collection_path, config):
    """Tell whether --fast need not read a file: each worker would spend a second and a half on what it leaves out."""
    if config.getoption("--fast") and collection_path.is_file():
        return bool(HAS_NOTHING_FAST.search(collection_path.read_text(encoding="utf-8"))) or None


def pytest_collection_modifyitems(config, items):
    if config.getoption("--fast"):
        config.hook.pytest_deselected(items=[item for item in items if not is_fast(item)])
        items[:] = filter(is_fast, items)


# pytest-xdist calls these two: it runs tests in several processes. Without it nobody does.

@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    from tests.scheduling import worker_count
    return worker_count()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from tests.scheduling import UnitScheduling
    return UnitScheduling(config, log)


def is_fast(item):
    """Whether a test belongs to the fast part: `chat` is one server for all in each of MODES, others have their own."""
    mode = item.callspec.params.get("chat", FAST_MODE) if hasattr(item, "callspec") else FAST_MODE
    is_marked = any(item.get_closest_marker(name) for name in LEFT_OUT)
    return mode == FAST_MODE and not OTHER_SERVERS & set(item.fixturenames) and not is_marked


@pytest.fixture(scope="session")
def mariadb():
    with services.MariaDB() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server():
    with services.Redis() as server:
        yield server


@pytest.fixture(scope="session")
def server_mode_settings(mariadb, redis_server):
    """The settings of the server mode, on the tests' own MariaDB and Redis."""
    return {"DATABASE_URL": mariadb.url, "REDIS_URL": redis_server.url, "SECRET_KEY": SECRET_KEY}


# The chat as it is started: name of the mode -> concurrency. ASYNC_MODE in the environment changes the first two, and
# where it makes them threads, the third would only repeat the second.
ASYNC_MODE = os.environ.get("ASYNC_MODE", "eventlet")
MODES = {"embedded": ASYNC_MODE, "server": ASYNC_MODE}
if ASYNC_MODE != "threading":
    MODES["threading"] = "threading"


@pytest.fixture(scope="session", params=MODES)
def chat(request):
    """A running chat, in each mode in turn; limits of rate are lifted."""
    settings = {"ASYNC_MODE": MODES[request.param]}
    if request.param != "embedded":
        settings.update(request.getfixturevalue("server_mode_settings"))
    with Server(**settings) as server:
        server.mode = request.param
        yield server


@pytest.fixture(scope="session", params=MODES)
def patient_chat(request):
    """A running chat, in each mode, that shows by itself nothing of what a test does."""
    settings = {"ASYNC_MODE": MODES[request.param]}
    if request.param != "embedded":
        settings.update(request.getfixturevalue("server_mode_settings"))
        settings["REDIS_URL"] = settings["REDIS_URL"].rpartition("/")[0] + "/9"     # another chat than `chat`
    with Server(tuned=PATIENT, **settings) as server:
        yield server


def skip_without_gevent(mode):
    if mode == "gevent" and not importlib.util.find_spec("gevent"):
        pytest.skip("gevent has no wheel for this machine")


@pytest.fixture
def start_server():
    """Start a server of one's own with other settings; it ends with the test."""
    servers = []

    def start(**settings):
        skip_without_gevent(settings.get("ASYNC_MODE"))
        server = Server(**settings)
        servers.append(server)
        return server.start()
    yield start
    for server in servers:
        server.__exit__()


@pytest.fixture
def arrive():
    """Register somebody on a server and return them; their connections end with the test."""
    people = []

    def register(server, username=None):
        person = Person(server.url, username)
        people.append(person)
        answer = person.register()
        assert answer.status_code == 302, answer.text
        return person
    yield register
    for person in people:
        person.leave()


@pytest.fixture
def alice(chat, arrive):
    return arrive(chat)


@pytest.fixture
def bob(chat, arrive):
    return arrive(chat)


@pytest.fixture
def charlie(chat, arrive):
    """Somebody who should hear nothing of what alice and bob say."""
    return arrive(chat)


@pytest.fixture
def room(alice, bob):
    """A room of Alice, its owner, and Bob. Charlie is not a member."""
    return alice.make_room("maths", bob, topic="sets")
