"""The words that a stranger finds each part by: exactly one visible element bears each of them."""
import re

import pytest
from playwright.sync_api import expect

from tests.browser.screen import PHONE, WIDE
from tests.people import Person
from tests.server import Server

pytestmark = pytest.mark.browser

SIZES = pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])


@pytest.fixture(scope="module")
def server():
    with Server() as server:
        yield server


@pytest.fixture(scope="module")
def alice_and_bob(server):
    people = Person(server.url, "alice"), Person(server.url, "bob")
    for person in people:
        assert person.register().status_code == 302
    return people


def expect_one(locator):
    """Wait until the words find one visible element and no other; Playwright takes part of a name for the name."""
    expect(locator).to_have_count(1)
    expect(locator).to_be_visible()


def test_it_works(server, sit_down):
    page = sit_down(server, "/login").page
    expect_one(page.get_by_label("Username"))


@SIZES
def test_the_login_page(server, sit_down, viewport):
    page = sit_down(server, "/login", viewport=viewport).page
    expect_one(page.get_by_label("Username"))
    expect_one(page.get_by_label("Password"))
    expect_one(page.get_by_role("button", name="Login"))
    expect_one(page.get_by_role("link", name="Register"))


@SIZES
def test_the_register_page(server, sit_down, viewport):
    page = sit_down(server, "/register", viewport=viewport, expects="400").page
    expect_one(page.get_by_label("Username"))
    expect_one(page.get_by_label("Password"))
    expect_one(page.get_by_role("button", name="Register"))
    expect_one(page.get_by_role("link", name="Login"))
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect_one(page.get_by_label("Username"))
    expect_one(page.get_by_label("Password"))


@SIZES
def test_the_home_page(alice_and_bob, sit_down, viewport):
    alice, _bob = alice_and_bob
    page = sit_down(alice, viewport=viewport).page
    expect_one(page.get_by_text("Welcome, alice! Please choose someone to talk to."))
    expect_one(page.get_by_text("Welcome, alice", exact=True))
    expect_one(page.get_by_role("heading", name="Users"))
    expect_one(page.get_by_role("searchbox"))
    expect_one(page.get_by_role("link", name=re.compile("^bob")))
    expect_one(page.get_by_role("button", name="Toggle Dark Mode"))
    expect_one(page.get_by_role("button", name="Logout"))


@SIZES
@pytest.mark.parametrize("messages", [[], ["bonjour", "Message to send to bob", "Chat with: me"]], ids=["empty", "written"])
def test_the_conversation(alice_and_bob, sit_down, viewport, messages):
    alice, bob = alice_and_bob
    for text in messages:
        bob.send(alice, text)
    page = sit_down(alice, "/chat/bob", viewport=viewport).page
    expect_one(page.get_by_label("Message"))
    expect_one(page.get_by_role("textbox", name="Message"))
    expect_one(page.get_by_role("button", name="Send"))
    expect_one(page.get_by_role("heading", name="Chat with: bob"))
    if viewport == WIDE:
        expect_one(page.get_by_role("link", name=re.compile("^bob")))
        expect_one(page.get_by_role("searchbox"))
        expect_one(page.get_by_role("button", name="Toggle Dark Mode"))
        expect_one(page.get_by_role("button", name="Logout"))
