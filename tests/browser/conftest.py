"""The browser: the machine's own Chromium, and a screen for each person who sits down before it."""
import re

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.browser.screen import PATIENCE_MS, Screen
from tests.people import Person
from tests.server import PATIENT, Server
from tools import programs

LEFT_EARLY = "WebSocket is closed before the connection is established"    # a page was left, or loaded again, just then

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def chat():
    """A running chat, in the embedded mode alone, whose list of people is no longer than one page."""
    with Server() as server:
        yield server


@pytest.fixture(scope="module")
def patient_chat():
    """A running chat that shows by itself nothing of what a test does."""
    with Server(tuned=PATIENT) as server:
        yield server


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=programs.headless_chromium())
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def whole_chromium(chromium):
    """One that has notifications."""
    browser = chromium.browser_type.launch(executable_path=programs.CHROMIUM.path())
    yield browser
    browser.close()


@pytest.fixture
def talk(alice, bob):
    """A message of Bob and one of Alice after it, as Bob's tab has them: (the tab, his M, her M)."""
    at_bob = bob.tab()
    theirs = at_bob.send(alice, "from bob")["message"]
    mine = alice.send(bob, "from alice").json()
    return at_bob, theirs, mine


@pytest.fixture
def sit_down(request, chromium):
    """Open a page in a browser of its own: `sit_down(person, path)`, or `sit_down(server, path)` for a stranger.

    What the browser complains of on its console fails the test, refused content and uncaught errors included, unless
    the pattern `expects` allows for it, or the page was left while its WebSocket was being opened. Further options are those of a Playwright context. This browser has refused
    notifications: a test in which the chat may ask for them says `permissions=None`, or ["notifications"] where they are allowed.
    """
    contexts, complaints = [], []

    def open_screen(visitor, path="/", expects=r"(?!)", **options):
        may_notify = options.get("permissions", ()) is None or "notifications" in options.get("permissions", ())
        browser = request.getfixturevalue("whole_chromium") if may_notify else chromium
        context = browser.new_context(base_url=visitor.url, **{"locale": "en-GB", "permissions": [], **options})
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)

        def listen(text):
            if not re.search(rf"{expects}|{LEFT_EARLY}", text):
                complaints.append(text)
        context.on("console", lambda line: listen(line.text) if line.type in ("error", "warning") else None)
        context.on("weberror", lambda error: listen(str(error.error)))
        cookies = visitor.http.cookies if isinstance(visitor, Person) else ()
        context.add_cookies([{"name": cookie.name, "value": cookie.value, "url": visitor.url} for cookie in cookies])
        return Screen(context.new_page(), path)
    yield open_screen
    told = list(complaints)     # what closing the pages ends is none
    for context in contexts:
        context.close()
    assert told == []
